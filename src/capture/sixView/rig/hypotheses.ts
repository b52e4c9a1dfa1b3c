import { throwIfCancelled } from '../../../core/errors.js';
import { pause } from '../../../core/pause.js';
import { fitEnvelope } from './envelope.js';
import { type Arrangement, type Axes, viewAxes } from './rig.js';
import type { DepthModel } from './rigParameters.js';
import type { ViewGrid } from './viewGrid.js';

export interface Hypothesis {
  arrangement: Arrangement;
  focal: number;
  model: DepthModel;
  /** Sign of the coefficients a. */
  sign: 1 | -1;
  /** First depth coefficients per grid; 0 where a view has no depth map. */
  a: Float64Array;
  b: Float64Array;
  /** Depth of the hull's nearest and farthest point per grid, at this focal length. */
  near: Float64Array;
  far: Float64Array;
  /**
   * Share of the silhouettes that the visual hull leaves empty plus the misfit of the depth maps; smaller is better.
   */
  score: number;
  /** The silhouettes' part of it. */
  uncovered: number;
}

export interface HypothesisSettings {
  arrangements: readonly Arrangement[];
  focals: readonly number[];
  models: readonly { model: DepthModel; sign: 1 | -1 }[];
  /** Voxels along the longest side of the carved box. Default: 44. */
  voxels?: number;
  signal?: AbortSignal;
}

const VOXELS = 44;
/** Cells along the longer side of the pictures that the hull is drawn into, per voxel along the box. */
const RASTER = 64 / 44;
/** Depth misfit, in units of the object's size, that counts as entirely wrong. */
const MISFIT_LIMIT = 0.1;

interface Voxels {
  x: Float32Array;
  y: Float32Array;
  z: Float32Array;
  /** Bits 0–1: in the side views by convention; 2–5 and 6–9: in `top` and `bottom` by turn. */
  bits: Uint16Array;
  count: number;
  size: number;
  extent: number;
}

/**
 * Carves a coarse visual hull for every meaning of the names and every focal length, and rates it by the parts of the
 * silhouettes that it leaves empty and by how well each depth map fits onto it. The best of each arrangement come
 * first.
 */
export async function rateHypotheses(grids: readonly ViewGrid[], settings: HypothesisSettings): Promise<Hypothesis[]> {
  const out: Hypothesis[] = [];
  for (const focal of settings.focals) {
    const voxels = carve(grids, focal, settings.voxels ?? VOXELS);
    for (const arrangement of settings.arrangements) {
      throwIfCancelled(settings.signal);
      out.push(...rate(grids, voxels, arrangement, focal, settings));
    }
    await pause();
  }
  return out.sort((p, q) => p.score - q.score);
}

function carve(grids: readonly ViewGrid[], focal: number, resolution: number): Voxels {
  const half = boxOf(grids, focal);
  const size = (2 * Math.max(...half)) / resolution;
  const counts = half.map((h) => Math.max(1, Math.ceil((2 * h) / size)));
  const capacity = counts[0] * counts[1] * counts[2];
  const voxels: Voxels = {
    x: new Float32Array(capacity),
    y: new Float32Array(capacity),
    z: new Float32Array(capacity),
    bits: new Uint16Array(capacity),
    count: 0,
    size,
    extent: Math.max(...half),
  };
  const tests = bitTests(grids);
  const all = 0b1111111111;
  for (let k = 0; k < counts[2]; k++)
    for (let j = 0; j < counts[1]; j++)
      for (let i = 0; i < counts[0]; i++) {
        const x = (i + 0.5 - counts[0] / 2) * size;
        const y = (j + 0.5 - counts[1] / 2) * size;
        const z = (k + 0.5 - counts[2] / 2) * size;
        let bits = all;
        for (const { grid, axes, clear } of tests) {
          if (seen(grid, axes, focal, x, y, z, size)) continue;
          bits &= clear;
          if (bits === 0) break;
        }
        if ((bits & 3) === 0 || (bits & 0x3c) === 0 || (bits & 0x3c0) === 0) continue;
        const n = voxels.count++;
        voxels.x[n] = x;
        voxels.y[n] = y;
        voxels.z[n] = z;
        voxels.bits[n] = bits;
      }
  return voxels;
}

