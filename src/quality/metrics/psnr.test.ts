import { expect, test } from 'vitest';
import { disc, maskOf, noisyPair } from '../../../test/metricPictures.js';
import { PSNR_MAX, psnr } from './psnr.js';

// Reference values: scikit-image 0.26.0, peak_signal_noise_ratio(data_range=1).
test.each([
  { size: [64, 48, 10], expected: 32.57075104592359 },
  { size: [97, 61, 60], expected: 17.817276824884058 },
  { size: [40, 120, 3], expected: 42.154765764963294 },
])('agrees with scikit-image on $size', ({ size: [w, h, k], expected }) => {
  const [a, b] = noisyPair(w, h, k);
  expect(psnr(a, b)).toBeCloseTo(expected, 5);
});

test('agrees with scikit-image on white and inside the mask', () => {
  const inside = disc(90, 70);
  const [a, b] = noisyPair(90, 70, 25, inside);
  expect(psnr(a, b)).toBeCloseTo(32.00106552367448, 5);
  expect(psnr(a, b, maskOf(90, 70, inside))).toBeCloseTo(24.95935354345621, 5);
});

test('identical pictures score the stated ceiling, an empty mask scores nothing', () => {
  const [a] = noisyPair(20, 20, 5);
  expect(psnr(a, a)).toBe(PSNR_MAX);
  expect(psnr(a, a, new Uint8Array(400))).toBeNull();
});

test('refuses pictures of different size', () => {
  expect(() => psnr(noisyPair(20, 10, 5)[0], noisyPair(10, 20, 5)[0])).toThrow(RangeError);
});
