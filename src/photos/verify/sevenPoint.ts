import { nullSpace } from '../solve/nullSpace.js';
import { realRoots } from '../solve/polynomial.js';
import type { Mat3 } from '../solve/svd3.js';

/**
 * Fundamental matrices F with x₂ᵀ F x₁ = 0 for seven correspondences (Hartley and Zisserman 2004, 11.1.2).
 *
 * @param points x₁, y₁, x₂, y₂ of every correspondence, of about unit size; `sample` names seven
 * @returns one to three matrices, row-major, of Frobenius norm about 1
 */
export function sevenPoint(points: Float64Array, sample: ArrayLike<number>): Mat3[] {
  const system = new Float64Array(63);
  for (let k = 0; k < 7; k++) {
    const at = sample[k] * 4;
    const [x1, y1, x2, y2] = [points[at], points[at + 1], points[at + 2], points[at + 3]];
    system.set([x2 * x1, x2 * y1, x2, y2 * x1, y2 * y1, y2, x1, y1, 1], k * 9);
  }
  const basis = nullSpace(system, 7, 9);
  const [a, b] = [basis.subarray(0, 9), basis.subarray(9, 18)];
  // det(a + s b) is a cubic in s: found from its values at four places.
  const at = (s: number): number => determinant(Float64Array.from(a, (v, i) => v + s * b[i]));
  const [d0, d1, dm] = [determinant(a), at(1), at(-1)];
  const d3 = determinant(b);
  const d2 = (d1 + dm) / 2 - d0;
  const cubic = [d0, (d1 - dm) / 2 - d3, d2, d3];
  return realRoots(cubic).map((s) => {
    const f = Float64Array.from(a, (v, i) => v + s * b[i]);
    const norm = Math.sqrt(f.reduce((sum, v) => sum + v * v, 0));
    return f.map((v) => v / norm);
  });
}

const determinant = (m: ArrayLike<number>): number =>
  m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6]);
