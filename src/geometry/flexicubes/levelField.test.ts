import { describe, expect, test } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { join, sphere, torus } from '../../../test/shapes.js';
import { sphere as ballSolid, type Solid, torus as torusSolid } from '../../../test/solids.js';
import type { Vec3 } from '../../core/math.js';
import { meshHealth } from '../mesh/measure/health.js';
import { type IsoLattice, isoLattice, latticeSize } from './brickGrid.js';
import { type LevelField, resampleField, surfaceBricks, tidyField } from './levelField.js';
import { levelMesh } from './levelMesh.js';
import { meshField } from './meshField.js';
import { MAXIMUM_FIELD } from './stepGrid.js';

const gpu = useGpu();
const BOUNDS = { min: [-1.3, -1.3, -1.3] as Vec3, max: [1.3, 1.3, 1.3] as Vec3 };

function fieldOf(solid: Solid, lattice: IsoLattice, limit = MAXIMUM_FIELD): LevelField {
  const [nx, ny, nz] = latticeSize(lattice);
  const values = new Float32Array(nx * ny * nz);
  values.forEach((_, i) => {
    const p = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))];
    const d = solid(p.map((v, k) => lattice.origin[k] + v * lattice.voxel) as Vec3) / lattice.voxel;
    values[i] = Math.min(limit, Math.max(-limit, d));
  });
  return { values, deformations: new Float32Array(values.length * 3), colors: new Float32Array(values.length * 3) };
}

describe('meshField', () => {
  test.each([
    ['a ball', sphere(5, 1), ballSolid(1)],
    ['a torus', torus(160, 80, 0.9, 0.35), torusSolid(0.9, 0.35)],
    ['two balls apart', join(sphere(5, 0.4, [-0.7, 0, 0]), sphere(5, 0.5, [0.6, 0.1, 0])), twoBalls],
  ] as const)('gives the distance to %s with its sign', async (_, mesh, solid) => {
    const lattice = isoLattice(BOUNDS, 30);
    const found = await meshField(mesh, lattice, 3);
    const exact = fieldOf(solid, lattice, 3).values;
    let worst = 0;
    found.forEach((v, i) => {
      worst = Math.max(worst, Math.abs(v - exact[i]));
    });
    expect(worst).toBeLessThan(0.05);
  });

  test('rows that meet edges and corners exactly count once', async () => {
    // The octahedron's corners and edges lie in the planes of the samples.
    const lattice: IsoLattice = { origin: [-1.5, -1.5, -1.5], voxel: 0.25, bricks: [4, 4, 4] };
    const found = await meshField(sphere(0, 1), lattice, 2);
    const [nx, ny] = latticeSize(lattice);
    found.forEach((v, i) => {
      const p = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))].map((c) => c * 0.25 - 1.5);
      const d = Math.abs(p[0]) + Math.abs(p[1]) + Math.abs(p[2]) - 1;
      if (Math.abs(d) > 1e-6) expect(v < 0).toBe(d < 0);
    });
  });
});

function twoBalls(p: Vec3): number {
  return Math.min(ballSolid(0.4, [-0.7, 0, 0])(p), ballSolid(0.5, [0.6, 0.1, 0])(p));
}

describe('surfaceBricks', () => {
  test('hold the surface and what is two samples around it, and no more than a shell', async () => {
    const lattice = isoLattice(BOUNDS, 60);
    const { values } = fieldOf(ballSolid(1), lattice);
    const bricks = surfaceBricks(values, lattice);
    const all = lattice.bricks[0] * lattice.bricks[1] * lattice.bricks[2];
    expect(bricks.length).toBeLessThan(0.4 * all);
    const health = meshHealth(await levelMesh(gpu(), values, lattice));
    expect(health).toMatchObject({ watertight: true, genus: 0, components: 1, nonManifoldVertices: 0 });
    expect(health.volume).toBeGreaterThan(0.99 * (4 / 3) * Math.PI);
  });
});

