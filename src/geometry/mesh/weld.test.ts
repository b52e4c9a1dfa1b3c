import { describe, expect, it } from 'vitest';
import { weldMap } from './weld.js';

describe('weldMap', () => {
  it('joins equal positions, ±0 included, to the lowest vertex, and no others', () => {
    const positions = new Float32Array([0, 0, 0, 1, 0, 0, 0, 1, 0, -0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0]);
    expect([...weldMap(positions)]).toEqual([0, 1, 2, 0, 1, 5, 0]);
    expect([...weldMap(new Float32Array([1, 2, 3, 1, 2, 3 + 2 ** -21]))]).toEqual([0, 1]);
  });
});
