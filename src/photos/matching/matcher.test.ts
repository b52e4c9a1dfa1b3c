import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { Matcher } from './matcher.js';

/** Random unit descriptors of 128 bytes, length about 512. */
function descriptors(count: number, random: Random): Uint8Array {
  const out = new Uint8Array(count * 128);
  for (let i = 0; i < count; i++) {
    const v = Float64Array.from({ length: 128 }, () => random.float() ** 3);
    const n = Math.sqrt(v.reduce((s, x) => s + x * x, 0));
    out.set(
      v.map((x) => Math.round((512 * x) / n)),
      i * 128,
    );
  }
  return out;
}

/** The same with a little noise, in another order. */
function disturbed(from: Uint8Array, random: Random): { data: Uint8Array; order: number[] } {
  const count = from.length / 128;
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const data = new Uint8Array(from.length);
  order.forEach((source, i) => {
    for (let k = 0; k < 128; k++)
      data[i * 128 + k] = Math.max(0, Math.min(255, from[source * 128 + k] + Math.round(4 * random.normal())));
  });
  return { data, order };
}

const angle = (a: Uint8Array, i: number, b: Uint8Array, j: number): number => {
  let s = 0;
  for (let k = 0; k < 128; k++) s += a[i * 128 + k] * b[j * 128 + k];
  return Math.acos(Math.min(1, s / (512 * 512)));
};

/**
 * Mutual nearest neighbours with the ratio test both ways, without any art. `allowed` says which pairs may be compared.
 */
function plainMatches(
  a: Uint8Array,
  b: Uint8Array,
  allowed: (i: number, j: number) => boolean,
  ratio = 0.8,
): [number, number][] {
  const [n, m] = [a.length / 128, b.length / 128];
  const nearest = (count: number, of: (k: number) => number | undefined): { k: number; ratio: number } => {
    let [first, second, k] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, -1];
    for (let x = 0; x < count; x++) {
      const v = of(x);
      if (v === undefined) continue;
      if (v < first) [second, first, k] = [first, v, x];
      else if (v < second) second = v;
    }
    return {
      k,
      ratio: first > 0.7 ? Number.POSITIVE_INFINITY : second === Number.POSITIVE_INFINITY ? 0 : first / second,
    };
  };
  const out: [number, number][] = [];
  for (let i = 0; i < n; i++) {
    const there = nearest(m, (j) => (allowed(i, j) ? angle(a, i, b, j) : undefined));
    if (there.k < 0 || there.ratio > ratio) continue;
    const back = nearest(n, (x) => (allowed(x, there.k) ? angle(a, x, b, there.k) : undefined));
    if (back.k === i && back.ratio <= ratio) out.push([i, there.k]);
  }
  return out;
}

const pairsOf = (pairs: Uint32Array): [number, number][] =>
  Array.from({ length: pairs.length / 2 }, (_, i) => [pairs[i * 2], pairs[i * 2 + 1]]);

describe('Matcher', () => {
  const random = new Random(2);
  // Counts that are no multiples of four.
  const a = descriptors(101, random);
  const { data, order } = disturbed(a, random);
  const b = new Uint8Array([...data, ...descriptors(37, random)]);
  const matcher = new Matcher();

  it('finds what plain search finds', () => {
    const { count, pairs, ratios } = matcher.match(a, 101, b, 138);
    expect(pairsOf(pairs)).toEqual(plainMatches(a, b, () => true));
    expect(count).toBeGreaterThan(90);
    for (const [i, j] of pairsOf(pairs)) expect(order[j]).toBe(i);
    expect(Math.max(...ratios)).toBeLessThanOrEqual(0.8);
  });

  it('takes only as many as it is told to, and none of nothing', () => {
    expect(pairsOf(matcher.match(a, 50, b, 138).pairs)).toEqual(plainMatches(a.subarray(0, 50 * 128), b, () => true));
    expect(matcher.match(a, 0, b, 138).count).toBe(0);
    expect(matcher.match(a, 101, b, 1).count).toBe(0);
  });

  it('finds along lines what plain search among the near ones finds', () => {
    // A camera that moves to the right: epipolar lines are level, x₂ᵀ F x₁ = y₁ − y₂ up to sign.
    const f = [0, 0, 0, 0, 0, -1, 0, 1, 0];
    const placesA = Float64Array.from({ length: 202 }, () => 100 * random.float());
    const placesB = Float64Array.from({ length: 276 }, () => 100 * random.float());
    order.forEach((i, j) => {
      placesB[j * 2 + 1] = placesA[i * 2 + 1] + 2 * random.float() - 1;
    });
    const near = (i: number, j: number): boolean => Math.abs(placesA[i * 2 + 1] - placesB[j * 2 + 1]) <= 3;
    const found = pairsOf(matcher.matchAlong(a, placesA, b, placesB, f, 3).pairs);
    expect(found).toEqual(plainMatches(a, b, near));
    expect(found.length).toBeGreaterThan(90);
  });
});
