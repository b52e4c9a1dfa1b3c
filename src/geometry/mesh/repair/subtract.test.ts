import { expect, test } from 'vitest';
import { sphere } from '../../../../test/shapes.js';
import type { Mesh } from '../../../core/mesh.js';
import { meshHealth } from '../measure/health.js';
import { subtractMesh } from './subtract.js';

const moved = (mesh: Mesh, by: number): Mesh => ({
  ...mesh,
  positions: mesh.positions.map((v, i) => (i % 3 === 1 ? v + by : v)),
});

test('a ball less another is a closed bowl of the volume that is left', async () => {
  const ball = sphere(4, 1);
  const bowl = await subtractMesh(ball, moved(sphere(4, 0.8), 1));
  const health = meshHealth(bowl!);
  expect(health).toMatchObject({ watertight: true, components: 1, genus: 0, inwardTriangles: 0 });
  // The lens that two balls of radii R and r at a distance d share.
  const [R, r, d] = [1, 0.8, 1];
  const lens = (Math.PI * (R + r - d) ** 2 * (d * d + 2 * d * (R + r) - 3 * (R - r) ** 2)) / (12 * d);
  expect(health.volume).toBeCloseTo(meshHealth(ball).volume - lens, 1);
});

test('what is not reached stays, and what is not closed is not cut', async () => {
  const ball = sphere(3, 1);
  const same = await subtractMesh(ball, moved(sphere(3, 0.5), 3));
  expect(same!.indices.length).toBe(ball.indices.length);
  expect(meshHealth(same!).volume).toBeCloseTo(meshHealth(ball).volume, 5);
  const open = { ...ball, indices: ball.indices.slice(3) };
  expect(await subtractMesh(open, sphere(2, 0.5))).toBeUndefined();
  expect(await subtractMesh(sphere(2, 0.5), ball)).toBeUndefined();
});
