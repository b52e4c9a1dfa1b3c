import { nullSpace } from '../solve/nullSpace.js';
import { realRoots } from '../solve/polynomial.js';
import type { Mat3 } from '../solve/svd3.js';

/*
 * Polynomials in x, y, z as lists of coefficients. Degree 1: x, y, z, 1. Degree 2: xx, xy, yy, xz, yz, zz, x, y, z, 1.
 * Degree 3 in the order in which Nistér eliminates: xxx, yyy, xxy, xyy, xxz, xx, yyz, yy, xyz, xy, xzz, xz, x, yzz, yz,
 * y, zzz, zz, z, 1.
 */
const EXPONENTS_1 = ['x', 'y', 'z', ''];
const EXPONENTS_2 = ['xx', 'xy', 'yy', 'xz', 'yz', 'zz', 'x', 'y', 'z', ''];
const EXPONENTS_3 = 'xxx yyy xxy xyy xxz xx yyz yy xyz xy xzz xz x yzz yz y zzz zz z'.split(' ').concat('');

const productTable = (a: readonly string[], b: readonly string[], c: readonly string[]): Uint8Array =>
  Uint8Array.from(a.flatMap((p) => b.map((q) => c.indexOf([...(p + q)].sort().join('')))));
const TABLE_11 = productTable(EXPONENTS_1, EXPONENTS_1, EXPONENTS_2);
const TABLE_21 = productTable(EXPONENTS_2, EXPONENTS_1, EXPONENTS_3);

/** out += factor · a · b for polynomials of degree 1. */
function addProduct11(out: Float64Array, a: Float64Array, b: Float64Array, factor: number): void {
  for (let i = 0, k = 0; i < 4; i++) {
    const f = factor * a[i];
    for (let j = 0; j < 4; j++, k++) out[TABLE_11[k]] += f * b[j];
  }
}

/** out += factor · a · b for polynomials of degrees 2 and 1. */
function addProduct21(out: Float64Array, a: Float64Array, b: Float64Array, factor: number): void {
  for (let i = 0, k = 0; i < 10; i++) {
    const f = factor * a[i];
    for (let j = 0; j < 4; j++, k++) out[TABLE_21[k]] += f * b[j];
  }
}

/**
 * Essential matrices E with x₂ᵀ E x₁ = 0 for five correspondences (Nistér 2004). Directions are given as x, y at z = 1.
 *
 * @param points five or more numbers of four: x₁, y₁, x₂, y₂, of which `sample` names five
 * @returns up to ten matrices, row-major, of Frobenius norm 1
 */
export function fivePoint(points: Float64Array, sample: ArrayLike<number>): Mat3[] {
  const system = new Float64Array(45);
  for (let k = 0; k < 5; k++) {
    const at = sample[k] * 4;
    const [x1, y1, x2, y2] = [points[at], points[at + 1], points[at + 2], points[at + 3]];
    system.set([x2 * x1, x2 * y1, x2, y2 * x1, y2 * y1, y2, x1, y1, 1], k * 9);
  }
  const basis = nullSpace(system, 5, 9);
  // E = x X + y Y + z Z + W: entry e as a polynomial of degree 1.
  const e = Array.from({ length: 9 }, (_, i) => Float64Array.of(basis[i], basis[9 + i], basis[18 + i], basis[27 + i]));
  const rows = constraints(e);
  if (!eliminate(rows)) return [];
  const b = [hidden(rows[4], rows[5]), hidden(rows[6], rows[7]), hidden(rows[8], rows[9])];
  const out: Mat3[] = [];
  for (const z of realRoots(determinant(b))) {
    const [p, q] = b.map(({ x, y, one }) => [power(x, z), power(y, z), power(one, z)]);
    // The null vector of two rows (x, y, 1).
    let v = cross(p, q);
    const r = [power(b[2].x, z), power(b[2].y, z), power(b[2].one, z)];
    for (const other of [cross(p, r), cross(q, r)]) if (Math.abs(other[2]) > Math.abs(v[2])) v = other;
    if (v[2] === 0) continue;
    const [x, y] = [v[0] / v[2], v[1] / v[2]];
    const matrix = Float64Array.from(e, (c) => c[0] * x + c[1] * y + c[2] * z + c[3]);
    const norm = Math.sqrt(matrix.reduce((s, c) => s + c * c, 0));
    if (Number.isFinite(norm) && norm > 0) out.push(matrix.map((c) => c / norm));
  }
  return out;
}

