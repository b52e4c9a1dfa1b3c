import { describe, expect, test } from 'vitest';
import { type Solid, sphere } from '../../../test/solids.js';
import type { Vec3 } from '../../core/math.js';
import { Random } from '../../core/random.js';
import { type IsoLattice, isoLattice, latticeSize } from './brickGrid.js';
import { JOIN_LIMIT, joinFields } from './joinFields.js';
import { MAXIMUM_FIELD } from './stepGrid.js';

const LATTICE = isoLattice({ min: [-1, -1, -1], max: [1, 1, 1] }, 40);

function fieldOf(solid: Solid, lattice: IsoLattice, limit: number): Float32Array {
  const [nx, ny, nz] = latticeSize(lattice);
  return Float32Array.from({ length: nx * ny * nz }, (_, i) => {
    const p = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))];
    const d = solid(p.map((v, k) => lattice.origin[k] + v * lattice.voxel) as Vec3) / lattice.voxel;
    return Math.min(limit, Math.max(-limit, d));
  });
}

/** Worst and mean distance between zero crossings along x, in voxels. */
function offset(a: Float32Array, b: Float32Array): { worst: number; mean: number } {
  let [worst, sum, count] = [0, 0, 0];
  for (let i = 0; i + 1 < a.length; i++) {
    if (a[i] < 0 === a[i + 1] < 0) continue;
    const t = a[i] / (a[i] - a[i + 1]);
    const there = Math.abs(b[i] * (1 - t) + b[i + 1] * t);
    worst = Math.max(worst, there);
    sum += there;
    count++;
  }
  return { worst, mean: sum / count };
}

describe('joinFields', () => {
  const ball = fieldOf(sphere(0.9), LATTICE, JOIN_LIMIT);
  const noisy = (field: Float32Array) => {
    const random = new Random(2);
    return field.map((v) => Math.min(MAXIMUM_FIELD, Math.max(-MAXIMUM_FIELD, v + 0.3 * random.normal())));
  };

  test('keeps the fine field where the coarse one is only noisy', () => {
    const { worst, mean } = offset(ball, joinFields(ball, noisy(ball), LATTICE, 1));
    expect(mean).toBeLessThan(1e-3);
    expect(worst).toBeLessThan(0.2);
  });

  test('takes over a displacement of a voxel, smoother than it came', () => {
    const smaller = fieldOf(sphere(0.9 - 1.2 * LATTICE.voxel), LATTICE, 9);
    const joined = joinFields(ball, noisy(smaller), LATTICE, 1);
    expect(offset(smaller, noisy(smaller)).mean).toBeGreaterThan(0.15);
    expect(offset(smaller, joined).mean).toBeLessThan(0.1);
  });

  test('takes the coarse field where the fine one is far away: a hole stays a hole', () => {
    const pierced: Solid = (p) => Math.max(sphere(0.9)(p), 0.3 - Math.hypot(p[0], p[2]));
    const joined = joinFields(ball, fieldOf(pierced, LATTICE, MAXIMUM_FIELD), LATTICE, 1);
    const expected = fieldOf(pierced, LATTICE, 9);
    // Smoothing rounds the rims off by two voxels.
    let wrong = 0;
    joined.forEach((v, i) => {
      if (v < 0 !== expected[i] < 0 && Math.abs(expected[i]) > 2.5) wrong++;
    });
    expect(wrong).toBe(0);
  });
});
