import { expect, test } from 'vitest';
import { linearToSrgb, srgbToLinear } from './image.js';

test('sRGB and linear undo each other, at the break of the curve too', () => {
  for (const v of [0, 0.001, 0.04045, 0.0405, 0.2, 0.5, 1]) expect(linearToSrgb(srgbToLinear(v))).toBeCloseTo(v, 6);
});

test('known values of IEC 61966-2-1', () => {
  expect(srgbToLinear(0.5)).toBeCloseTo(0.21404, 5);
  expect(linearToSrgb(0.18)).toBeCloseTo(0.461356, 6);
  expect([srgbToLinear(0), srgbToLinear(1)]).toEqual([0, 1]);
});
