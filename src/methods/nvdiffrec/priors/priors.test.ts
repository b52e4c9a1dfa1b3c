import { expect, test } from 'vitest';
import { nvdiffrecOptions } from '../options.js';
import { strengthened } from './priors.js';

const options = nvdiffrecOptions.parse({});

test('many views leave the options as they are, few make all priors stronger', () => {
  expect(strengthened(options, 48)).toBe(options);
  const six = strengthened(options, 6);
  expect(six.smoothness).toBeCloseTo(options.smoothness * 8, 9);
  expect(six.normalRate).toBeCloseTo(options.normalRate / 16, 9);
  for (const name of ['materialSmoothness', 'palette', 'lightSmoothness', 'doubt'] as const) {
    expect(six[name]).toBeGreaterThan(options[name]);
  }
  expect(six.iterations).toBe(300);
  expect(strengthened({ ...options, iterations: 400 }, 6).iterations).toBe(300);
  expect(strengthened({ ...options, iterations: 40 }, 6).iterations).toBe(40);
  expect(nvdiffrecOptions.parse(six)).toEqual(six);
});

test('a prior that was turned off stays off', () => {
  const off = strengthened({ ...options, smoothness: 0, materialSmoothness: 0 }, 6);
  expect(off.smoothness).toBe(0);
  expect(off.materialSmoothness).toBe(0);
});
