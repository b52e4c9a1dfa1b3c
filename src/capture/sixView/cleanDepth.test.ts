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

  it('sharpens an outline that was averaged with the empty background, and leaves a sharp one alone', () => {
    const size = 96;
    const sharp = new Float32Array(size * size);
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) if (Math.hypot(x - 48, y - 48) < 30) sharp[y * size + x] = 180 + 0.5 * (x - 48);
    const soft = new Float32Array(size * size);
    for (let y = 1; y < size - 1; y++)
      for (let x = 1; x < size - 1; x++)
        for (let v = -1; v <= 1; v++)
          for (let u = -1; u <= 1; u++) soft[y * size + x] += sharp[(y + v) * size + x + u] / 9;
    const clean = cleanDepth({ width: size, height: size, data: soft });
    let outline = 0;
    let worst = 0;
    for (let i = 0; i < sharp.length; i++) {
      if ((clean.inside[i] === 1) !== sharp[i] > 0) outline++;
      if (clean.values.data[i] > 0 && sharp[i] > 0) worst = Math.max(worst, Math.abs(clean.values.data[i] - sharp[i]));
    }
    expect(outline).toBeLessThan(30);
    // Of values around 180, which were faded by a third and more.
    expect(worst).toBeLessThan(8);
    const same = cleanDepth({ width: size, height: size, data: sharp });
    expect(same.values.data).toEqual(sharp);
  });

  it('leaves a clean map alone', () => {
    const { values, specks, flying } = cleanDepth({ width: SIZE, height: SIZE, data: map() });
    expect([specks, flying]).toEqual([0, 0]);
    expect(values.data).toEqual(map());
  });
});
