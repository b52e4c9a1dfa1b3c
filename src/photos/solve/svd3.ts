import { symmetricEigen } from './symmetricEigen.js';

/** A 3 × 3 matrix, row-major. */
export type Mat3 = Float64Array;

/**
 * Singular value decomposition m = U diag(s) Vᵀ of a 3 × 3 matrix; s descending, U and V rotations (s₃ may then be
 * negative).
 */
export function svd3(m: ArrayLike<number>): { u: Mat3; s: [number, number, number]; v: Mat3 } {
  const mtm = new Float64Array(9);
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++) mtm[i * 3 + j] = m[i] * m[j] + m[3 + i] * m[3 + j] + m[6 + i] * m[6 + j];
  const { vectors } = symmetricEigen(mtm, 3);
  const axis = (k: number): number[] => Array.from(vectors.subarray((2 - k) * 3, (2 - k) * 3 + 3));
  const [v0, v1] = [axis(0), axis(1)];
  const v2 = cross3(v0, v1);
  const times = (x: readonly number[]): number[] =>
    [0, 1, 2].map((r) => m[r * 3] * x[0] + m[r * 3 + 1] * x[1] + m[r * 3 + 2] * x[2]);
  const w0 = times(v0);
  const s0 = Math.hypot(w0[0], w0[1], w0[2]);
  const u0 = s0 > 0 ? w0.map((x) => x / s0) : [1, 0, 0];
  const w1 = times(v1);
  const along = w1[0] * u0[0] + w1[1] * u0[1] + w1[2] * u0[2];
  for (let i = 0; i < 3; i++) w1[i] -= along * u0[i];
  const s1 = Math.hypot(w1[0], w1[1], w1[2]);
  const u1 = s1 > 1e-14 * s0 ? w1.map((x) => x / s1) : perpendicular(u0);
  const u2 = cross3(u0, u1);
  const w2 = times(v2);
  const s2 = w2[0] * u2[0] + w2[1] * u2[1] + w2[2] * u2[2];
  const columns = (a: number[], b: number[], c: number[]): Mat3 =>
    Float64Array.of(a[0], b[0], c[0], a[1], b[1], c[1], a[2], b[2], c[2]);
  return { u: columns(u0, u1, u2), s: [s0, s1, s2], v: columns(v0, v1, v2) };
}

function cross3(a: readonly number[], b: readonly number[]): number[] {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

/** A unit vector at right angles to a unit vector. */
function perpendicular(a: readonly number[]): number[] {
  const other = Math.abs(a[0]) < 0.7 ? [1, 0, 0] : [0, 1, 0];
  const c = cross3(a, other);
  const n = Math.hypot(c[0], c[1], c[2]);
  return c.map((x) => x / n);
}

/** The product a·b of row-major 3 × 3 matrices. */
export function multiply3(a: ArrayLike<number>, b: ArrayLike<number>): Mat3 {
  const out = new Float64Array(9);
  for (let r = 0; r < 3; r++)
    for (let c = 0; c < 3; c++) out[r * 3 + c] = a[r * 3] * b[c] + a[r * 3 + 1] * b[3 + c] + a[r * 3 + 2] * b[6 + c];
  return out;
}

/** The transpose of a row-major 3 × 3 matrix. */
export const transpose3 = (m: ArrayLike<number>): Mat3 =>
  Float64Array.of(m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]);
