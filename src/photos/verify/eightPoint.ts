import { type Mat3, multiply3, svd3, transpose3 } from '../solve/svd3.js';
import { symmetricEigen } from '../solve/symmetricEigen.js';

/**
 * The fundamental matrix that fits weighted correspondences best in the algebraic sense, of rank 2 (Hartley's
 * normalised eight-point method).
 *
 * @param points x₁, y₁, x₂, y₂ of every correspondence
 * @param weights one a correspondence; eight or more are not zero
 */
export function eightPoint(points: Float64Array, weights: ArrayLike<number>): Mat3 | undefined {
  const [t1, t2] = [normalising(points, weights, 0), normalising(points, weights, 2)];
  if (!t1 || !t2) return undefined;
  const normal = new Float64Array(81);
  const row = new Float64Array(9);
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i];
    if (w === 0) continue;
    const x1 = (points[i * 4] - t1.x) * t1.s;
    const y1 = (points[i * 4 + 1] - t1.y) * t1.s;
    const x2 = (points[i * 4 + 2] - t2.x) * t2.s;
    const y2 = (points[i * 4 + 3] - t2.y) * t2.s;
    row[0] = x2 * x1;
    row[1] = x2 * y1;
    row[2] = x2;
    row[3] = y2 * x1;
    row[4] = y2 * y1;
    row[5] = y2;
    row[6] = x1;
    row[7] = y1;
    row[8] = 1;
    for (let r = 0; r < 9; r++) {
      const f = w * row[r];
      for (let c = r; c < 9; c++) normal[r * 9 + c] += f * row[c];
    }
  }
  for (let r = 0; r < 9; r++) for (let c = 0; c < r; c++) normal[r * 9 + c] = normal[c * 9 + r];
  const { vectors } = symmetricEigen(normal, 9);
  const { u, s, v } = svd3(vectors.subarray(0, 9));
  const flat = multiply3(
    Float64Array.from(u, (x, i) => x * [s[0], s[1], 0][i % 3]),
    transpose3(v),
  );
  const matrix = ({ s: k, x, y }: Normalising): Mat3 => Float64Array.of(k, 0, -k * x, 0, k, -k * y, 0, 0, 1);
  const f = multiply3(transpose3(matrix(t2)), multiply3(flat, matrix(t1)));
  const norm = Math.sqrt(f.reduce((sum, x) => sum + x * x, 0));
  return norm > 0 ? f.map((x) => x / norm) : undefined;
}

interface Normalising {
  s: number;
  x: number;
  y: number;
}

/** Brings the weighted points at offset 0 or 2 to mean 0 and mean distance √2. */
function normalising(points: Float64Array, weights: ArrayLike<number>, offset: number): Normalising | undefined {
  let [sum, x, y] = [0, 0, 0];
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i];
    x += weights[i] * points[i * 4 + offset];
    y += weights[i] * points[i * 4 + offset + 1];
  }
  if (!(sum > 0)) return undefined;
  x /= sum;
  y /= sum;
  let distance = 0;
  for (let i = 0; i < weights.length; i++) {
    const [dx, dy] = [points[i * 4 + offset] - x, points[i * 4 + offset + 1] - y];
    distance += weights[i] * Math.sqrt(dx * dx + dy * dy);
  }
  return distance > 0 ? { s: (Math.SQRT2 * sum) / distance, x, y } : undefined;
}
