import { describe, expect, it } from 'vitest';
import { solveSymmetric, solveSymmetricInPlace } from './linearSolve.js';
import { Random } from './random.js';

/** M·Mᵀ + I of a random M, which is positive definite, and its product with x. */
function system(n: number, random: Random): { a: Float64Array; x: Float64Array; b: Float64Array } {
  const m = Float64Array.from({ length: n * n }, () => random.normal());
  const a = new Float64Array(n * n);
  for (let r = 0; r < n; r++)
    for (let c = 0; c < n; c++) {
      a[r * n + c] = r === c ? 1 : 0;
      for (let k = 0; k < n; k++) a[r * n + c] += m[r * n + k] * m[c * n + k];
    }
  const x = Float64Array.from({ length: n }, () => random.normal());
  const b = Float64Array.from({ length: n }, (_, r) => x.reduce((sum, v, c) => sum + a[r * n + c] * v, 0));
  return { a, x, b };
}

describe('solveSymmetric', () => {
  it('finds the x whose product with the matrix is the right side', () => {
    const random = new Random(3);
    for (const n of [1, 2, 3, 9, 24]) {
      const { a, x, b } = system(n, random);
      const given = [a.slice(), b.slice()];
      const found = solveSymmetric(a, b)!;
      for (let i = 0; i < n; i++) expect(found[i]).toBeCloseTo(x[i], 9);
      expect([a, b]).toEqual(given);
    }
  });

  it('says where a matrix is not positive definite', () => {
    expect(solveSymmetric([1, 2, 2, 1], [1, 1])).toBeUndefined();
    expect(solveSymmetric([1, 1, 1, 1], [1, 1])).toBeUndefined();
    expect(solveSymmetric([Number.NaN], [1])).toBeUndefined();
  });
});

describe('solveSymmetricInPlace', () => {
  it('solves what multiplication made, in the place of the right side, and refuses what is not positive definite', () => {
    const { a, x, b } = system(7, new Random(5));
    expect(solveSymmetricInPlace(a, b, 7)).toBe(true);
    for (let i = 0; i < 7; i++) expect(b[i]).toBeCloseTo(x[i], 9);
    expect(solveSymmetricInPlace(Float64Array.of(1, 2, 2, 1), Float64Array.of(1, 1), 2)).toBe(false);
  });
});
