import { expect, test } from 'vitest';
import { distancesToMesh } from '../../../../bench/scoring/distance.js';
import { useGpu } from '../../../../test/gpu.js';
import { sphere, torus as torusMesh } from '../../../../test/shapes.js';
import { sphere as ballSolid, cameraAt, directions, type Solid, torus, view } from '../../../../test/solids.js';
import type { Vec3 } from '../../../core/math.js';
import type { Mesh } from '../../../core/mesh.js';
import { meshHealth } from '../../../geometry/mesh/measure/health.js';
import { runInThread } from '../../../platform/runInThread.js';
import type { WindowSet } from '../step/windows.js';
import { findTopology } from './topology.js';

const gpu = useGpu();
const SIZE = 64;
const OPTIONS = { resolution: 24, iterations: 200, batch: 3, triangles: 3000, silhouette: 2 };

/** Pictures of a solid of one colour from all around. */
function picturesOf(solid: Solid, count = 14): WindowSet {
  const windows = directions(count).map((d, i) => {
    const camera = cameraAt(d.map((v) => v * 3.4) as Vec3, SIZE);
    const data = new Uint8ClampedArray(SIZE * SIZE * 4);
    view(solid, camera).mask.data.forEach((coverage, k) => {
      data.set([200, 120, 60, coverage * 255], k * 4);
    });
    return { name: String(i), camera, image: { width: SIZE, height: SIZE, data }, share: 1 };
  });
  return { width: SIZE, height: SIZE, windows };
}

async function chamfer(a: Mesh, b: Mesh): Promise<number> {
  const mean = async (from: Mesh, to: Mesh) => {
    const d = await distancesToMesh(from.positions, to);
    return d.reduce((sum, v) => sum + v, 0) / d.length;
  };
  return ((await mean(a, b)) + (await mean(b, a))) / 2;
}

const run = (start: Mesh, windows: WindowSet, options = OPTIONS, signal = new AbortController().signal) => {
  const losses: number[] = [];
  const report = (_: number, __: string, { loss }: Record<string, number>) => losses.push(loss);
  return findTopology(gpu(), start, windows, options, 1, { runInThread, signal, report }).then((r) => ({
    ...r,
    losses,
  }));
};

test('a ball becomes a torus where the pictures show one: its genus changes to 1', async () => {
  const start = sphere(4, 1);
  const truth = torusMesh(64, 32, 0.7, 0.25);
  const { mesh, facts, losses } = await run(start, picturesOf(torus(0.7, 0.25)));
  expect(await chamfer(start, truth)).toBeGreaterThan(0.2);
  // Three quarters of a voxel, which is 2/24.
  expect(await chamfer(mesh, truth)).toBeLessThan(0.06);
  expect(meshHealth(mesh)).toMatchObject({
    genus: 1,
    components: 1,
    watertight: true,
    inwardTriangles: 0,
    innerShells: 0,
  });
  expect(facts.before).toMatchObject({ genus: 0, components: 1 });
  expect(facts.after).toMatchObject({ genus: 1, components: 1, holes: 0, innerShells: 0, inwardTriangles: 0 });
  expect(facts.carvedShare).toBeGreaterThan(0.5);
  expect(losses.at(-1)).toBeLessThan(0.3 * losses[0]);
});

test('a start that the pictures agree with is kept to the byte', async () => {
  const start = sphere(4, 0.9);
  const { mesh, facts } = await run(start, picturesOf(ballSolid(0.9), 8), { ...OPTIONS, iterations: 50 });
  expect(mesh).toBe(start);
  expect(facts).toMatchObject({ carvedShare: 0, addedShare: 0, after: facts.before });
});

test('the same run gives the same bytes, and a cancelled one ends with CANCELLED', async () => {
  const windows = picturesOf(torus(0.7, 0.25), 6);
  const options = { ...OPTIONS, resolution: 16, iterations: 30 };
  const [a, b] = [await run(sphere(3, 1), windows, options), await run(sphere(3, 1), windows, options)];
  expect(Buffer.from(a.mesh.positions.buffer).equals(Buffer.from(b.mesh.positions.buffer))).toBe(true);
  expect(a.facts).toEqual(b.facts);
  const cancelled = new AbortController();
  cancelled.abort();
  await expect(run(sphere(3, 1), windows, options, cancelled.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
});
