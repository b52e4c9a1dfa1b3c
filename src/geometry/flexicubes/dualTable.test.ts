import { expect, test } from 'vitest';
import { DUAL_CASES } from './dualTable.js';

test('every crossed edge is in one polygon, which passes through it once in each direction', () => {
  DUAL_CASES.forEach(({ crossed, loops, loopCount, next, previous }) => {
    for (let e = 0; e < 12; e++) {
      const cut = ((crossed >> e) & 1) === 1;
      expect(loops[e] >= 0).toBe(cut);
      if (!cut) continue;
      expect(previous[next[e]]).toBe(e);
      expect(loops[next[e]]).toBe(loops[e]);
    }
    const sizes = Array.from({ length: loopCount }, (_, l) => loops.filter((x) => x === l).length);
    expect(sizes.every((n) => n >= 3)).toBe(true);
  });
});

test('opposite signs cut the same edges, and a single corner gives one triangle', () => {
  for (let config = 0; config < 256; config++) {
    expect(DUAL_CASES[config * 2].crossed).toBe(DUAL_CASES[(255 - config) * 2].crossed);
  }
  for (let c = 0; c < 8; c++) expect(DUAL_CASES[2 << c].loops.filter((l) => l === 0)).toHaveLength(3);
});

test('36 cases have a face that one polygon crosses twice; switching it divides the polygon', () => {
  const doubled = DUAL_CASES.flatMap((c, i) => (i % 2 === 0 && c.doubled >= 0 ? [i] : []));
  expect(doubled).toHaveLength(36);
  for (const i of doubled) {
    expect(DUAL_CASES[i + 1].doubled).toBe(-1);
    expect(DUAL_CASES[i + 1].loopCount).toBe(DUAL_CASES[i].loopCount + 1);
  }
});
