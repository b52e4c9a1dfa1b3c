import type { Bounds } from '../../core/bounds.js';
import { type Camera, worldToCamera } from '../../core/camera.js';
import { throwIfCancelled } from '../../core/errors.js';
import type { Vec3 } from '../../core/math.js';
import { pause } from '../../core/pause.js';
import { distanceTo } from '../masks/distance.js';
import type { ViewSurvey } from '../survey.js';
import { nearestAround } from './nearestAround.js';

/** A view prepared for carving: everything in cells of its survey. */
export interface CarvingView {
  toCamera: number[];
  width: number;
  height: number;
  fx: number;
  fy: number;
  cx: number;
  cy: number;
  /** Distance to the mask, in cells. */
  distance: Float32Array;
  /** Whether the mask touches the left, top, right, bottom border: beyond it nobody knows. */
  open: [boolean, boolean, boolean, boolean];
  depth?: { camera: Camera; width: number; height: number; nearest: Float32Array; accuracy: number };
}

export function carvingView(
  camera: Camera,
  survey: ViewSurvey,
  depth?: { camera: Camera; accuracy: number },
): CarvingView {
  const { width, height, mask } = survey;
  const sx = width / camera.width;
  const sy = height / camera.height;
  const open: CarvingView['open'] = [false, false, false, false];
  for (let y = 0; y < height; y++) {
    if (mask[y * width]) open[0] = true;
    if (mask[y * width + width - 1]) open[2] = true;
  }
  for (let x = 0; x < width; x++) {
    if (mask[x]) open[1] = true;
    if (mask[(height - 1) * width + x]) open[3] = true;
  }
  return {
    toCamera: worldToCamera(camera),
    width,
    height,
    fx: camera.fx * sx,
    fy: camera.fy * sy,
    cx: camera.cx * sx,
    cy: camera.cy * sy,
    distance: distanceTo(mask, width, height, 1),
    open,
    depth: depth && survey.depth && { ...survey.depth, camera: depth.camera, accuracy: depth.accuracy },
  };
}

export interface Hull {
  /** Bounding box of the cells that may hold the object, with half a cell added on each side. */
  box: Bounds;
  /** Centres of the occupied cells, x y z interleaved, and their half diagonal. */
  centres: Float32Array;
  radius: number;
}

/**
 * Carves a coarse grid: a cell stays unless more than `tolerance` views say that nothing of it can belong to the
 * object, because its whole footprint lies off the mask, or in front of everything that the depth map saw there. Never
 * too small.
 *
 * @param resolution cells along the longest side of `region`
 * @returns undefined where nothing stays
 */
export async function carve(
  views: readonly CarvingView[],
  region: Bounds,
  resolution: number,
  tolerance: number,
  signal?: AbortSignal,
): Promise<Hull | undefined> {
  const sides = [0, 1, 2].map((i) => region.max[i] - region.min[i]);
  const cell = Math.max(...sides) / resolution;
  const counts = sides.map((side) => Math.max(1, Math.ceil(side / cell - 1e-6)));
  const radius = (cell * Math.sqrt(3)) / 2;
  const middle = [0, 1, 2].map((i) => (region.min[i] + region.max[i]) / 2) as Vec3;
  const tests = views.map((view) => footprintTest(view, radius, middle));
  const centres: number[] = [];
  const min: Vec3 = [Infinity, Infinity, Infinity];
  const max: Vec3 = [-Infinity, -Infinity, -Infinity];
  for (let k = 0; k < counts[2]; k++) {
    throwIfCancelled(signal);
    await pause();
    const z = region.min[2] + (k + 0.5) * cell;
    for (let j = 0; j < counts[1]; j++) {
      const y = region.min[1] + (j + 0.5) * cell;
      for (let i = 0; i < counts[0]; i++) {
        const x = region.min[0] + (i + 0.5) * cell;
        let against = 0;
        for (let v = 0; v < tests.length && against <= tolerance; v++) if (!tests[v](x, y, z)) against++;
        if (against > tolerance) continue;
        centres.push(x, y, z);
        min[0] = Math.min(min[0], x - cell / 2);
        min[1] = Math.min(min[1], y - cell / 2);
        min[2] = Math.min(min[2], z - cell / 2);
        max[0] = Math.max(max[0], x + cell / 2);
        max[1] = Math.max(max[1], y + cell / 2);
        max[2] = Math.max(max[2], z + cell / 2);
      }
    }
  }
  return centres.length > 0 ? { box: { min, max }, centres: Float32Array.from(centres), radius } : undefined;
}

/**
 * Moves the sides of a hull's box inwards, layer by layer on a finer grid, until a layer holds a cell that stays. Costs
 * a few layers instead of a whole grid.
 */
