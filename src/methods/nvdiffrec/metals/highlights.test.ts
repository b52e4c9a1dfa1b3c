import { expect, test } from 'vitest';
import { removeHighlights } from './highlights.js';

const palette = [0.1, 0.2, 0.6, 0.8, 0.8, 0.75];

test('grey on top of a colour goes, down to the colour', () => {
  const texels = Float32Array.of(0.1, 0.2, 0.6, 0.35, 0.45, 0.85, 0.8, 0.8, 0.75);
  expect(removeHighlights(texels, palette)).toBeCloseTo(1 / 3, 6);
  [0.1, 0.2, 0.6, 0.1, 0.2, 0.6, 0.8, 0.8, 0.75].forEach((v, i) => {
    expect(texels[i]).toBeCloseTo(v, 6);
  });
});

test('a bright colour of its own is not taken for a highlight on a dark one', () => {
  const texels = Float32Array.of(0.82, 0.8, 0.74, 0.7, 0.2, 0.1);
  const before = [...texels];
  expect(removeHighlights(texels, palette)).toBe(0);
  expect([...texels]).toEqual(before);
});

test('what is darker than its colour stays, and other numbers of a texel are left alone', () => {
  const texels = Float32Array.of(0.05, 0.1, 0.3, 9, 0.3, 0.4, 0.8, 9);
  removeHighlights(texels, palette, 4);
  expect([...texels.subarray(0, 4)].map((v) => Math.round(v * 1e5) / 1e5)).toEqual([0.05, 0.1, 0.3, 9]);
  expect(texels[7]).toBe(9);
  expect(texels[4]).toBeCloseTo(0.1, 5);
});

test('without a palette nothing changes', () => {
  const texels = Float32Array.of(0.9, 0.9, 0.9);
  expect(removeHighlights(texels, [])).toBe(0);
});
