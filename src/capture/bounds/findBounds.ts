import type { Bounds } from '../../core/bounds.js';
import { projectPoint, unprojectPixel } from '../../core/camera.js';
import type { Warning } from '../../core/context.js';
import { PlinthError } from '../../core/errors.js';
import type { Vec3 } from '../../core/math.js';
import type { View } from '../capture.js';
import type { ViewSurvey } from '../survey.js';
import { focusPoint, pixelRay } from './focus.js';
import { type CarvingView, carve, carvingView, type Hull, hullCoverage, tighten } from './hull.js';

export interface BoundsInput {
  views: readonly View[];
  /** In the order of `views`. */
  surveys: readonly ViewSurvey[];
  /** Whether the surveys' masks mean the object; false where there are none. */
  hasMasks: boolean;
  /** Sparse points in world space (x y z interleaved), used where there are neither masks nor depth. */
  points?: ArrayLike<number>;
  signal?: AbortSignal;
}

/** More views than these do not make the box noticeably tighter. */
const VIEWS_TO_CARVE = 64;
/** Share of the views that may contradict a cell before it is carved: one bad mask must not eat the object. */
const TOLERANCE = 0.04;
/** Cells along the longest side, from pass to pass. */
const PASSES = [28, 40];
/** Cells along the longest side for the last step, which looks at the outermost layers only. */
const FINE = 112;

/**
 * The object's bounding box in world space. With masks: the box of a coarse visual hull, in which depth maps carve too
 * what lies in front of the surface; at most about two percent too large on each side of the hull, never smaller.
 * Without masks: the sparse points, those of the room around the cameras left out, or else the region on which the
 * cameras are trained. Margin of 1 % on each side.
 *
 * Throws `CAPTURE_OBJECT_OUT_OF_VIEW` where cameras do not see a common object (naming the one at fault, where it is
 * one), and `CAPTURE_VIEWS_DISAGREE` where a mask does not fit what all others show.
 */
export async function findBounds(input: BoundsInput): Promise<{ bounds: Bounds; warnings: Warning[] }> {
  const { views, surveys, hasMasks, points } = input;
  const focus = focusOf(input);
  if (!hasMasks) {
    const warnings: Warning[] = [];
    const among = points && amongCameras(points, views, focus.point, warnings);
    const box = depthBox(views, surveys) ?? (among && among.length >= 30 ? pointBox(among) : undefined);
    if (box) return { bounds: grow(box, 0.05), warnings };
    const radius = focus.radius;
    warnings.push({
      code: 'CAPTURE_BOUNDS_GUESSED',
      message: 'There are no masks, depth maps or points: the bounds are a guess from the cameras alone.',
      remedy: 'Add masks (transparency, or a masks folder), so that the object is told from its background.',
    });
    const at = focus.point;
    const side = (s: number): Vec3 => [at[0] + s * radius, at[1] + s * radius, at[2] + s * radius];
    return { bounds: { min: side(-1), max: side(1) }, warnings };
  }
  const prepared = views.map((view, i) => carvingView(view.camera, surveys[i], view.depth));
  const training = prepared.filter((_, i) => views[i].split === 'train');
  const step = Math.max(1, training.length / VIEWS_TO_CARVE);
  const chosen = training.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
  const tolerance = Math.floor(chosen.length * TOLERANCE);
  const hull = await carveInPasses(chosen, focus, tolerance, input.signal);
  if (!hull) throw await nothingLeft(input, focus);
  const warnings = checkCoverage(views, prepared, hull);
  const box = await tighten(chosen, hull.box, FINE, tolerance, input.signal);
  return { bounds: grow(box, 0.01), warnings };
}

interface Focus {
  point: Vec3;
  radius: number;
}

async function carveInPasses(
  views: readonly CarvingView[],
  focus: Focus,
  tolerance: number,
  signal?: AbortSignal,
): Promise<Hull | undefined> {
  const corner = (s: number): Vec3 => focus.point.map((v) => v + s * focus.radius) as Vec3;
  let region: Bounds = { min: corner(-1), max: corner(1) };
  let hull: Hull | undefined;
  for (const resolution of PASSES) {
    hull = await carve(views, region, resolution, tolerance, signal);
    if (!hull) return undefined;
    region = hull.box;
  }
  return hull;
}

