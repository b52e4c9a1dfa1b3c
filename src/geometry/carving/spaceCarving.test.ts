import { expect, test } from 'vitest';
import { closedCup, cup, pictureOf } from '../../../test/pictures.js';
import { cameraAt, directions, type Solid, sphere } from '../../../test/solids.js';
import type { Vec3 } from '../../core/math.js';
import { isoLattice, latticeSize } from '../flexicubes/brickGrid.js';
import { positionOf } from './sightings.js';
import { carveConcavities } from './spaceCarving.js';

const lattice = isoLattice({ min: [-0.75, -0.75, -0.75], max: [0.75, 0.75, 0.75] }, 36);
const voxelsOf = (solid: Solid) => {
  const [nx, ny, nz] = latticeSize(lattice);
  return Uint8Array.from({ length: nx * ny * nz }, (_, i) => (solid(positionOf(i, lattice)) < 0 ? 1 : 0));
};
const viewsOf = (solid: Solid, count: number, highlight = 0) =>
  directions(count).map((d) => {
    const camera = cameraAt(d.map((v) => v * 3.2) as Vec3, 112);
    return { camera, image: pictureOf(solid, camera, highlight) };
  });

test('a cup that outlines show with a lid is opened, and its walls and floor stay', async () => {
  const solid = voxelsOf(closedCup);
  const truth = voxelsOf(cup);
  const facts = await carveConcavities(solid, lattice, viewsOf(cup, 48));
  const count = (is: (i: number) => boolean) => solid.reduce((n, _, i) => n + (is(i) ? 1 : 0), 0);
  const hollow = voxelsOf(closedCup);
  const empty = count((i) => hollow[i] === 1 && truth[i] === 0);
  const carved = count((i) => hollow[i] === 1 && truth[i] === 0 && solid[i] === 0);
  const wrong = count((i) => truth[i] === 1 && solid[i] === 0);
  expect(facts.opened).toBe(1);
  expect(carved / empty).toBeGreaterThan(0.9);
  expect(wrong / count((i) => truth[i] === 1)).toBeLessThan(0.08);
  expect(facts.carvedShare).toBeCloseTo((carved + wrong) / count((i) => hollow[i] === 1), 6);
});

test('a ball stays whole, though its highlight is elsewhere in every picture', async () => {
  const solid = voxelsOf(sphere(0.7));
  const before = solid.slice();
  const facts = await carveConcavities(solid, lattice, viewsOf(sphere(0.7), 40, 1));
  expect(facts).toEqual({ opened: 0, carvedShare: 0 });
  expect(Buffer.from(solid).equals(Buffer.from(before))).toBe(true);
});

test('few pictures carve nothing, and a cancelled run ends with CANCELLED', async () => {
  const solid = voxelsOf(closedCup);
  expect(await carveConcavities(solid, lattice, viewsOf(cup, 4))).toEqual({ opened: 0, carvedShare: 0 });
  const cancelled = new AbortController();
  cancelled.abort();
  await expect(carveConcavities(solid, lattice, viewsOf(cup, 24), { signal: cancelled.signal })).rejects.toMatchObject({
    code: 'CANCELLED',
  });
});
