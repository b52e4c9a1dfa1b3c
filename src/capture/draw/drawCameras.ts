import { centerOf, diagonalOf } from '../../core/bounds.js';
import { type Camera, cameraPosition, projectPoint, unprojectPixel, worldToCamera } from '../../core/camera.js';
import type { ColorImage } from '../../core/image.js';
import { add, length, lookAt, normalize, scale, sub, type Vec3 } from '../../core/math.js';
import type { Capture } from '../capture.js';
import { countLeftOut, LEFT_OUT_REASONS } from '../layout/leftOut.js';
import { fileName } from '../layout/names.js';
import { drawSvg, escapeXml } from './svg.js';

export interface DrawCamerasOptions {
  /** Width and height of the drawing in pixels, 128…8192. Default: 1024. */
  size?: number;
}

const TRAIN = '#2563eb';
const TEST = '#ea580c';
const LEFT_OUT = '#b91c1c';
/** x, y, z as everywhere: red, green, blue. */
const AXES = ['#dc2626', '#16a34a', '#1d4ed8'];
/** More names than this would cover each other. */
const MOST_NAMES = 26;

interface Line {
  from: Vec3;
  to: Vec3;
  color: string;
  width: number;
  dashed?: boolean;
}

/**
 * Draws the capture's cameras as frusta (training views blue, test views orange, cameras that were left out dashed red
 * with the reason) around the object's bounds, with the world's axes (x red, y green, z blue; +y is up) and a ground
 * grid under the bounds, seen from above and the front right. The legend counts what else was left out.
 */
export async function drawCameras(capture: Capture, options: DrawCamerasOptions = {}): Promise<ColorImage> {
  const size = options.size ?? 1024;
  const { min, max } = capture.bounds;
  const centre = centerOf(capture.bounds);
  const diagonal = diagonalOf(capture.bounds);
  const [likely] = capture.views;
  // Nothing is known of the lens of a picture that is not there: it is drawn with that of another.
  const leftOut = (capture.leftOut ?? []).flatMap(({ cameraToWorld, name, reason }) =>
    cameraToWorld
      ? [{ camera: { ...likely.camera, cameraToWorld }, name: fileName(name), why: LEFT_OUT_REASONS[reason] }]
      : [],
  );
  const distances = [...capture.views, ...leftOut].map((view) => length(sub(cameraPosition(view.camera), centre)));
  const reach = Math.max(diagonal, ...distances);
  const frustumDepth = 0.09 * reach;
  const eye = add(centre, scale(normalize([0.55, 0.5, 0.85]), 4.2 * reach));
  const observer: Camera = framing(size, lookAt(eye, centre), [
    ...[...capture.views, ...leftOut].map((view) => cameraPosition(view.camera)),
    min,
    max,
  ]);
  const toCamera = worldToCamera(observer);
  const at = (p: Vec3): { x: number; y: number; depth: number } => projectPoint(observer, p, toCamera);

  const lines: Line[] = box(min, max);
  for (let axis = 0; axis < 3; axis++) {
    const tip: Vec3 = [0, 0, 0];
    tip[axis] = 0.5 * diagonal;
    lines.push({ from: [0, 0, 0], to: tip, color: AXES[axis], width: 3 });
  }
  for (const view of capture.views)
    lines.push(...frustum(view.camera, frustumDepth, view.split === 'test' ? TEST : TRAIN));
  for (const { camera } of leftOut)
    lines.push(...frustum(camera, frustumDepth, LEFT_OUT).map((line) => ({ ...line, dashed: true })));
  // Far lines first, so that near ones lie on top.
  const middle = (line: Line): number => at(scale(add(line.from, line.to), 0.5)).depth;
  const sorted = [
    ...groundGrid(min, max, reach).map((line) => ({ line, depth: Number.POSITIVE_INFINITY })),
    ...lines.map((line) => ({ line, depth: middle(line) })).sort((a, b) => b.depth - a.depth),
  ];
  const unit = size / 1024;
  const parts = sorted.map(({ line }) => {
    const [a, b] = [at(line.from), at(line.to)];
    return (
      `<line x1="${a.x.toFixed(1)}" y1="${a.y.toFixed(1)}" x2="${b.x.toFixed(1)}" y2="${b.y.toFixed(1)}" ` +
      `stroke="${line.color}" stroke-width="${(line.width * unit).toFixed(2)}" stroke-linecap="round"${line.dashed ? ` stroke-dasharray="${4 * unit} ${4 * unit}"` : ''}/>`
    );
  });
  const label = (p: Vec3, text: string, color: string, big = 15): string => {
    const { x, y } = at(p);
    // Long words near the right edge end where they would begin.
    const isLast = x > 0.7 * size;
    return (
      `<text x="${(x + (isLast ? -5 : 5) * unit).toFixed(1)}" y="${(y - 5 * unit).toFixed(1)}" ` +
      `text-anchor="${isLast ? 'end' : 'start'}" ` +
      `font-size="${(big * unit).toFixed(1)}" fill="${color}">${escapeXml(text)}</text>`
    );
  };
  ['x', 'y', 'z'].forEach((name, axis) => {
    const tip: Vec3 = [0, 0, 0];
    tip[axis] = 0.53 * diagonal;
    parts.push(label(tip, name, AXES[axis], 20));
  });
  for (const { camera, name, why } of leftOut.slice(0, MOST_NAMES))
    parts.push(label(cameraPosition(camera), `${name}: ${why}`, LEFT_OUT));
  if (capture.views.length <= MOST_NAMES) {
    for (const view of capture.views) {
      parts.push(label(cameraPosition(view.camera), view.name, view.split === 'test' ? TEST : TRAIN));
    }
  }
  const test = capture.views.filter((view) => view.split === 'test').length;
  const extent = sub(max, min).map((v) => v.toPrecision(3));
  const legend =
    `${capture.views.length - test} training views${test ? `, ${test} test views (orange)` : ''}; bounds ` +
    `${extent.join(' × ')}${capture.scaleKnown ? '' : ' (scale chosen)'}`;
  const line = (text: string, up: number, color: string): string =>
    `<text x="${16 * unit}" y="${size - up * unit}" font-size="${18 * unit}" fill="${color}">${escapeXml(text)}</text>`;
  parts.push(line(legend, 16, '#374151'));
  if (capture.leftOut?.length) parts.push(line(`Left out: ${countLeftOut(capture.leftOut)}`, 40, LEFT_OUT));
  return drawSvg(size, size, `<rect width="100%" height="100%" fill="#f8fafc"/>${parts.join('')}`);
}

