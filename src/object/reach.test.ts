import { expect, it } from 'vitest';
import { identity, type Vec3 } from '../core/math.js';
import { convexHull, fillConvex, projectedCorners, type WorkPhoto } from './photo.js';
import type { ObjectPlace } from './place.js';
import { reachedSides } from './reach.js';
import type { Votes } from './vote.js';

const SIZE = 100;
const box = { min: [-1, 0, -1] as Vec3, max: [1, 2, 1] as Vec3 };
const place = { frame: identity(), box, stands: true } as ObjectPlace;
/** No cell is seen as object by all: as of parts that are thinner than a cell. */
const votes: Votes = {
  box,
  size: [8, 8, 8],
  side: 0.25,
  object: new Uint16Array(512),
  seen: new Uint16Array(512).fill(4),
};

/** Photos from the side without perspective: 40 pixels a unit, the ground at row 90. */
const photos = Array.from({ length: 4 }, (): WorkPhoto => {
  const projection = Float64Array.of(40, 0, 0, 50, 0, -40, 0, 90, 0, 0, 0, 1);
  const part = { left: 0, top: 0, partWidth: SIZE, partHeight: SIZE };
  const inBox = fillConvex(convexHull(projectedCorners(projection, box) ?? []), part);
  const colors = new Uint8Array(SIZE * SIZE * 3);
  const small = { width: 0, height: 0, colors: new Uint8Array(0) };
  const whole = { name: '', small, width: SIZE, height: SIZE, colors, smooth: colors, votes: true };
  return { ...whole, ...part, projection, inBox, seeds: new Uint8Array(SIZE * SIZE) };
});

/** A seat with rods, which are some pixels wide, that go up to a row. */
const chair = (row: number): Uint8Array =>
  Uint8Array.from({ length: SIZE * SIZE }, (_, i) => {
    const [x, y] = [i % SIZE, Math.floor(i / SIZE)];
    const seat = x > 30 && x < 70 && y > 60 && y < 90;
    return Number(seat || (x > 30 && x < 70 && x % 10 < 4 && y >= row && y < 90));
  });

it('tells that thin parts end where the box ends, in half of the photos or more', () => {
  const sidesOf = (...rows: number[]) => reachedSides(photos, rows.map(chair), votes, place);
  expect(sidesOf(10, 10, 10, 10)).toEqual([{ axis: 1, upper: true }]);
  expect(sidesOf(10, 10, 10, 30)).toEqual([{ axis: 1, upper: true }]);
  expect(sidesOf(10, 10, 30, 30)).toEqual([]);
  expect(sidesOf(20, 20, 20, 20)).toEqual([]);
});
