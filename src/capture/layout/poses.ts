import type { Mat4 } from '../../core/math.js';

/** Whether two cameras are the same but for rounding. */
export const isSamePose = (a: Mat4, b: Mat4): boolean => {
  const size = Math.max(1, ...[12, 13, 14].map((i) => Math.abs(a[i])));
  return a.every((v, i) => Math.abs(v - b[i]) <= 1e-6 * size);
};

/**
 * A camera matrix with its uniform scale taken out of the axes; the position stays. What is not uniformly scaled is
 * returned as it is: a check for rigid motions tells what is wrong with it.
 */
export function withoutScale(matrix: Mat4): { matrix: Mat4; scale: number } {
  const lengths = [0, 4, 8].map((i) => Math.hypot(matrix[i], matrix[i + 1], matrix[i + 2]));
  const scale = (lengths[0] + lengths[1] + lengths[2]) / 3;
  const isUniform = scale > 1e-9 && lengths.every((length) => Math.abs(length / scale - 1) < 0.01);
  if (!isUniform || Math.abs(scale - 1) < 1e-3) return { matrix, scale: 1 };
  return { matrix: matrix.map((v, i) => (i < 12 && i % 4 !== 3 ? v / scale : v)), scale };
}
