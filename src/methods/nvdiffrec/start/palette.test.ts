import { expect, test } from 'vitest';
import { Random } from '../../../core/random.js';
import { findPalette, mergeColors, nearestColor } from './palette.js';

const COLORS = [
  [0.8, 0.8, 0.78],
  [0.05, 0.2, 0.6],
  [0.6, 0.4, 0.05],
];

test('the colours of a noisy surface are found with their shares, and specks are given up', () => {
  const random = new Random(3, 0);
  const samples = new Float32Array(3000 * 3);
  for (let i = 0; i < 3000; i++) {
    const color = COLORS[i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 2];
    for (let c = 0; c < 3; c++) samples[i * 3 + c] = color[c] * (0.95 + 0.1 * random.float());
  }
  samples.set([0, 1, 0], 300);
  const palette = findPalette(samples, 4);
  for (const [k, color] of COLORS.entries()) {
    const { index, distance } = nearestColor(palette, color);
    expect(distance).toBeLessThan(0.02);
    for (let c = 0; c < 3; c++) expect(palette.colors[index * 3 + c]).toBeCloseTo(color[c], 1);
    expect(palette.shares[index]).toBeCloseTo([0.6, 0.3, 0.1][k], 1);
  }
  expect(Math.min(...palette.shares)).toBeGreaterThan(0.02);
});

test('one colour gives a palette of one, and no samples one of none', () => {
  expect(
    findPalette(
      Float32Array.from({ length: 30 }, (_, i) => [0.2, 0.3, 0.4][i % 3]),
      6,
    ).shares,
  ).toEqual([1]);
  expect(findPalette(new Float32Array(0), 6).colors).toHaveLength(0);
});

test('colours that lie close together become one at their mean by shares, the nearest first', () => {
  // Cube roots 0.50, 0.56, 0.65 in one channel: the first two are 0.06 apart, their mean and the third more than 0.1.
  const cubes = [0.5, 0.56, 0.7].map((v) => v ** 3);
  const colors = Float64Array.from(cubes.flatMap((v) => [v, 0.125, 0.125]));
  const merged = mergeColors({ colors, shares: [0.3, 0.1, 0.6] }, 0.1);
  expect(merged.shares.map((v) => Number(v.toFixed(9)))).toEqual([0.4, 0.6]);
  expect(Math.cbrt(merged.colors[0])).toBeCloseTo(0.75 * 0.5 + 0.25 * 0.56, 9);
  expect(merged.colors[3]).toBeCloseTo(cubes[2], 9);
  expect(mergeColors({ colors, shares: [0.3, 0.1, 0.6] }, 0.01).shares).toHaveLength(3);
  expect(mergeColors({ colors: new Float64Array(0), shares: [] }, 0.1).shares).toEqual([]);
});