describe('tidyField', () => {
  test('fills hollows without an opening and removes small loose parts, and counts them', async () => {
    const lattice = isoLattice(BOUNDS, 40);
    const cheese: Solid = (p) =>
      Math.min(
        Math.max(ballSolid(0.9)(p), -ballSolid(0.3, [0.2, 0, 0])(p), -ballSolid(0.2, [-0.5, 0.1, 0])(p)),
        ballSolid(0.09, [1.15, 0, 0])(p),
      );
    const field = fieldOf(cheese, lattice);
    expect(meshHealth(await levelMesh(gpu(), field.values, lattice)).components).toBe(4);
    expect(tidyField(field, lattice)).toEqual({ cavities: 2, floaters: 1 });
    const health = meshHealth(await levelMesh(gpu(), field.values, lattice));
    expect(health).toMatchObject({ components: 1, innerShells: 0, genus: 0, inwardTriangles: 0 });
  });

  test('keeps a hole that light passes through, and a part that is not small', async () => {
    const lattice = isoLattice(BOUNDS, 40);
    const ring = fieldOf(torusSolid(0.8, 0.3), lattice);
    expect(tidyField(ring, lattice)).toEqual({ cavities: 0, floaters: 0 });
    expect(meshHealth(await levelMesh(gpu(), ring.values, lattice)).genus).toBe(1);
    expect(tidyField(fieldOf(twoBalls, lattice), lattice).floaters).toBe(0);
  });

  test(
    'makes distances of what is away from the surface, carries colours there and leaves the surface in ' + 'place',
    () => {
      const lattice = isoLattice(BOUNDS, 24);
      const field = fieldOf(ballSolid(1), lattice);
      const exact = field.values.slice();
      field.values = field.values.map((v) => (Math.abs(v) > 1.2 ? Math.sign(v) * 0.01 : v));
      field.values.forEach((v, i) => {
        if (Math.abs(v) <= 1.2) field.colors.set([0.2, 0.4, 0.6], i * 3);
      });
      tidyField(field, lattice);
      let worst = 0;
      let colored = 0;
      field.values.forEach((v, i) => {
        expect(v < 0).toBe(exact[i] < 0);
        if (Math.abs(exact[i]) < 0.6) worst = Math.max(worst, Math.abs(v - exact[i]));
        if (field.colors[i * 3] > 0) colored++;
        if (Math.abs(exact[i]) < MAXIMUM_FIELD) expect(field.colors[i * 3 + 2]).toBeCloseTo(0.6, 3);
      });
      expect(worst).toBe(0);
      expect(colored).toBeGreaterThan(1000);
    },
  );
});

test('a field on a finer lattice is the same surface', async () => {
  const coarse = isoLattice(BOUNDS, 24);
  const fine = isoLattice(BOUNDS, 40);
  const ratio = coarse.voxel / fine.voxel;
  const values = resampleField(fieldOf(ballSolid(1), coarse).values, 1, coarse, fine, ratio);
  const volume = meshHealth(await levelMesh(gpu(), values, fine)).volume;
  expect(Math.abs(volume / ((4 / 3) * Math.PI) - 1)).toBeLessThan(0.02);
});

test.each([0, 1, 2, 3])('a flat face along the lattice, %i samples into a brick, is closed', async (shift) => {
  const lattice = isoLattice({ min: [0, 0, 0], max: [24, 24, 24] }, 24);
  const [nx, ny, nz] = latticeSize(lattice);
  const [low, high] = [8, 20 + shift];
  const isInside = (v: number) => v >= low && v <= high;
  const values = Float32Array.from({ length: nx * ny * nz }, (_, i) =>
    [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))].every(isInside) ? -0.5 : 0.5,
  );
  expect(meshHealth(await levelMesh(gpu(), values, lattice))).toMatchObject({ watertight: true, components: 1 });
});
