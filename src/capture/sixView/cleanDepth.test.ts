import { describe, expect, it } from 'vitest';
import { cleanDepth } from './cleanDepth.js';

const SIZE = 128;

/** A ramp with a raised square on it, before nothing. */
function map(): Float32Array {
  const data = new Float32Array(SIZE * SIZE);
  for (let y = 20; y < 108; y++)
    for (let x = 20; x < 108; x++) data[y * SIZE + x] = x > 50 && x < 80 && y > 50 && y < 80 ? 60 : 150 + x * 0.4;
  return data;
}

describe('cleaning a depth map', () => {
  it('removes specks off the object, evens specks on it and fills pinholes', () => {
    const data = map();
    const truth = map();
    data[5 * SIZE + 5] = 200;
    data[30 * SIZE + 30] = 250;
    data[90 * SIZE + 40] = 0;
    const { values, specks, inside } = cleanDepth({ width: SIZE, height: SIZE, data });
    expect(specks).toBe(3);
    expect(values.data[5 * SIZE + 5]).toBe(0);
    for (const i of [30 * SIZE + 30, 90 * SIZE + 40]) expect(Math.abs(values.data[i] - truth[i])).toBeLessThan(1);
    expect(inside[90 * SIZE + 40]).toBe(1);
    expect(data[5 * SIZE + 5]).toBe(200);
  });

  it('empties values that hang between two surfaces but keeps them in the mask', () => {
    const data = map();
    for (let y = 51; y < 80; y++) data[y * SIZE + 80] = 120;
    const { values, flying, inside } = cleanDepth({ width: SIZE, height: SIZE, data });
    expect(flying).toBeGreaterThanOrEqual(27);
    expect(values.data[65 * SIZE + 80]).toBe(0);
    expect(inside[65 * SIZE + 80]).toBe(1);
    expect(values.data[65 * SIZE + 79]).toBe(60);
  });

  it('leaves a clean map alone', () => {
    const { values, specks, flying } = cleanDepth({ width: SIZE, height: SIZE, data: map() });
    expect([specks, flying]).toEqual([0, 0]);
    expect(values.data).toEqual(map());
  });
});