/** Where the cameras look, and how far around it the object can reach. */
function focusOf({ views, surveys, hasMasks }: BoundsInput): Focus {
  const boxes = surveys.map((survey, i) => (hasMasks ? maskBox(survey, views[i]) : wholeFrame(views[i])));
  const rays = views.map((view, i) =>
    pixelRay(view.camera, (boxes[i][0] + boxes[i][2]) / 2, (boxes[i][1] + boxes[i][3]) / 2),
  );
  const training = views.map((view, i) => ({ view, i })).filter(({ view }) => view.split === 'train');
  const point = focusPoint(training.map(({ i }) => rays[i]));
  if (!point) {
    throw new PlinthError('CAPTURE_OBJECT_OUT_OF_VIEW', {
      found: 'All cameras look in the same direction',
      expected: 'views of the object from different sides',
      remedy: 'Add views from other sides, and check that the transforms are those of the pictures',
    });
  }
  const radii: number[] = [];
  views.forEach((view, i) => {
    const { x, y, depth } = projectPoint(view.camera, point);
    const { fx, fy } = view.camera;
    const [left, top, right, bottom] = boxes[i];
    const reach = Math.hypot(
      Math.max(Math.abs(left - x), Math.abs(right - x)) / fx,
      Math.max(Math.abs(top - y), Math.abs(bottom - y)) / fy,
    );
    const halfFrame = Math.hypot(view.camera.width / fx, view.camera.height / fy) / 2;
    const aside = Math.hypot((x - (left + right) / 2) / fx, (y - (top + bottom) / 2) / fy);
    if (depth <= 0 || aside > 2 * halfFrame) throw outOfView(view);
    const tangent = Math.min(0.75, reach);
    radii.push((tangent * depth) / (1 - tangent));
  });
  const sorted = [...radii].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (!hasMasks) return { point, radius: 0.6 * median };
  return { point, radius: 1.1 * Math.min(sorted[sorted.length - 1], 3 * median) };
}

function outOfView(view: View): PlinthError {
  return new PlinthError('CAPTURE_OBJECT_OUT_OF_VIEW', {
    found: `The camera of ${view.name} looks away from the point that the other cameras look at`,
    expected: 'all cameras to see the same object',
    remedy: 'Correct this camera or take its view out. Cameras look along −z with y up in the metadata (OpenGL axes)',
    subject: view.source,
  });
}

const wholeFrame = (view: View): [number, number, number, number] => [0, 0, view.camera.width, view.camera.height];

/** Bounding box of the mask in pixels of the view's camera: left, top, right, bottom. */
function maskBox(survey: ViewSurvey, view: View): [number, number, number, number] {
  const { width, height, mask } = survey;
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (!mask[y * width + x]) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  const sx = view.camera.width / width;
  const sy = view.camera.height / height;
  return right < 0 ? wholeFrame(view) : [left * sx, top * sy, (right + 1) * sx, (bottom + 1) * sy];
}

/** Finds out whether one view alone is at fault for an empty hull. */
async function nothingLeft(input: BoundsInput, focus: Focus): Promise<PlinthError> {
  const training = input.views.map((view, i) => ({ view, i })).filter(({ view }) => view.split === 'train');
  const prepared = training.map(({ view, i }) => carvingView(view.camera, input.surveys[i], view.depth));
  const culprits: View[] = [];
  // With more views than this the tolerance outvotes a single one, so that many must be wrong.
  const worthTrying = training.length > 2 && training.length <= 1 / TOLERANCE;
  for (let v = 0; v < training.length && worthTrying; v++) {
    const others = prepared.filter((_, i) => i !== v);
    if (await carveInPasses(others, focus, 0, input.signal)) culprits.push(training[v].view);
  }
  const remedy =
    'Check that pictures and cameras belong together. Cameras are camera-to-world with OpenGL axes (x right, ' +
    'y up, looking along −z)';
  const expected = 'all silhouettes to meet in one object';
  if (culprits.length === 1) {
    return new PlinthError('CAPTURE_OBJECT_OUT_OF_VIEW', {
      found: `The silhouette of ${culprits[0].name} does not meet those of the other views`,
      expected,
      remedy: `Correct its camera or mask, or take the view out. ${remedy}`,
      subject: culprits[0].source,
    });
  }
  return new PlinthError('CAPTURE_OBJECT_OUT_OF_VIEW', {
    found: 'The silhouettes of the views do not meet',
    expected,
    remedy,
  });
}

