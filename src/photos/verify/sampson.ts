import type { Mat3 } from '../solve/svd3.js';

/** Square of the Sampson distance of correspondence `i` (x₁, y₁, x₂, y₂) from the epipolar geometry x₂ᵀ F x₁ = 0. */
export function sampsonError(f: Mat3, points: Float64Array, i: number): number {
  const at = i * 4;
  const x1 = points[at];
  const y1 = points[at + 1];
  const x2 = points[at + 2];
  const y2 = points[at + 3];
  const a = f[0] * x1 + f[1] * y1 + f[2];
  const b = f[3] * x1 + f[4] * y1 + f[5];
  const c = f[6] * x1 + f[7] * y1 + f[8];
  const d = f[0] * x2 + f[3] * y2 + f[6];
  const e = f[1] * x2 + f[4] * y2 + f[7];
  const value = x2 * a + y2 * b + c;
  return (value * value) / (a * a + b * b + d * d + e * e + 1e-300);
}
