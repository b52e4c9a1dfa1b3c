import { describe, expect, it } from 'vitest';
import { boundsOf, centerOf, diagonalOf, sizeOf } from './bounds.js';

describe('boundsOf', () => {
  const positions = Float32Array.of(1, 2, 3, -1, 5, 3, 100, 100, 100);

  it('holds all points, or those that an index names', () => {
    expect(boundsOf(positions)).toEqual({ min: [-1, 2, 3], max: [100, 100, 100] });
    expect(boundsOf(positions, [0, 1, 0])).toEqual({ min: [-1, 2, 3], max: [1, 5, 3] });
  });

  it('is all zeros without points', () => {
    const none = { min: [0, 0, 0], max: [0, 0, 0] };
    expect(boundsOf([])).toEqual(none);
    expect(boundsOf(positions, new Uint32Array(0))).toEqual(none);
  });
});

it('measures a box', () => {
  const box = boundsOf([-1, 0, 2, 1, 3, 8]);
  expect(sizeOf(box)).toEqual([2, 3, 6]);
  expect(centerOf(box)).toEqual([0, 1.5, 5]);
  expect(diagonalOf(box)).toBe(7);
});
