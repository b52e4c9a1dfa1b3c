import { describe, expect, it } from 'vitest';
import { rotationOf } from '../solve/rotation.js';
import type { Matches } from './matcher.js';
import { isTurned, isTurntable, movingPairs, splitStill, stillLimit } from './still.js';

const matches = (pairs: readonly [number, number][]): Matches => ({
  count: pairs.length,
  pairs: Uint32Array.from(pairs.flat()),
  ratios: Float32Array.from(pairs, (_, i) => i / 10),
});

describe('splitStill', () => {
  it('tells what stayed at its place from what moved, with pairs and ratios', () => {
    const a = [10, 10, 50, 50, 90, 20];
    const b = [12, 10, 60, 50, 90.5, 20.5];
    const { still, moving } = splitStill(
      matches([
        [0, 0],
        [1, 1],
        [2, 2],
      ]),
      a,
      b,
      2,
    );
    expect([still.count, [...still.pairs]]).toEqual([2, [0, 0, 2, 2]]);
    expect([moving.count, [...moving.pairs], moving.ratios[0]]).toEqual([1, [1, 1], Math.fround(0.1)]);
    expect([stillLimit(800), stillLimit(4000)]).toEqual([2, 6]);
  });
});

describe('isTurned', () => {
  it('is no turn of what stands still but for noise', () => {
    expect(isTurned(rotationOf(0.01, 0, 0.01))).toBe(false);
    expect(isTurned(rotationOf(0, 0.09, 0))).toBe(true);
  });
});

describe('isTurntable', () => {
  const ring = (still: number, moving: number) =>
    Array.from({ length: 8 }, (_, i) => ({ a: i, b: (i + 1) % 8, still, moving }));
  const usable = [0, 1, 2, 3, 4, 5, 6, 7];

  it('is one where surroundings stay at their place and something turns before them', () => {
    expect(isTurntable(ring(30, 40), usable)).toBe(true);
  });

  it('is none where the camera moves, nothing moves, or only a burst shares its place', () => {
    expect(isTurntable(ring(2, 200), usable)).toBe(false);
    expect(isTurntable(ring(300, 0), usable)).toBe(false);
    expect(isTurntable([{ a: 0, b: 1, still: 300, moving: 20 }, ...ring(0, 200)], usable)).toBe(false);
    expect(isTurntable(ring(30, 40).slice(0, 2), [0, 1, 2])).toBe(false);
  });
});

describe('movingPairs', () => {
  it('leaves the moving matches of a turntable, and nothing of photos from a hand', () => {
    // Features 0 … 19 of every photo stand still, 20 … 39 move by 9 pixels from photo to photo.
    const places = Array.from({ length: 5 }, (_, photo) =>
      Float32Array.from({ length: 80 }, (_, k) => (k >> 1) * 20 + (k >= 40 && k % 2 === 0 ? photo * 9 : 0)),
    );
    const all = matches(Array.from({ length: 40 }, (_, i): [number, number] => [i, i]));
    const pairs = [0, 1, 2, 3].map((a) => ({ a, b: a + 1, matches: all }));
    const sides = places.map(() => 1000);
    const usable = [0, 1, 2, 3, 4];
    const found = movingPairs(pairs, places, sides, usable);
    expect(found?.map(({ matches: { count, pairs: list } }) => [count, list[0]])).toEqual(pairs.map(() => [20, 20]));
    const shifted = places.map((list, photo) => list.map((v) => v + photo * 7));
    expect(movingPairs(pairs, shifted, sides, usable)).toBeUndefined();
  });
});
