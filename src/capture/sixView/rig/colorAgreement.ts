import type { Vec3 } from '../../../core/math.js';
import { relativePoses } from './relativePoses.js';
import type { Arrangement } from './rig.js';
import type { RigParameters } from './rigParameters.js';
import { sampleCells } from './samplePoint.js';
import type { ViewGrid } from './viewGrid.js';

/** Cosine from which a surface is seen well enough for its colour to count. */
const FACING = 0.3;
/** Distance between surfaces, as a share of the object's size, up to which they are the same. */
const SAME = 0.03;
/** Views of generative tools differ in tone by up to about this much, which says nothing about the arrangement. */
const TONE = 0.04;
/** Comparisons below which colours decide nothing. */
const FEWEST = 60;

/**
 * Mean difference in colour (0…1, in encoded values) between points that two views both see, beyond what two views
 * differ in tone. Tells apart arrangements
 * that the shape alone cannot, as on bottles and boxes with a print. Undefined where too few points are seen by two
 * views.
 */
export function colorDifference(
  grids: readonly ViewGrid[],
  arrangement: Arrangement,
  p: RigParameters,
): number | undefined {
  const poses = relativePoses(grids, arrangement);
  const size = (2 * Math.max(...grids.map((g) => Math.max(g.extentX, g.extentY)))) / p.focal;
  const distanceOf = (i: number, value: number): number => {
    const linear = p.a[i] * value + p.b[i];
    return p.model === 'linear' ? linear : 1 / linear;
  };
  const differences = Array.from({ length: grids.length ** 2 }, (): number[][] => [[], [], []]);
  grids.forEach((gi, i) => {
    if (!gi.color) return;
    for (const c of sampleCells(gi, 2500)) {
      const U = (gi.positionX[c] - p.shiftX[i]) / p.focal;
      const V = (gi.positionY[c] - p.shiftY[i]) / p.focal;
      const z = distanceOf(i, gi.value[c]);
      if (Number.isNaN(gi.slopeX[c]) || !(z > 0) || cosineOf(gi, p, i, c, z, U, V) < FACING) continue;
      const normal = normalOf(gi, p, i, c, z, U, V);
      grids.forEach((gj, j) => {
        if (j === i || !gj.color) return;
        const found = differences[i * grids.length + j];
        const { m, t } = poses[i][j];
        const depth = z * (m[6] * U + m[7] * V + m[8]) + t[2];
        const x = (z * (m[0] * U + m[1] * V + m[2]) + t[0]) / depth;
        const y = (z * (m[3] * U + m[4] * V + m[5]) + t[1]) / depth;
        const cx = Math.floor((p.focal * x + p.shiftX[j]) * gj.width + gj.width / 2);
        const cy = Math.floor((p.focal * y + p.shiftY[j]) * gj.width + gj.height / 2);
        // The two sides of a thin wall are near each other, and have colours of their own.
        if (facing(normal, m, x, y) < FACING) return;
        if (!(depth > 0) || cx < 0 || cy < 0 || cx >= gj.width || cy >= gj.height) return;
        const k = cy * gj.width + cx;
        if (gj.distance[k] < 2 || Number.isNaN(gj.slopeX[k])) return;
        const zj = distanceOf(j, gj.value[k]);
        const cosine = cosineOf(gj, p, j, k, zj, x, y);
        if (cosine < FACING || Math.abs(zj - depth) * cosine > SAME * size) return;
        for (let q = 0; q < 3; q++) found[q].push(gi.color![c * 3 + q] - gj.color[k * 3 + q]);
      });
    }
  });
  let sum = 0;
  let count = 0;
  for (let q = 0; q < 3; q++) {
    const pairs = differences.map((channels) => channels[q]);
    const tones = tonesOf(pairs, grids.length);
    pairs.forEach((pair, at) => {
      const apart = tones[Math.floor(at / grids.length)] - tones[at % grids.length];
      for (const d of pair) sum += Math.abs(d - apart);
      count += pair.length;
    });
  }
  return count >= 3 * FEWEST ? sum / count : undefined;
}

/** By how much each view is brighter than the others, from the differences of all pairs, as far as that is likely. */
function tonesOf(pairs: readonly number[][], views: number): Float64Array {
  const sums = pairs.map((pair) => pair.reduce((total, d) => total + d, 0));
  const tones = new Float64Array(views);
  for (let round = 0; round < 8; round++) {
    for (let i = 0; i < views; i++) {
      let total = 0;
      let count = 0;
      for (let j = 0; j < views; j++) {
        const [there, back] = [i * views + j, j * views + i];
        total += sums[there] - sums[back] + (pairs[there].length + pairs[back].length) * tones[j];
        count += pairs[there].length + pairs[back].length;
      }
      if (count > 0) tones[i] = Math.max(-TONE, Math.min(TONE, total / count));
    }
  }
  return tones;
}

/** Normal of a cell's surface, towards its camera. */
function normalOf(g: ViewGrid, p: RigParameters, i: number, c: number, z: number, x: number, y: number): Vec3 {
  const slope = p.model === 'linear' ? p.a[i] : -z * z * p.a[i];
  const zu = slope * g.slopeX[c] * p.focal;
  const zv = slope * g.slopeY[c] * p.focal;
  const l = Math.hypot(zu, zv, x * zu + y * zv + z);
  return [zu / l, zv / l, -(x * zu + y * zv + z) / l];
}

/** Cosine between a cell's surface normal and the viewing axis, in units that suit distances along the axis. */
function cosineOf(g: ViewGrid, p: RigParameters, i: number, c: number, z: number, x: number, y: number): number {
  const slope = p.model === 'linear' ? p.a[i] : -z * z * p.a[i];
  const zu = slope * g.slopeX[c] * p.focal;
  const zv = slope * g.slopeY[c] * p.focal;
  return z / Math.hypot(zu, zv, x * zu + y * zv + z);
}

/** Cosine of the angle under which a camera, to which the rotation leads, sees a surface in the direction x, y. */
function facing([nx, ny, nz]: Vec3, m: Float64Array, x: number, y: number): number {
  const along = (row: number): number => m[row] * nx + m[row + 1] * ny + m[row + 2] * nz;
  return -(x * along(0) + y * along(3) + along(6)) / Math.hypot(x, y, 1);
}
