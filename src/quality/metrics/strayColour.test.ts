import { expect, test } from 'vitest';
import type { ImagePlanes } from './planes.js';
import { strayColour } from './strayColour.js';

const SIZE = 500;
const RED = [0.7, 0.15, 0.15];
const WHITE = [0.95, 0.95, 0.93];

/** Red above a row, white below, and between them so many rows of pink. */
function sole(row: number, smear = 0): ImagePlanes {
  const at = (y: number, c: number): number =>
    y < row ? RED[c] : y < row + smear ? (RED[c] + WHITE[c]) / 2 : WHITE[c];
  const planes = [0, 1, 2].map((c) => Float32Array.from({ length: SIZE * 40 }, (_, i) => at(Math.floor(i / SIZE), c)));
  return { width: SIZE, height: 40, planes };
}

const ALL = new Uint8Array(SIZE * 40).fill(1);

test('a border that is a little off its place is no stray colour, and beyond that only what is too far', () => {
  expect(strayColour(sole(20), sole(20), ALL)).toBe(0);
  expect(strayColour(sole(20), sole(23), ALL)).toBe(0);
  // Two rows of white are red, five rows away from the picture's red: more than the three within reach.
  expect(strayColour(sole(20), sole(25), ALL)).toBeCloseTo(2 / 40, 6);
});

test('a mixture of two materials that the picture does not show is stray, within the object only', () => {
  expect(strayColour(sole(20), sole(20, 10), ALL)).toBeCloseTo(10 / 40, 6);
  const lower = Uint8Array.from(ALL, (_, i) => (i < SIZE * 25 ? 0 : 1));
  expect(strayColour(sole(20), sole(20, 10), lower)).toBeCloseTo(5 / 15, 6);
  expect(strayColour(sole(20), sole(20, 10), new Uint8Array(ALL.length))).toBe(0);
});
