import { expect, test } from 'vitest';
import { Random } from './random.js';

test('is PCG32: the sequence of its authors’ demonstration, seed 42 and stream 54', () => {
  const random = new Random(42, 54);
  const expected = [0xa15c02b7, 0x7b47f409, 0xba1d3330, 0x83d2f293, 0xbfa4784b, 0xcbed606e];
  expect(expected.map(() => random.uint32())).toEqual(expected);
});

test('another seed or stream gives another sequence, the same ones the same', () => {
  const first = (seed: number, stream?: number) => new Random(seed, stream).uint32();
  expect(first(7)).toBe(first(7));
  expect(new Set([first(7), first(8), first(7, 2)]).size).toBe(3);
});

test('floats, integers and normal deviates are what they say', () => {
  const random = new Random(1);
  let sum = 0;
  let squares = 0;
  const counts = [0, 0, 0];
  const n = 20_000;
  for (let i = 0; i < n; i++) {
    const f = random.float();
    expect(f >= 0 && f < 1).toBe(true);
    counts[random.integer(3)]++;
    const v = random.normal();
    sum += v;
    squares += v * v;
  }
  for (const count of counts) expect(Math.abs(count - n / 3)).toBeLessThan(5 * Math.sqrt(n / 4));
  expect(Math.abs(sum / n)).toBeLessThan(5 / Math.sqrt(n));
  expect(squares / n).toBeCloseTo(1, 1);
});
