import { describe, expect, it } from 'vitest';
import { fromHalf, HALF_MAX, packHalves, toHalf } from './halfFloat.js';

describe('toHalf', () => {
  it('has the bits that the standard gives', () => {
    const known: [number, number][] = [
      [0, 0x0000],
      [-0, 0x8000],
      [1, 0x3c00],
      [-2, 0xc000],
      [1 / 3, 0x3555],
      [HALF_MAX, 0x7bff],
      [2 ** -14, 0x0400],
      [2 ** -24, 0x0001],
      [Infinity, 0x7c00],
      [-Infinity, 0xfc00],
      [Number.NaN, 0x7e00],
    ];
    for (const [value, half] of known) expect(toHalf(value).toString(16), String(value)).toBe(half.toString(16));
  });

  it('gives every half back', () => {
    for (let half = 0; half < 0x10000; half++) {
      const value = fromHalf(half);
      if (!Number.isNaN(value) && toHalf(value) !== half) expect.fail(`${half} became ${toHalf(value)}`);
    }
  });

  it('rounds to the nearest, and from the middle to the even one', () => {
    for (let half = 0; half < 0x7bff; half++) {
      const low = fromHalf(half);
      const high = fromHalf(half + 1);
      const middle = (low + high) / 2;
      const even = half & 1 ? half + 1 : half;
      const found = [toHalf(low + (high - low) / 4), toHalf(middle), toHalf(high - (high - low) / 4)];
      if (found.join() !== [half, even, half + 1].join()) expect.fail(`around ${middle}: ${found}`);
    }
    expect(toHalf(2 ** -25)).toBe(0);
    expect(toHalf(65519)).toBe(0x7bff);
    expect(toHalf(65520)).toBe(0x7c00);
  });
});

it('packs two, finite both', () => {
  expect(packHalves(1, -2)).toBe(0xc0003c00);
  expect(packHalves(Infinity, -1e9)).toBe(0xfbff7bff);
});