/** The hull must explain every mask; a view that it does not explain has a wrong camera or a wrong mask. */
function checkCoverage(views: readonly View[], prepared: readonly CarvingView[], hull: Hull): Warning[] {
  const shares = prepared.map((view) => hullCoverage(view, hull));
  const worst = shares.indexOf(Math.min(...shares));
  if (shares[worst] < 0.5) {
    throw new PlinthError('CAPTURE_VIEWS_DISAGREE', {
      found:
        `Only ${(100 * shares[worst]).toFixed(0)} % of the object in ${views[worst].name} can be where the ` +
        'other views show it',
      expected: 'silhouettes that fit together (at least 50 % here, usually all)',
      remedy: 'Correct the camera or mask of this view, or take it out',
      subject: views[worst].source,
    });
  }
  return views.flatMap((view, i) =>
    shares[i] >= 0.93
      ? []
      : [
          {
            code: 'CAPTURE_VIEWS_DISAGREE',
            message:
              `${(100 * (1 - shares[i])).toFixed(0)} % of the object in ${view.name} is where other views show ` +
              'background.',
            subject: view.name,
            remedy: 'Check the camera and the mask of this view.',
          },
        ],
  );
}

/** Share of the nearest cameras' distance from what they look at within which what they stand around lies. */
const AMONG = 0.8;
/** Share of the points that have to lie there for the others to be surroundings. */
const ENOUGH_AMONG = 0.05;

/** The sparse points that the cameras stand around; all, where few do. Cameras that look outwards have none. */
function amongCameras(
  points: ArrayLike<number>,
  views: readonly View[],
  focus: Vec3,
  warnings: Warning[],
): ArrayLike<number> {
  const distances = views
    .filter(({ split }) => split === 'train')
    .map(({ camera: { cameraToWorld: m } }) => Math.hypot(m[12] - focus[0], m[13] - focus[1], m[14] - focus[2]))
    .sort((a, b) => a - b);
  const reach = AMONG * distances[Math.floor(0.1 * distances.length)];
  const inside: number[] = [];
  const count = Math.floor(points.length / 3);
  for (let i = 0; i < count; i++) {
    const p = [points[i * 3], points[i * 3 + 1], points[i * 3 + 2]];
    if (Math.hypot(p[0] - focus[0], p[1] - focus[1], p[2] - focus[2]) <= reach) inside.push(...p);
  }
  const near = inside.length / 3;
  if (near === count || near < Math.max(30, ENOUGH_AMONG * count)) return points;
  // A few strays are none of a room.
  if (near < 0.95 * count) {
    warnings.push({
      code: 'CAPTURE_BOUNDS_AMONG_CAMERAS',
      message:
        `Without masks the object is taken to lie among the cameras: ${near} of ${count} points do, the others are ` +
        'taken for its surroundings.',
      remedy: 'Add masks (transparency, or a masks folder), so that the object is told from its background.',
    });
  }
  return inside;
}

/** The middle 98 % of sparse points along each axis: the rest is background and mismatches. */
function pointBox(points: ArrayLike<number>): Bounds {
  const at = (axis: number, share: number): number => {
    const values = Float32Array.from({ length: points.length / 3 }, (_, i) => points[i * 3 + axis]).sort();
    return values[Math.floor(share * (values.length - 1))];
  };
  return { min: [at(0, 0.01), at(1, 0.01), at(2, 0.01)], max: [at(0, 0.99), at(1, 0.99), at(2, 0.99)] };
}

/** The box of all depth samples, where every training view has a depth map. */
function depthBox(views: readonly View[], surveys: readonly ViewSurvey[]): Bounds | undefined {
  const points: number[] = [];
  for (let i = 0; i < views.length; i++) {
    const { depth, split } = views[i];
    const survey = surveys[i].depth;
    if (split !== 'train') continue;
    if (!depth || !survey) return undefined;
    const sx = depth.camera.width / survey.width;
    const sy = depth.camera.height / survey.height;
    for (let y = 0; y < survey.height; y += 2)
      for (let x = 0; x < survey.width; x += 2) {
        const d = survey.nearest[y * survey.width + x];
        if (d > 0) points.push(...unprojectPixel(depth.camera, (x + 0.5) * sx, (y + 0.5) * sy, d));
      }
  }
  return points.length > 0 ? pointBox(Float32Array.from(points)) : undefined;
}

function grow(box: Bounds, share: number): Bounds {
  const by = share * Math.max(...[0, 1, 2].map((i) => box.max[i] - box.min[i]));
  return { min: box.min.map((v) => v - by) as Vec3, max: box.max.map((v) => v + by) as Vec3 };
}
