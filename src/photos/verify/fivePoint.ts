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

/*
 * Numbers of one sample: allocated once, since a pair takes a thousand samples and small arrays cost more than the
 * arithmetic. A thread works on one sample at a time.
 */
const SYSTEM = new Float64Array(45);
/** Entry e of E = x X + y Y + z Z + W as a polynomial of degree 1: four numbers an entry. */
const ENTRIES = new Float64Array(36);
/** Entries of E Eᵀ, then of E Eᵀ − ½ tr(E Eᵀ) I: ten numbers an entry. */
const SQUARES = new Float64Array(90);
const MINOR = new Float64Array(10);
/** The ten cubic equations: twenty numbers a row. */
const ROWS = new Float64Array(200);
/** Where each row of the elimination lies: rows are exchanged by name. */
const ROW_AT = new Int32Array(10);

/** out += factor · a · b for polynomials of degree 1, each at its place. */
function addProduct11(out: Float64Array, at: number, a: number, b: number, factor: number): void {
  for (let i = 0, k = 0; i < 4; i++) {
    const f = factor * ENTRIES[a + i];
    for (let j = 0; j < 4; j++, k++) out[at + TABLE_11[k]] += f * ENTRIES[b + j];
  }
}

/** A row += a · b, where a is of degree 2 and b an entry of E. */
function addProduct21(at: number, a: Float64Array, first: number, b: number): void {
  for (let i = 0, k = 0; i < 10; i++) {
    const f = a[first + i];
    for (let j = 0; j < 4; j++, k++) ROWS[at + TABLE_21[k]] += f * ENTRIES[b + j];
  }
}

/**
 * Essential matrices E with x₂ᵀ E x₁ = 0 for five correspondences (Nistér 2004). Directions are given as x, y at z = 1.
 *
 * @param points five or more numbers of four: x₁, y₁, x₂, y₂, of which `sample` names five
 * @returns up to ten matrices, row-major, of Frobenius norm 1
 */
export function fivePoint(points: Float64Array, sample: ArrayLike<number>): Mat3[] {
  for (let k = 0; k < 5; k++) {
    const [from, to] = [sample[k] * 4, k * 9];
    const x1 = points[from];
    const y1 = points[from + 1];
    const x2 = points[from + 2];
    const y2 = points[from + 3];
    SYSTEM[to] = x2 * x1;
    SYSTEM[to + 1] = x2 * y1;
    SYSTEM[to + 2] = x2;
    SYSTEM[to + 3] = y2 * x1;
    SYSTEM[to + 4] = y2 * y1;
    SYSTEM[to + 5] = y2;
    SYSTEM[to + 6] = x1;
    SYSTEM[to + 7] = y1;
    SYSTEM[to + 8] = 1;
  }
  const basis = nullSpace(SYSTEM, 5, 9);
  for (let i = 0; i < 9; i++) for (let k = 0; k < 4; k++) ENTRIES[i * 4 + k] = basis[k * 9 + i];
  fillConstraints();
  if (!eliminate()) return [];
  for (let k = 0; k < 3; k++) fillHidden(HIDDEN[k], ROW_AT[4 + 2 * k], ROW_AT[5 + 2 * k]);
  const [p, q, r] = HIDDEN;
  const out: Mat3[] = [];
  for (const z of realRoots(determinant())) {
    // The null vector (x, y, 1) of two of the three equations: of those two that give it best.
    let [x, y, one] = [0, 0, 0];
    for (const [s, t] of [
      [p, q],
      [p, r],
      [q, r],
    ]) {
      const [sx, sy, s1] = [power(s.x, z), power(s.y, z), power(s.one, z)];
      const [tx, ty, t1] = [power(t.x, z), power(t.y, z), power(t.one, z)];
      const w = sx * ty - sy * tx;
      if (Math.abs(w) <= Math.abs(one)) continue;
      [x, y, one] = [sy * t1 - s1 * ty, s1 * tx - sx * t1, w];
    }
    if (one === 0) continue;
    x /= one;
    y /= one;
    const matrix = new Float64Array(9);
    let square = 0;
    for (let i = 0, e = 0; i < 9; i++, e += 4) {
      matrix[i] = ENTRIES[e] * x + ENTRIES[e + 1] * y + ENTRIES[e + 2] * z + ENTRIES[e + 3];
      square += matrix[i] * matrix[i];
    }
    if (!(Number.isFinite(square) && square > 0)) continue;
    const norm = Math.sqrt(square);
    for (let i = 0; i < 9; i++) matrix[i] /= norm;
    out.push(matrix);
  }
  return out;
}

