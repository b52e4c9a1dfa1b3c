import { expect, it } from 'vitest';
import type { PairResult } from './matchPair.js';
import { choosePartners } from './partners.js';

it('keeps the best partners of every photo and all sure pairs, and those without anything in common not at all', () => {
  // A ring of 40 photos: neighbours share most, those across the ring a few accidental matches.
  const coarse: PairResult[] = [];
  for (let a = 0; a < 40; a++)
    for (let b = a + 1; b < 40; b++) {
      const apart = Math.min(b - a, 40 - (b - a));
      const count = apart <= 8 ? 200 - 20 * apart : apart < 15 ? 8 : 5;
      coarse.push({ a, b, matches: { count, pairs: new Uint32Array(2 * count), ratios: new Float32Array(count) } });
    }
  const chosen = choosePartners(coarse);
  const has = (a: number, b: number) => chosen.find(({ pair }) => pair.a === a && pair.b === b);
  expect(has(3, 4)?.exhaustive).toBe(true);
  expect(has(3, 11)?.exhaustive).toBe(false);
  expect(has(3, 23)).toBeUndefined();
  // Eight neighbours on either side are sure; of the accidental pairs few are left.
  expect(chosen.length).toBeGreaterThanOrEqual(40 * 8);
  expect(chosen.length).toBeLessThan(40 * 12);
});