/** The ten cubic equations: det E = 0 and 2 E Eᵀ E − tr(E Eᵀ) E = 0. */
function constraints(e: readonly Float64Array[]): Float64Array[] {
  const squares: Float64Array[] = [];
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      if (j < i) {
        squares.push(squares[j * 3 + i]);
        continue;
      }
      const s = new Float64Array(10);
      for (let k = 0; k < 3; k++) addProduct11(s, e[i * 3 + k], e[j * 3 + k], 1);
      squares.push(s);
    }
  }
  const half = new Float64Array(10);
  for (let k = 0; k < 10; k++) half[k] = 0.5 * (squares[0][k] + squares[4][k] + squares[8][k]);
  const lambda = squares.map((s, i) => (i % 4 === 0 ? s.map((v, k) => v - half[k]) : s));
  const rows: Float64Array[] = [];
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      const row = new Float64Array(20);
      for (let k = 0; k < 3; k++) addProduct21(row, lambda[i * 3 + k], e[k * 3 + j], 1);
      rows.push(row);
    }
  }
  const det = new Float64Array(20);
  for (let i = 0; i < 3; i++) {
    const [a, b] = [(i + 1) % 3, (i + 2) % 3];
    const minor = new Float64Array(10);
    addProduct11(minor, e[3 + a], e[6 + b], 1);
    addProduct11(minor, e[3 + b], e[6 + a], -1);
    addProduct21(det, minor, e[i], 1);
  }
  rows.push(det);
  return rows;
}

/** Gauss–Jordan elimination of the first ten monomials, with pivots by row. */
function eliminate(rows: Float64Array[]): boolean {
  for (let c = 0; c < 10; c++) {
    let pivot = c;
    for (let r = c + 1; r < 10; r++) if (Math.abs(rows[r][c]) > Math.abs(rows[pivot][c])) pivot = r;
    const row = rows[pivot];
    rows[pivot] = rows[c];
    rows[c] = row;
    const value = row[c];
    if (!(Math.abs(value) > 1e-14)) return false;
    for (let k = c; k < 20; k++) row[k] /= value;
    for (let r = 0; r < 10; r++) {
      // Rows of the first four monomials are not used again.
      if (r === c || (r < c && r < 4)) continue;
      const other = rows[r];
      const f = other[c];
      if (f === 0) continue;
      for (let k = c; k < 20; k++) other[k] -= f * row[k];
    }
  }
  return true;
}

/** An equation in x, y and 1 whose coefficients are polynomials in z, the constant first. */
interface Hidden {
  x: Float64Array;
  y: Float64Array;
  one: Float64Array;
}

/** upper − z · lower, which leaves only x, y and 1 (times powers of z). */
function hidden(upper: Float64Array, lower: Float64Array): Hidden {
  return {
    x: Float64Array.of(upper[12], upper[11] - lower[12], upper[10] - lower[11], -lower[10]),
    y: Float64Array.of(upper[15], upper[14] - lower[15], upper[13] - lower[14], -lower[13]),
    one: Float64Array.of(upper[19], upper[18] - lower[19], upper[17] - lower[18], upper[16] - lower[17], -lower[16]),
  };
}

/** The determinant of three equations: a polynomial of degree 10 in z. */
function determinant(b: readonly Hidden[]): Float64Array {
  const out = new Float64Array(11);
  const add = (p: Float64Array, q: Float64Array, r: Float64Array, sign: number): void => {
    for (let i = 0; i < p.length; i++)
      for (let j = 0; j < q.length; j++) {
        const f = sign * p[i] * q[j];
        for (let k = 0; k < r.length; k++) out[i + j + k] += f * r[k];
      }
  };
  for (let i = 0; i < 3; i++) {
    const [j, k] = [(i + 1) % 3, (i + 2) % 3];
    add(b[j].x, b[k].y, b[i].one, 1);
    add(b[k].x, b[j].y, b[i].one, -1);
  }
  return out;
}

function power(p: Float64Array, z: number): number {
  let value = 0;
  for (let i = p.length - 1; i >= 0; i--) value = value * z + p[i];
  return value;
}

const cross = (a: readonly number[], b: readonly number[]): number[] => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
