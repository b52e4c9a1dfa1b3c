import type { FloatImage } from '../../core/image.js';

/** Error of a depth map against its reference, in scene units. */
export interface DepthError {
  /** Mean absolute error over pixels where both have depth; 0 where there is none. */
  mae: number;
  /** Root of the mean squared error over the same pixels. */
  rmse: number;
  /** Pixels where both have depth. */
  pixels: number;
  /** Share of the reference's pixels where the other has no depth, 0…1. */
  missing: number;
  /** Pixels with depth in the other only, as a share of the reference's pixels. */
  extra: number;
}

/**
 * Compares distances along the viewing axis; a value that is not finite or ≤ 0 means "none".
 * @returns `null` where the reference has no depth at all.
 * @throws `RangeError` where the sizes differ.
 */
export function depthError(reference: FloatImage, other: FloatImage): DepthError | null {
  if (reference.width !== other.width || reference.height !== other.height) {
    throw new RangeError(
      `depth maps of ${reference.width} × ${reference.height} and ${other.width} × ${other.height} pixels`,
    );
  }
  let sum = 0;
  let squares = 0;
  let pixels = 0;
  let known = 0;
  let extra = 0;
  for (let i = 0; i < reference.data.length; i++) {
    const a = reference.data[i];
    const b = other.data[i];
    const hasA = a > 0 && a < Number.POSITIVE_INFINITY;
    const hasB = b > 0 && b < Number.POSITIVE_INFINITY;
    if (hasA) known++;
    else if (hasB) extra++;
    if (!(hasA && hasB)) continue;
    const d = Math.abs(a - b);
    sum += d;
    squares += d * d;
    pixels++;
  }
  if (known === 0) return null;
  return {
    mae: pixels > 0 ? sum / pixels : 0,
    rmse: pixels > 0 ? Math.sqrt(squares / pixels) : 0,
    pixels,
    missing: (known - pixels) / known,
    extra: extra / known,
  };
}
