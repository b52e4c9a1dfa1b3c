import { expect, test } from 'vitest';
import { alphaMask, assertSameShape, compositeOnWhite } from './planes.js';

const image = { width: 3, height: 1, data: new Uint8Array([255, 0, 51, 255, 255, 0, 51, 0, 0, 102, 255, 128]) };

test('composites on white without rounding', () => {
  const { planes } = compositeOnWhite(image);
  expect([...planes[0]]).toEqual([1, 1, Math.fround(127 / 255)]);
  expect(planes[1][0]).toBe(0);
  expect(planes[1][2]).toBeCloseTo((102 * 128 + 255 * 127) / 65025, 7);
  expect(planes[2][0]).toBeCloseTo(0.2, 7);
});

test('takes alpha above one half as object', () => {
  expect([...alphaMask(image)]).toEqual([1, 0, 1]);
  expect([...alphaMask({ width: 2, height: 1, data: new Uint8Array([0, 0, 0, 127, 0, 0, 0, 128]) })]).toEqual([0, 1]);
});

test('refuses to compare images of different shape', () => {
  const a = compositeOnWhite(image);
  expect(() => assertSameShape(a, { ...a, width: 1, height: 3 })).toThrow(RangeError);
  expect(() => assertSameShape(a, { ...a, planes: a.planes.slice(0, 1) })).toThrow('3 × 1 × 3 and 3 × 1 × 1');
});