/** A camera at the given pose whose picture just holds all points. */
function framing(size: number, cameraToWorld: number[], points: readonly Vec3[]): Camera {
  const unit: Camera = { cameraToWorld, width: size, height: size, fx: 1, fy: 1, cx: 0, cy: 0 };
  const toCamera = worldToCamera(unit);
  const spots = points.map((p) => projectPoint(unit, p, toCamera));
  const range = (values: number[]): [number, number] => [Math.min(...values), Math.max(...values)];
  const [left, right] = range(spots.map((p) => p.x));
  const [top, bottom] = range(spots.map((p) => p.y));
  const focal = (0.8 * size) / Math.max(right - left, bottom - top);
  return {
    ...unit,
    fx: focal,
    fy: focal,
    cx: size / 2 - (focal * (left + right)) / 2,
    cy: size / 2 - (focal * (top + bottom)) / 2,
  };
}

function frustum(camera: Camera, depth: number, color: string): Line[] {
  const eye = cameraPosition(camera);
  const { width: w, height: h } = camera;
  // Wide and narrow lenses alike give pyramids of one size.
  const by = depth / Math.max(1, Math.hypot(w / camera.fx, h / camera.fy));
  const corner = (x: number, y: number): Vec3 => unprojectPixel(camera, x, y, by);
  const corners = [corner(0, 0), corner(w, 0), corner(w, h), corner(0, h)];
  const edges: Line[] = corners.flatMap((c, i) => [
    { from: eye, to: c, color, width: 1.3 },
    { from: c, to: corners[(i + 1) % 4], color, width: 1.3 },
  ]);
  // A mark over the upper edge tells which way the picture stands.
  const mark = corner(w / 2, -0.25 * h);
  edges.push({ from: corner(0.3 * w, 0), to: mark, color, width: 1.3 });
  edges.push({ from: mark, to: corner(0.7 * w, 0), color, width: 1.3 });
  return edges;
}

function box(min: Vec3, max: Vec3): Line[] {
  const lines: Line[] = [];
  const corner = (i: number): Vec3 => [i & 1 ? max[0] : min[0], i & 2 ? max[1] : min[1], i & 4 ? max[2] : min[2]];
  for (let i = 0; i < 8; i++)
    for (const bit of [1, 2, 4]) {
      if (!(i & bit)) lines.push({ from: corner(i), to: corner(i | bit), color: '#111827', width: 2 });
    }
  return lines;
}

function groundGrid(min: Vec3, max: Vec3, reach: number): Line[] {
  const lines: Line[] = [];
  const [cx, cz] = [(min[0] + max[0]) / 2, (min[2] + max[2]) / 2];
  const cells = 10;
  for (let i = 0; i <= cells; i++) {
    const o = (i / cells - 0.5) * 2 * reach;
    const line = { color: '#e2e8f0', width: 1 };
    lines.push({ ...line, from: [cx + o, min[1], cz - reach], to: [cx + o, min[1], cz + reach] });
    lines.push({ ...line, from: [cx - reach, min[1], cz + o], to: [cx + reach, min[1], cz + o] });
  }
  return lines;
}
