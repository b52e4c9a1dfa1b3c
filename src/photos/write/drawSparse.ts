import { escapeXml } from '../../capture/draw/svg.js';
import { length, type Vec3 } from '../../core/math.js';
import type { FoundCameras } from '../findCameras.js';
import { cameraToWorld, toWorld } from '../frame.js';
import type { Pose } from '../mapper/p3p.js';

const SIZE = 1000;
/** More names than this would cover each other. */
const MOST_NAMES = 60;
/** Points beyond these, which are mostly far background. */
const MOST_POINTS = 6000;
const CAMERA = '#2563eb';

/**
 * A drawing of the cameras around the sparse points as SVG: from above and from the front right, points in their
 * colours, cameras as pyramids with their names, and a list of the photos that have none.
 */
export function drawSparse(found: FoundCameras): string {
  const { photos, scene, frame, verdicts, facts } = found;
  const cameras = scene.registered().map((i) => {
    const m = cameraToWorld(frame, scene.poses[i] as Pose, photos[i].orientation);
    const { f, width, height } = scene.lensOf(i);
    return { name: photos[i].name, m, half: [width / 2 / f, height / 2 / f] };
  });
  const reach = 1.25 * Math.max(...cameras.map(({ m }) => length([m[12], m[13], m[14]])));
  const points = sparsePoints(found, reach);
  const views: { title: string; project: (p: Vec3) => [number, number, number] }[] = [
    { title: 'from above', project: ([x, y, z]) => [x, z, y] },
    { title: 'from the front right', project: ([x, y, z]) => tilted(x, y, z) },
  ];
  const body = views.map(({ title, project }, k) => {
    const place = (p: Vec3): [number, number] => {
      const [x, y] = project(p);
      return [k * SIZE + SIZE / 2 + (x / reach) * 0.46 * SIZE, 60 + SIZE / 2 + (y / reach) * 0.46 * SIZE];
    };
    const dots = points
      .map(({ p, color }) => ({ p, color, depth: project(p)[2] }))
      .sort((a, b) => a.depth - b.depth)
      .map(({ p, color }) => {
        const [x, y] = place(p);
        return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="1.6" fill="rgb(${color.join()})"/>`;
      });
    const pyramids = cameras.map(({ name, m, half }) => {
      const at = (x: number, y: number, z: number): [number, number] =>
        place([0, 1, 2].map((r) => m[r] * x + m[4 + r] * y + m[8 + r] * z + m[12 + r]) as Vec3);
      const d = 0.08 * reach;
      const corners = [
        [-1, -1],
        [1, -1],
        [1, 1],
        [-1, 1],
      ].map(([u, v]) => at(u * half[0] * d, v * half[1] * d, -d));
      const text = (p: [number, number]): string => `${p[0].toFixed(1)} ${p[1].toFixed(1)}`;
      const eye = at(0, 0, 0);
      const lines = corners.map((c) => `M${text(eye)}L${text(c)}`).join('');
      const label =
        cameras.length > MOST_NAMES
          ? ''
          : `<text x="${(eye[0] + 5).toFixed(1)}" y="${(eye[1] - 5).toFixed(1)}" font-size="11" ` +
            `fill="${CAMERA}">${escapeXml(name.replace(/\.[^.]+$/, ''))}</text>`;
      return `<path d="${lines}M${corners.map(text).join('L')}Z" fill="none" stroke="${CAMERA}"/>${label}`;
    });
    return (
      `${dots.join('')}${pyramids.join('')}<text x="${k * SIZE + 24}" y="92" font-size="16" ` +
      `fill="#6b7280">${title}</text>`
    );
  });
  const missing = verdicts.filter(({ registered }) => !registered);
  const said = `${facts.registered} of ${facts.photos} photos, ${facts.points} points, ${facts.error.toFixed(2)} px`;
  const list = missing.map(
    ({ photo, code }, i) =>
      `<text x="24" y="${SIZE + 88 + 20 * i}" font-size="14" ` +
      `fill="#b91c1c">${escapeXml(`${photo}: ${code ?? ''}`)}</text>`,
  );
  const height = SIZE + 80 + 20 * missing.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${2 * SIZE}" height="${height}" viewBox="0 0 ${2 * SIZE} ` +
      `${height}" font-family="sans-serif">`,
    '<rect width="100%" height="100%" fill="#f8fafc"/>',
    ...body,
    `<text x="24" y="44" font-size="24" fill="#111827">${escapeXml(said)}</text>`,
    ...list,
    '</svg>\n',
  ].join('\n');
}

/** Seen from 35° to the right and 30° above: x, y on the paper, and nearness. */
function tilted(x: number, y: number, z: number): [number, number, number] {
  const [a, e] = [(35 * Math.PI) / 180, (30 * Math.PI) / 180];
  const right = x * Math.cos(a) - z * Math.sin(a);
  const near = x * Math.sin(a) + z * Math.cos(a);
  return [right, -(y * Math.cos(e) - near * Math.sin(e)), near * Math.cos(e) + y * Math.sin(e)];
}

/** Points within reach, thinned evenly, with their colours. */
function sparsePoints({ scene, frame, features }: FoundCameras, reach: number): { p: Vec3; color: number[] }[] {
  const { tracks } = scene;
  const near: { p: Vec3; color: number[] }[] = [];
  for (let t = 0; t < tracks.count; t++) {
    if (!scene.has[t]) continue;
    const p = toWorld(frame, scene.position(t));
    if (length(p) > reach) continue;
    const o = tracks.starts[t];
    const at = tracks.features[o] * 3;
    near.push({ p, color: Array.from(features[tracks.photos[o]].colors.subarray(at, at + 3)) });
  }
  const step = Math.max(1, near.length / MOST_POINTS);
  return near.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
}
