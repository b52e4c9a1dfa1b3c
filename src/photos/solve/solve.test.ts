import { describe, expect, it } from 'vitest';
import { quaternionOf } from '../../core/quaternion.js';
import { Random } from '../../core/random.js';
import { nullSpace } from './nullSpace.js';
import { evaluate, realRoots } from './polynomial.js';
import { angleBetween, rotationOf } from './rotation.js';
import { multiply3, svd3, transpose3 } from './svd3.js';
import { symmetricEigen } from './symmetricEigen.js';

const random = new Random(3);
const normals = (n: number): Float64Array => Float64Array.from({ length: n }, () => random.normal());
const close = (a: ArrayLike<number>, b: ArrayLike<number>, digits = 10): void => {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(a[i]).toBeCloseTo(b[i], digits);
};

describe('symmetricEigen', () => {
  it('gives A v = λ v with orthonormal vectors and ascending values', () => {
    for (const n of [2, 3, 9]) {
      const m = normals(n * n);
      const a = Float64Array.from({ length: n * n }, (_, i) => m[i] + m[(i % n) * n + Math.floor(i / n)]);
      const { values, vectors } = symmetricEigen(a, n);
      for (let k = 0; k < n; k++) {
        const v = vectors.subarray(k * n, k * n + n);
        for (let r = 0; r < n; r++) {
          let s = 0;
          for (let c = 0; c < n; c++) s += a[r * n + c] * v[c];
          expect(s).toBeCloseTo(values[k] * v[r], 9);
        }
        for (let j = 0; j < n; j++) {
          const w = vectors.subarray(j * n, j * n + n);
          expect(v.reduce((s, x, i) => s + x * w[i], 0)).toBeCloseTo(j === k ? 1 : 0, 10);
        }
        if (k > 0) expect(values[k]).toBeGreaterThanOrEqual(values[k - 1]);
      }
    }
  });
});

describe('svd3', () => {
  it('takes a matrix apart, singular ones too', () => {
    const flat = multiply3([1, 2, 3, 2, 4, 6, 0, 1, 5], [1, 0, 0, 0, 1, 0, 0, 0, 0]);
    for (const m of [normals(9), normals(9), flat]) {
      const { u, s, v } = svd3(m);
      expect(s[0]).toBeGreaterThanOrEqual(s[1]);
      expect(s[1]).toBeGreaterThanOrEqual(Math.abs(s[2]) - 1e-12);
      close(multiply3(u, transpose3(u)), [1, 0, 0, 0, 1, 0, 0, 0, 1]);
      close(multiply3(multiply3(u, [s[0], 0, 0, 0, s[1], 0, 0, 0, s[2]]), transpose3(v)), m);
    }
  });
});

describe('nullSpace', () => {
  it('spans what the rows are perpendicular to', () => {
    for (const [rows, columns] of [
      [5, 9],
      [7, 9],
    ]) {
      const a = normals(rows * columns);
      const basis = nullSpace(a.slice(), rows, columns);
      const count = columns - rows;
      for (let k = 0; k < count; k++) {
        const v = basis.subarray(k * columns, (k + 1) * columns);
        for (let r = 0; r < rows; r++) {
          expect(v.reduce((s, x, c) => s + x * a[r * columns + c], 0)).toBeCloseTo(0, 10);
        }
        for (let j = 0; j < count; j++) {
          const w = basis.subarray(j * columns, (j + 1) * columns);
          expect(v.reduce((s, x, c) => s + x * w[c], 0)).toBeCloseTo(j === k ? 1 : 0, 10);
        }
      }
    }
  });
});

describe('realRoots', () => {
  it('finds the roots that a polynomial was made of, near and far ones', () => {
    const roots = [-37, -1.5, -0.02, 0.3, 0.31, 4, 250];
    const p = new Float64Array(roots.length + 1);
    p[0] = 1;
    roots.forEach((r, degree) => {
      for (let k = degree + 1; k >= 0; k--) p[k] = (k > 0 ? p[k - 1] : 0) - r * p[k];
    });
    const found = realRoots(p);
    expect(found.length).toBe(roots.length);
    found.forEach((x, i) => {
      expect(Math.abs(x / roots[i] - 1)).toBeLessThan(1e-6);
    });
  });

  it('finds none where there is none, and takes leading zeros', () => {
    expect(realRoots([1, 0, 1])).toEqual([]);
    expect(realRoots([0, 0, 0])).toEqual([]);
    const [root] = realRoots([-2, 1, 0, 0]);
    expect(root).toBeCloseTo(2, 12);
    expect(evaluate([-2, 1], 1, root)).toBeCloseTo(0, 12);
  });
});

describe('rotations', () => {
  it('turn by their angle and come back from quaternions', () => {
    for (const w of [
      [0.3, -0.2, 0.7],
      [1e-7, 0, 2e-7],
      [3, 0.1, 0.4],
    ]) {
      const r = rotationOf(w[0], w[1], w[2]);
      close(multiply3(r, transpose3(r)), [1, 0, 0, 0, 1, 0, 0, 0, 1], 12);
      const angle = Math.hypot(w[0], w[1], w[2]);
      expect(angleBetween(r, [1, 0, 0, 0, 1, 0, 0, 0, 1])).toBeCloseTo(angle, 9);
      const [a, x, y, z] = quaternionOf(r);
      expect(2 * Math.acos(Math.min(1, a))).toBeCloseTo(angle, 6);
      close(
        [x, y, z].map((v) => v * angle),
        w.map((v) => v * Math.sin(angle / 2)),
        9,
      );
    }
  });
});