/** Half the sides of the box around the origin that no silhouette leaves, at unit camera distance. */
function boxOf(grids: readonly ViewGrid[], focal: number): [number, number, number] {
  const half: [number, number, number] = [0, 0, 0];
  const at = (names: readonly string[], extent: 'extentX' | 'extentY'): number[] =>
    grids.filter((g) => names.includes(g.name)).map((g) => g[extent] / focal);
  // Two opposite cameras that see a point within the tangent t hold it within t of the axis; one alone, within t / (1 −
  // t).
  const bound = (...pairs: number[][]): number => {
    let most = 0;
    for (const pair of pairs) {
      if (pair.length === 2) most = Math.max(most, ...pair);
      else if (pair.length === 1) most = Math.max(most, pair[0] / Math.max(0.2, 1 - pair[0]));
    }
    return most;
  };
  half[0] = bound(at(['front', 'back'], 'extentX'));
  half[1] = bound(at(['front', 'back'], 'extentY'), at(['left', 'right'], 'extentY'));
  half[2] = bound(at(['left', 'right'], 'extentX'));
  const most = Math.max(...half, 1e-3);
  for (let k = 0; k < 3; k++) if (half[k] === 0) half[k] = most;
  return half;
}

/** Every camera that some arrangement may give to a view, with the bits that a voxel loses when it is not seen. */
function bitTests(grids: readonly ViewGrid[]): { grid: ViewGrid; axes: Axes; clear: number }[] {
  const tests: { grid: ViewGrid; axes: Axes; clear: number }[] = [];
  for (const grid of grids) {
    if (grid.name === 'front' || grid.name === 'back') {
      tests.push({ grid, axes: viewAxes(grid.name, { left: 'viewer', topTurn: 0, bottomTurn: 0 }), clear: 0 });
    } else if (grid.name === 'left' || grid.name === 'right') {
      tests.push({ grid, axes: viewAxes(grid.name, { left: 'viewer', topTurn: 0, bottomTurn: 0 }), clear: ~1 });
      tests.push({ grid, axes: viewAxes(grid.name, { left: 'object', topTurn: 0, bottomTurn: 0 }), clear: ~2 });
    } else {
      for (let turn = 0; turn < 4; turn++) {
        const axes = viewAxes(grid.name, { left: 'viewer', topTurn: turn, bottomTurn: turn });
        tests.push({ grid, axes, clear: ~(1 << ((grid.name === 'top' ? 2 : 6) + turn)) });
      }
    }
  }
  return tests;
}

function seen(grid: ViewGrid, axes: Axes, focal: number, x: number, y: number, z: number, size: number): boolean {
  const depth = 1 - (x * axes.z[0] + y * axes.z[1] + z * axes.z[2]);
  if (depth <= 0.02) return false;
  const s = (focal * grid.width) / depth;
  const u = Math.floor((x * axes.x[0] + y * axes.x[1] + z * axes.x[2]) * s + grid.width / 2);
  const v = Math.floor(grid.height / 2 - (x * axes.y[0] + y * axes.y[1] + z * axes.y[2]) * s);
  if (u < 0 || v < 0 || u >= grid.width || v >= grid.height) return false;
  // Half a voxel of tolerance keeps parts that are thinner than a voxel.
  return grid.distance[v * grid.width + u] > -0.5 * size * s;
}

