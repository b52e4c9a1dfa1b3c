import { expect, test } from 'vitest';
import { depthError } from './depthError.js';

const depth = (...values: number[]) => ({ width: values.length, height: 1, data: Float32Array.from(values) });

test('measures distance where both have depth, and what only one has', () => {
  const result = depthError(depth(1, 2, 3, 4, 0, 0), depth(1.5, 2, 0, 3, 5, Number.NaN));
  expect(result).toEqual({ mae: 0.5, rmse: Math.sqrt(1.25 / 3), pixels: 3, missing: 0.25, extra: 0.25 });
});

test('a reference without depth measures nothing, a render without depth misses all', () => {
  expect(depthError(depth(0, 0), depth(1, 2))).toBeNull();
  expect(depthError(depth(1, 2), depth(0, Number.POSITIVE_INFINITY))).toEqual({
    mae: 0,
    rmse: 0,
    pixels: 0,
    missing: 1,
    extra: 0,
  });
});

test('refuses maps of different size', () => {
  expect(() => depthError(depth(1, 2), depth(1))).toThrow(RangeError);
});