/** The ten cubic equations: 2 E Eᵀ E − tr(E Eᵀ) E = 0 and det E = 0. */
function fillConstraints(): void {
  SQUARES.fill(0);
  ROWS.fill(0);
  for (let i = 0; i < 3; i++) {
    for (let j = i; j < 3; j++) {
      const at = (i * 3 + j) * 10;
      for (let k = 0; k < 3; k++) addProduct11(SQUARES, at, (i * 3 + k) * 4, (j * 3 + k) * 4, 1);
      if (j > i) SQUARES.copyWithin((j * 3 + i) * 10, at, at + 10);
    }
  }
  for (let k = 0; k < 10; k++) {
    const half = 0.5 * (SQUARES[k] + SQUARES[40 + k] + SQUARES[80 + k]);
    for (let i = 0; i < 90; i += 40) SQUARES[i + k] -= half;
  }
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++)
      for (let k = 0; k < 3; k++) addProduct21((i * 3 + j) * 20, SQUARES, (i * 3 + k) * 10, (k * 3 + j) * 4);
  for (let i = 0; i < 3; i++) {
    const [a, b] = [(i + 1) % 3, (i + 2) % 3];
    MINOR.fill(0);
    addProduct11(MINOR, 0, (3 + a) * 4, (6 + b) * 4, 1);
    addProduct11(MINOR, 0, (3 + b) * 4, (6 + a) * 4, -1);
    addProduct21(180, MINOR, 0, i * 4);
  }
}

/** Gauss–Jordan elimination of the first ten monomials, with pivots by row. */
function eliminate(): boolean {
  for (let r = 0; r < 10; r++) ROW_AT[r] = r * 20;
  for (let c = 0; c < 10; c++) {
    let pivot = c;
    for (let r = c + 1; r < 10; r++) if (Math.abs(ROWS[ROW_AT[r] + c]) > Math.abs(ROWS[ROW_AT[pivot] + c])) pivot = r;
    const row = ROW_AT[pivot];
    ROW_AT[pivot] = ROW_AT[c];
    ROW_AT[c] = row;
    const value = ROWS[row + c];
    if (!(Math.abs(value) > 1e-14)) return false;
    for (let k = c; k < 20; k++) ROWS[row + k] /= value;
    // Rows of the first four monomials are not used again.
    for (let r = c < 4 ? c + 1 : 4; r < 10; r++) {
      if (r === c) continue;
      const other = ROW_AT[r];
      const f = ROWS[other + c];
      if (f === 0) continue;
      for (let k = c; k < 20; k++) ROWS[other + k] -= f * ROWS[row + k];
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

const HIDDEN: readonly Hidden[] = [0, 1, 2].map(() => ({
  x: new Float64Array(4),
  y: new Float64Array(4),
  one: new Float64Array(5),
}));

/** upper − z · lower, which leaves only x, y and 1 (times powers of z). */
function fillHidden({ x, y, one }: Hidden, upper: number, lower: number): void {
  for (const [out, last] of [
    [x, 12],
    [y, 15],
    [one, 19],
  ] as const) {
    const degree = out.length - 1;
    out[0] = ROWS[upper + last];
    for (let i = 1; i < degree; i++) out[i] = ROWS[upper + last - i] - ROWS[lower + last - i + 1];
    out[degree] = -ROWS[lower + last - degree + 1];
  }
}

const DETERMINANT = new Float64Array(11);

/** The determinant of the three equations: a polynomial of degree 10 in z. */
function determinant(): Float64Array {
  DETERMINANT.fill(0);
  for (let i = 0; i < 3; i++) {
    const [j, k] = [(i + 1) % 3, (i + 2) % 3];
    addProduct(HIDDEN[j].x, HIDDEN[k].y, HIDDEN[i].one, 1);
    addProduct(HIDDEN[k].x, HIDDEN[j].y, HIDDEN[i].one, -1);
  }
  return DETERMINANT;
}

function addProduct(p: Float64Array, q: Float64Array, r: Float64Array, sign: number): void {
  for (let i = 0; i < p.length; i++)
    for (let j = 0; j < q.length; j++) {
      const f = sign * p[i] * q[j];
      for (let k = 0; k < r.length; k++) DETERMINANT[i + j + k] += f * r[k];
    }
}

function power(p: Float64Array, z: number): number {
  let value = 0;
  for (let i = p.length - 1; i >= 0; i--) value = value * z + p[i];
  return value;
}
