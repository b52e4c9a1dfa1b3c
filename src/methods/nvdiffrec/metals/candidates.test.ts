import { expect, test } from 'vitest';
import { Random } from '../../../core/random.js';
import { TEXEL_FLOATS } from '../start/spreadTexels.js';
import { metalCandidates } from './candidates.js';

const SIZE = 64;
const random = new Random(3);
/** Texels whose base colour is a function of the column. */
const texelsOf = (at: (x: number) => number[]) => {
  const texels = new Float32Array(SIZE * SIZE * TEXEL_FLOATS);
  for (let i = 0; i < SIZE * SIZE; i++) texels.set(at(i % SIZE), i * TEXEL_FLOATS);
  return texels;
};
const scaled = (color: number[], factor: number) => color.map((v) => v * factor);
const everywhere = new Uint8Array(SIZE * SIZE).fill(1);

test('a tint of very uneven brightness may be metal, even ones and pale ones are not looked at', () => {
  const gold = [1, 0.55, 0.18];
  const blue = [0.15, 0.35, 0.9];
  const texels = texelsOf((x) => {
    if (x < 10) return scaled(gold, Math.exp(-2.5 * random.float()));
    if (x < 40) return scaled(blue, 0.9 + 0.1 * random.float());
    return scaled([0.8, 0.78, 0.75], Math.exp(-3 * random.float()));
  });
  const found = metalCandidates(texels, everywhere);
  expect(found).toHaveLength(1);
  gold.forEach((v, c) => {
    expect(found[0].tint[c]).toBeCloseTo(v, 1);
    expect(found[0].mean[c] / found[0].mean[0]).toBeCloseTo(v, 2);
  });
  expect(found[0].spread).toBeCloseTo(2.5 / Math.sqrt(12), 1);
  expect(found[0].texels.length).toBe(10 * SIZE);
  expect([...found[0].texels].every((texel) => texel % SIZE < 10)).toBe(true);
});

test('gutters do not count, nor does a tint of a few texels', () => {
  const gold = [1, 0.55, 0.18];
  const texels = texelsOf((x) => (x < 10 ? scaled(gold, Math.exp(-2.5 * random.float())) : [0.5, 0.5, 0.5]));
  expect(metalCandidates(texels, everywhere)).toHaveLength(1);
  expect(
    metalCandidates(
      texels,
      everywhere.map((_, i) => (i % SIZE < 10 && i >= SIZE ? 0 : 1)),
    ),
  ).toHaveLength(0);
  expect(metalCandidates(new Float32Array(SIZE * TEXEL_FLOATS), new Uint8Array(SIZE).fill(1))).toEqual([]);
});
