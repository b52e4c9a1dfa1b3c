import { describe, expect, it } from 'vitest';
import { Random } from '../core/random.js';
import { GridCut } from './maxFlow.js';

const DIRECTIONS = [
  [0, 1, 0],
  [2, 0, 1],
  [4, 1, 1],
  [6, 1, -1],
] as const;

/** A random grid, and what any labelling of it costs. */
function randomGrid(random: Random, width: number, height: number) {
  const cut = new GridCut(width, height);
  const terms: ((inside: ArrayLike<number>) => number)[] = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const p = y * width + x;
      const [object, ground] = [random.integer(20), random.integer(20)];
      cut.setCosts(p, object, ground);
      terms.push((inside) => (inside[p] ? ground : object));
      for (const [d, dx, dy] of DIRECTIONS) {
        const [u, v] = [x + dx, y + dy];
        if (u >= width || v < 0 || v >= height) continue;
        const cost = random.integer(12);
        cut.join(p, d, cost);
        terms.push((inside) => (inside[p] !== inside[v * width + u] ? cost : 0));
      }
    }
  return { cut, cost: (inside: ArrayLike<number>): number => terms.reduce((sum, term) => sum + term(inside), 0) };
}

describe('GridCut', () => {
  it('finds the cheapest of all labellings', () => {
    const random = new Random(1);
    for (let trial = 0; trial < 60; trial++) {
      const [width, height] = [2 + random.integer(3), 2 + random.integer(3)];
      const { cut, cost } = randomGrid(random, width, height);
      let least = Number.POSITIVE_INFINITY;
      for (let bits = 0; bits < 2 ** (width * height); bits++)
        least = Math.min(least, cost(Array.from({ length: width * height }, (_, i) => (bits >> i) & 1)));
      expect(cost(cut.solve())).toBe(least);
    }
  });

  it('is not bettered by turning any rectangle of a larger grid over', () => {
    const random = new Random(2);
    const [width, height] = [24, 18];
    const { cut, cost } = randomGrid(random, width, height);
    const inside = cut.solve();
    const found = cost(inside);
    for (let trial = 0; trial < 300; trial++) {
      const [x, y] = [random.integer(width), random.integer(height)];
      const [w, h] = [1 + random.integer(4), 1 + random.integer(4)];
      const other = inside.map((v, p) => {
        const [u, t] = [p % width, Math.floor(p / width)];
        return u >= x && u < x + w && t >= y && t < y + h ? 1 - v : v;
      });
      expect(cost(other)).toBeGreaterThanOrEqual(found);
    }
  });
});
