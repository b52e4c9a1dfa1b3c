import { expect, test } from 'vitest';
import { maskOf } from '../../../test/metricPictures.js';
import { maskAgreement, maskIou } from './maskIou.js';

const square = (x0: number, y0: number, size: number) =>
  maskOf(20, 20, (x, y) => x >= x0 && x < x0 + size && y >= y0 && y < y0 + size);

test('measures overlap, what is missing, what spills over and where it moved', () => {
  const result = maskAgreement(square(2, 3, 10), square(4, 3, 10), 20);
  expect(result.iou).toBeCloseTo(80 / 120, 12);
  expect(result.missing).toBeCloseTo(0.2, 12);
  expect(result.extra).toBeCloseTo(0.2, 12);
  expect(result.shift).toEqual([2, 0]);
});

test('a part inside the reference is missing area only', () => {
  const result = maskAgreement(square(0, 0, 10), square(0, 0, 5), 20);
  expect(result).toMatchObject({ iou: 0.25, missing: 0.75, extra: 0, shift: [-2.5, -2.5] });
});

test('equal and empty masks agree, disjoint ones do not', () => {
  const empty = new Uint8Array(400);
  expect(maskIou(square(1, 1, 4), square(1, 1, 4))).toBe(1);
  expect(maskIou(empty, empty)).toBe(1);
  expect(maskIou(square(0, 0, 4), square(10, 10, 4))).toBe(0);
  expect(maskAgreement(square(0, 0, 4), empty, 20)).toEqual({ iou: 0, missing: 1, extra: 0, shift: null });
  expect(() => maskIou(empty, new Uint8Array(10))).toThrow(RangeError);
});
