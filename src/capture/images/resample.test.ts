import { describe, expect, it } from 'vitest';
import { linearToSrgb, srgbToLinear } from '../../core/image.js';
import { areaDownscale, encodeSrgb, fittedSize, nearestResize, resizeMask } from './resample.js';

describe('encodeSrgb', () => {
  it('inverts every byte and is the transfer function within half a step', () => {
    for (let i = 0; i < 256; i++) expect(encodeSrgb(srgbToLinear(i / 255))).toBe(i);
    for (let v = 0; v <= 1; v += 0.00371) expect(Math.abs(encodeSrgb(v) - 255 * linearToSrgb(v))).toBeLessThan(0.75);
  });
});

describe('fittedSize', () => {
  it('limits the longer side, keeps the shape and never enlarges', () => {
    expect(fittedSize(4000, 3000, 1000)).toEqual({ width: 1000, height: 750 });
    expect(fittedSize(300, 4000, 1000)).toEqual({ width: 75, height: 1000 });
    expect(fittedSize(400, 300, 1000)).toEqual({ width: 400, height: 300 });
    expect(fittedSize(400, 300)).toEqual({ width: 400, height: 300 });
    expect(fittedSize(10000, 1, 10)).toEqual({ width: 10, height: 1 });
  });
});

describe('areaDownscale', () => {
  it('averages light, not bytes', () => {
    const data = new Uint8ClampedArray([0, 0, 0, 255, 255, 255, 255, 255]);
    const out = areaDownscale({ width: 2, height: 1, data }, 1, 1);
    expect([...out.data]).toEqual([188, 188, 188, 255]);
  });

  it('keeps the colour of the object where it meets transparent pixels of another colour', () => {
    const data = new Uint8ClampedArray([200, 40, 10, 255, 0, 255, 0, 0]);
    expect([...areaDownscale({ width: 2, height: 1, data }, 1, 1).data]).toEqual([200, 40, 10, 128]);
  });

  it('weights by covered area where sizes do not divide', () => {
    // 3 → 2: the middle pixel counts half in each.
    const alpha = (a: number, b: number, c: number) => new Uint8ClampedArray([9, 9, 9, a, 9, 9, 9, b, 9, 9, 9, c]);
    const out = areaDownscale({ width: 3, height: 1, data: alpha(255, 0, 90) }, 2, 1);
    expect([out.data[3], out.data[7]]).toEqual([170, 60]);
  });

  it('keeps the total of alpha', () => {
    const data = new Uint8ClampedArray(37 * 23 * 4).map((_, i) => (i * 7919) % 256);
    const out = areaDownscale({ width: 37, height: 23, data }, 11, 7);
    const mean = (d: Uint8ClampedArray | Uint8Array): number => {
      let sum = 0;
      for (let p = 3; p < d.length; p += 4) sum += d[p];
      return sum / (d.length / 4);
    };
    expect(mean(out.data)).toBeCloseTo(mean(data), 0);
  });
});

describe('nearestResize', () => {
  it('only returns values that were there', () => {
    const data = Float32Array.from({ length: 63 }, (_, i) => i);
    const out = nearestResize({ width: 9, height: 7, data }, 4, 3);
    // Sample (x, y) is at (2.25 (x + ½), 2.33 (y + ½)): columns 1, 3, 5, 7 and rows 1, 3, 5.
    const columns = [1, 3, 5, 7];
    expect([...out.data]).toEqual([1, 3, 5].flatMap((row) => columns.map((column) => row * 9 + column)));
  });
});

describe('resizeMask', () => {
  it('interpolates softly and keeps flat areas', () => {
    const out = resizeMask({ width: 2, height: 1, data: new Uint8Array([0, 255]) }, 4, 2);
    expect([...out]).toEqual([0, 64, 191, 255, 0, 64, 191, 255]);
  });
});