function rate(
  grids: readonly ViewGrid[],
  voxels: Voxels,
  arrangement: Arrangement,
  focal: number,
  settings: HypothesisSettings,
): Hypothesis[] {
  const need =
    (arrangement.left === 'viewer' ? 1 : 2) | (1 << (2 + arrangement.topTurn)) | (1 << (6 + arrangement.bottomTurn));
  const chosen: number[] = [];
  for (let n = 0; n < voxels.count; n++) if ((voxels.bits[n] & need) === need) chosen.push(n);
  let uncovered = 0;
  const variants = settings.models.map((m) => ({
    ...m,
    a: new Float64Array(grids.length),
    b: new Float64Array(grids.length),
    misfit: 0,
  }));
  const size = 2 * voxels.extent;
  const near = new Float64Array(grids.length);
  const far = new Float64Array(grids.length);
  const values: number[] = [];
  const depths: number[] = [];
  for (let i = 0; i < grids.length; i++) {
    const grid = grids[i];
    const axes = viewAxes(grid.name, arrangement);
    const { depth, width, height } = drawVoxels(grid, axes, focal, voxels, chosen);
    [near[i], far[i]] = depthRange(axes, voxels, chosen);
    values.length = 0;
    depths.length = 0;
    let empty = 0;
    let area = 0;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const c =
          Math.floor(((y + 0.5) * grid.height) / height) * grid.width + Math.floor(((x + 0.5) * grid.width) / width);
        if (!grid.inside[c]) continue;
        area++;
        const z = depth[y * width + x];
        if (z === 0) {
          // A cell deep inside the silhouette weighs more than one at its outline, where sampling decides.
          const inward = (grid.distance[c] * width) / grid.width;
          empty += Math.min(1, inward / 3);
        } else if (!Number.isNaN(grid.value[c])) {
          values.push(grid.value[c]);
          depths.push(z);
        }
      }
    uncovered += empty / Math.max(1, area);
    if (!grid.hasDepth) continue;
    for (const v of variants) {
      const fit = fitEnvelope(values, depths, v.model, v.sign, MISFIT_LIMIT * size);
      v.a[i] = fit.a;
      v.b[i] = fit.b;
      v.misfit += fit.misfit;
    }
  }
  const maps = Math.max(1, grids.filter((grid) => grid.hasDepth).length);
  return variants.map(({ a, b, model, sign, misfit }) => ({
    arrangement,
    focal,
    model,
    sign,
    a,
    b,
    near,
    far,
    uncovered: uncovered / grids.length,
    score: (3 * uncovered) / grids.length + misfit / maps,
  }));
}

function depthRange(axes: Axes, voxels: Voxels, chosen: readonly number[]): [number, number] {
  let least = 1 + voxels.extent;
  let most = 1 - voxels.extent;
  for (const n of chosen) {
    const d = 1 - (voxels.x[n] * axes.z[0] + voxels.y[n] * axes.z[1] + voxels.z[n] * axes.z[2]);
    if (d < least) least = d;
    if (d > most) most = d;
  }
  return least < most ? [least - voxels.size / 2, most + voxels.size / 2] : [1 - voxels.extent, 1 + voxels.extent];
}

/** Depth of the nearest voxel per cell; 0 where there is none. */
function drawVoxels(
  grid: ViewGrid,
  axes: Axes,
  focal: number,
  voxels: Voxels,
  chosen: readonly number[],
): { depth: Float32Array; width: number; height: number } {
  const longer = Math.max(grid.width, grid.height);
  const raster = (RASTER * 2 * voxels.extent) / voxels.size;
  const width = Math.round((raster * grid.width) / longer);
  const height = Math.round((raster * grid.height) / longer);
  const depth = new Float32Array(width * height);
  for (const n of chosen) {
    const x = voxels.x[n];
    const y = voxels.y[n];
    const z = voxels.z[n];
    const d = 1 - (x * axes.z[0] + y * axes.z[1] + z * axes.z[2]);
    const s = (focal * width) / d;
    const u = (x * axes.x[0] + y * axes.x[1] + z * axes.x[2]) * s + width / 2;
    const v = height / 2 - (x * axes.y[0] + y * axes.y[1] + z * axes.y[2]) * s;
    const r = voxels.size * s * 0.5;
    const x1 = Math.min(width - 1, Math.floor(u + r));
    const y1 = Math.min(height - 1, Math.floor(v + r));
    const near = d - voxels.size / 2;
    for (let py = Math.max(0, Math.floor(v - r)); py <= y1; py++)
      for (let px = Math.max(0, Math.floor(u - r)); px <= x1; px++) {
        const c = py * width + px;
        if (depth[c] === 0 || near < depth[c]) depth[c] = near;
      }
  }
  return { depth, width, height };
}
