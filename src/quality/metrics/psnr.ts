import { assertSameShape, type ImagePlanes, pixelsOf } from './planes.js';

/** What two identical images score, since infinity has no place in JSON. Anything above is reported as this. */
export const PSNR_MAX = 100;

/** Peak signal-to-noise ratio in dB of a mean squared error of values in 0…1. */
export const psnrOfMse = (mse: number): number => Math.min(PSNR_MAX, mse > 0 ? -10 * Math.log10(mse) : PSNR_MAX);

/**
 * PSNR in dB with a peak of 1: the squared error is averaged over all pixels and channels, then turned into dB.
 * @param mask one byte per pixel; only pixels that are not 0 count. Default: all.
 * @returns `null` where the mask is empty.
 */
export function psnr(a: ImagePlanes, b: ImagePlanes, mask?: Uint8Array): number | null {
  assertSameShape(a, b);
  let sum = 0;
  let count = mask ? 0 : a.planes.length * pixelsOf(a);
  for (let c = 0; c < a.planes.length; c++) {
    const x = a.planes[c];
    const y = b.planes[c];
    for (let i = 0; i < x.length; i++) {
      if (mask) {
        if (mask[i] === 0) continue;
        count++;
      }
      const d = x[i] - y[i];
      sum += d * d;
    }
  }
  return count === 0 ? null : psnrOfMse(sum / count);
}
