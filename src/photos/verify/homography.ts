import { nullSpace } from '../solve/nullSpace.js';
import type { Mat3 } from '../solve/svd3.js';
import { symmetricEigen } from '../solve/symmetricEigen.js';

/**
 * The homography with x₂ ~ H x₁ that fits the correspondences named by `sample` (four or more) best in the algebraic
 * sense.
 *
 * @param points x₁, y₁, x₂, y₂ of every correspondence, of about unit size
 */
export function homography(points: Float64Array, sample: ArrayLike<number>): Mat3[] {
  if (sample.length === 4) return [throughFour(points, sample)];
  const normal = new Float64Array(81);
  const row = new Float64Array(9);
  for (let k = 0; k < sample.length; k++) {
    const at = sample[k] * 4;
    const [x1, y1, x2, y2] = [points[at], points[at + 1], points[at + 2], points[at + 3]];
    for (const [from, factor] of [
      [0, x2],
      [3, y2],
    ]) {
      row.fill(0);
      row[from] = x1;
      row[from + 1] = y1;
      row[from + 2] = 1;
      row[6] = -factor * x1;
      row[7] = -factor * y1;
      row[8] = -factor;
      for (let r = 0; r < 9; r++) {
        if (row[r] === 0) continue;
        for (let c = 0; c < 9; c++) normal[r * 9 + c] += row[r] * row[c];
      }
    }
  }
  const { vectors } = symmetricEigen(normal, 9);
  return [vectors.slice(0, 9)];
}

/** The homography through four correspondences: what is at right angles to their eight equations. */
function throughFour(points: Float64Array, sample: ArrayLike<number>): Mat3 {
  const system = new Float64Array(72);
  for (let k = 0; k < 4; k++) {
    const at = sample[k] * 4;
    for (let row = 0; row < 2; row++) {
      const [to, factor] = [(k * 2 + row) * 9, points[at + 2 + row]];
      system[to + 3 * row] = points[at];
      system[to + 3 * row + 1] = points[at + 1];
      system[to + 3 * row + 2] = 1;
      system[to + 6] = -factor * points[at];
      system[to + 7] = -factor * points[at + 1];
      system[to + 8] = -factor;
    }
  }
  return nullSpace(system, 8, 9);
}

/** Square of the distance in the second picture between x₂ and H x₁. */
export function transferError(h: Mat3, points: Float64Array, i: number): number {
  const at = i * 4;
  const [x1, y1] = [points[at], points[at + 1]];
  const w = h[6] * x1 + h[7] * y1 + h[8];
  const dx = (h[0] * x1 + h[1] * y1 + h[2]) / w - points[at + 2];
  const dy = (h[3] * x1 + h[4] * y1 + h[5]) / w - points[at + 3];
  return dx * dx + dy * dy;
}
