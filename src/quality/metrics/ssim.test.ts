import { describe, expect, test } from 'vitest';
import { disc, grey, maskOf, noisyPair } from '../../../test/metricPictures.js';
import type { ImagePlanes } from './planes.js';
import { ssim } from './ssim.js';

// Reference values: scikit-image 0.26.0, structural_similarity(gaussian_weights=True, sigma=1.5,
// use_sample_covariance=False, data_range=1, channel_axis=2) of the same pictures as float64.
describe('agrees with scikit-image', () => {
  const cases = [
    { size: [64, 48, 10], colour: 0.9671513121809993, single: 0.965565834983386 },
    { size: [97, 61, 60], colour: 0.6701068036362665, single: 0.668296144530111 },
    { size: [40, 120, 3], colour: 0.9964383175244179, single: 0.9962648818935914 },
    { size: [11, 11, 30], colour: 0.41255418222647605, single: 0.4723945135753369 },
  ];
  test.each(cases)('on colour and on grey of $size', ({ size: [w, h, k], colour, single }) => {
    const [a, b] = noisyPair(w, h, k);
    expect(ssim(a, b).mean).toBeCloseTo(colour, 6);
    expect(ssim(grey(a), grey(b)).mean).toBeCloseTo(single, 6);
  });

  test('on negative structure', () => {
    const [a] = noisyPair(64, 48, 10);
    const inverse: ImagePlanes = { ...a, planes: a.planes.map((p) => p.map((v) => 1 - v)) };
    expect(ssim(a, inverse).mean).toBeCloseTo(-0.6261893556401925, 6);
  });

  test('on an object on white, and inside its mask', () => {
    const inside = disc(90, 70);
    const [a, b] = noisyPair(90, 70, 25, inside);
    const result = ssim(a, b, maskOf(90, 70, inside));
    expect(result.mean).toBeCloseTo(0.979812436505799, 6);
    expect(result.masked).toBeCloseTo(0.9263759393523852, 6);
  });
});

test('is 1 for identical pictures and the same in both directions', () => {
  const [a, b] = noisyPair(50, 40, 20);
  expect(ssim(a, a).mean).toBe(1);
  expect(ssim(a, b).mean).toBeCloseTo(ssim(b, a).mean, 12);
});

test('skipping equal parts changes nothing: a lone difference scores as on a frame of its own', () => {
  const [a] = noisyPair(60, 60, 10);
  const planes = a.planes.map((p) => p.slice());
  for (const plane of planes) plane[31 * 60 + 22] = 1 - plane[31 * 60 + 22];
  const lone = ssim(a, { ...a, planes });
  // Noise of one part in 10⁷ at two corners widens the filtered box to the whole frame.
  const wide = planes.map((p) => p.slice());
  for (const plane of wide) {
    plane[0] += 1e-7;
    plane[3599] -= 1e-7;
  }
  expect(lone.mean).toBeLessThan(0.999);
  expect(ssim(a, { ...a, planes: wide }).mean).toBeCloseTo(lone.mean, 6);
});

test('a mask over everything scores as the frame, an empty one gives nothing', () => {
  const [a, b] = noisyPair(50, 40, 20);
  const { mean, masked } = ssim(a, b, new Uint8Array(2000).fill(1));
  expect(masked).toBeCloseTo(mean, 12);
  expect(ssim(a, b, new Uint8Array(2000)).masked).toBeNull();
  expect(ssim(a, b).masked).toBeNull();
});

test('refuses pictures smaller than the window', () => {
  const [a, b] = noisyPair(10, 40, 20);
  expect(() => ssim(a, b)).toThrow(RangeError);
});
