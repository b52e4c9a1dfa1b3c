/**
 * A lens that photos share: pixels of the photo as stored. With (x, y) = direction / depth: pixel = c + f (1 + k₁ r² +
 * k₂ r⁴) (x, y).
 */
export interface PhotoLens {
  width: number;
  height: number;
  f: number;
  cx: number;
  cy: number;
  k1: number;
  k2: number;
  /** Focal length in pixels that EXIF or the user stated. */
  stated?: number;
  /** Not to be changed. */
  fixed?: boolean;
}

/**
 * Directions at z = 1 of pixels (x, y interleaved): the lens's distortion undone by Newton's iteration on the radius.
 */
export function undistortPixels(lens: PhotoLens, pixels: ArrayLike<number>): Float64Array {
  const { f, cx, cy, k1, k2 } = lens;
  const rays = new Float64Array(pixels.length);
  for (let i = 0; i < pixels.length; i += 2) {
    const x = (pixels[i] - cx) / f;
    const y = (pixels[i + 1] - cy) / f;
    const s = k1 === 0 && k2 === 0 ? 1 : undistortFactor(x * x + y * y, k1, k2);
    rays[i] = x * s;
    rays[i + 1] = y * s;
  }
  return rays;
}

/** Undistorted over distorted radius, for the square of the distorted one. */
function undistortFactor(square: number, k1: number, k2: number): number {
  const target = Math.sqrt(square);
  if (target === 0) return 1;
  let r = target;
  for (let step = 0; step < 12; step++) {
    const r2 = r * r;
    const value = r * (1 + r2 * (k1 + r2 * k2)) - target;
    const slope = 1 + r2 * (3 * k1 + 5 * r2 * k2);
    if (!(slope > 0.1)) return r / target;
    const change = value / slope;
    r -= change;
    if (Math.abs(change) < 1e-14 * target) break;
  }
  return r / target;
}

/** The longer side of the photo. */
export const longerSide = ({ width, height }: { width: number; height: number }): number => Math.max(width, height);