export async function tighten(
  views: readonly CarvingView[],
  region: Bounds,
  resolution: number,
  tolerance: number,
  signal?: AbortSignal,
): Promise<Bounds> {
  const cell = Math.max(...region.max.map((v, i) => v - region.min[i])) / resolution;
  const middle = region.max.map((v, i) => (v + region.min[i]) / 2) as Vec3;
  const tests = views.map((view) => footprintTest(view, (cell * Math.sqrt(3)) / 2, middle));
  const box: Bounds = { min: [...region.min], max: [...region.max] };
  const stays = (p: Vec3): boolean => {
    let against = 0;
    for (let v = 0; v < tests.length && against <= tolerance; v++) if (!tests[v](p[0], p[1], p[2])) against++;
    return against <= tolerance;
  };
  const layerStays = (axis: number, at: number): boolean => {
    const [a, b] = [(axis + 1) % 3, (axis + 2) % 3];
    const p: Vec3 = [0, 0, 0];
    p[axis] = at;
    // Half a cell beyond the box: cells at its rim must be covered too.
    for (p[a] = box.min[a]; p[a] < box.max[a] + cell / 2; p[a] += cell)
      for (p[b] = box.min[b]; p[b] < box.max[b] + cell / 2; p[b] += cell) if (stays(p)) return true;
    return false;
  };
  for (let axis = 0; axis < 3; axis++)
    for (const sign of [1, -1]) {
      const side = sign > 0 ? box.min : box.max;
      const limit = sign > 0 ? box.max[axis] : box.min[axis];
      while ((limit - side[axis]) * sign > cell && !layerStays(axis, side[axis] + (sign * cell) / 2)) {
        throwIfCancelled(signal);
        await pause();
        side[axis] += sign * cell;
      }
    }
  return box;
}

/** Whether a ball of `radius` around a point may hold a part of the object, as far as this view can tell. */
function footprintTest(view: CarvingView, radius: number, middle: Vec3): (x: number, y: number, z: number) => boolean {
  const m = view.toCamera;
  const { fx, fy, cx, cy, width, height, distance, open, depth } = view;
  const focal = Math.max(fx, fy);
  let free: Float32Array | undefined;
  let dx = 0;
  let dy = 0;
  if (depth) {
    const typical = -(m[2] * middle[0] + m[6] * middle[1] + m[10] * middle[2] + m[14]);
    dx = depth.width / depth.camera.width;
    dy = depth.height / depth.camera.height;
    const cells = (radius * Math.max(depth.camera.fx * dx, depth.camera.fy * dy)) / Math.max(typical, radius);
    // Colour and depth may be a little apart, hence one cell more.
    free = nearestAround(depth.nearest, depth.width, depth.height, Math.min(64, Math.ceil(1.3 * cells) + 1));
  }
  return (x, y, z) => {
    const depthHere = -(m[2] * x + m[6] * y + m[10] * z + m[14]);
    if (depthHere + radius <= 0) return false;
    const near = Math.max(depthHere - radius, 0.05 * radius);
    const X = m[0] * x + m[4] * y + m[8] * z + m[12];
    const Y = m[1] * x + m[5] * y + m[9] * z + m[13];
    const inFront = Math.max(depthHere, near);
    const u = cx + (fx * X) / inFront;
    const v = cy - (fy * Y) / inFront;
    if ((u < 0 && open[0]) || (v < 0 && open[1]) || (u >= width && open[2]) || (v >= height && open[3])) return true;
    const ui = Math.min(width - 1, Math.max(0, Math.floor(u)));
    const vi = Math.min(height - 1, Math.max(0, Math.floor(v)));
    const beyond = Math.hypot(u - Math.min(width, Math.max(0, u)), v - Math.min(height, Math.max(0, v)));
    // Cell centres are at most 0.71 from the point on either end.
    if (distance[vi * width + ui] + beyond > (radius * focal) / near + 1.42) return false;
    if (!depth || !free) return true;
    const du = Math.floor((depth.camera.cx + (depth.camera.fx * X) / inFront) * dx);
    const dv = Math.floor((depth.camera.cy - (depth.camera.fy * Y) / inFront) * dy);
    if (du < 0 || dv < 0 || du >= depth.width || dv >= depth.height) return true;
    const first = free[dv * depth.width + du];
    return !(first > 0 && depthHere + radius + depth.accuracy < first);
  };
}

/** Share of the view's mask cells that the hull covers when it is drawn into the view; 1 where mask is empty. */
export function hullCoverage(view: CarvingView, hull: Hull): number {
  const { width, height, fx, fy, cx, cy, distance } = view;
  const m = view.toCamera;
  const covered = new Uint8Array(width * height);
  for (let i = 0; i < hull.centres.length; i += 3) {
    const [x, y, z] = [hull.centres[i], hull.centres[i + 1], hull.centres[i + 2]];
    const depth = -(m[2] * x + m[6] * y + m[10] * z + m[14]);
    if (depth <= 0) continue;
    const u = cx + (fx * (m[0] * x + m[4] * y + m[8] * z + m[12])) / depth;
    const v = cy - (fy * (m[1] * x + m[5] * y + m[9] * z + m[13])) / depth;
    const r = Math.min(64, Math.ceil((hull.radius * Math.max(fx, fy)) / depth));
    const [left, right] = [Math.max(0, Math.floor(u - r)), Math.min(width - 1, Math.floor(u + r))];
    const bottom = Math.min(height - 1, Math.floor(v + r));
    for (let row = Math.max(0, Math.floor(v - r)); row <= bottom; row++)
      if (left <= right) covered.fill(1, row * width + left, row * width + right + 1);
  }
  let marked = 0;
  let both = 0;
  for (let i = 0; i < covered.length; i++) {
    if (distance[i] > 0) continue;
    marked++;
    both += covered[i];
  }
  return marked > 0 ? both / marked : 1;
}
