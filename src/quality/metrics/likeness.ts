import type { ImagePlanes } from './planes.js';

/** Noise of a camera and of 8-bit rounding, as a standard deviation of values 0…1. */
const NOISE = 1.5 / 255;
/** Standard deviation of a picture below which there is no structure to compare. */
const PLAIN = 3 / 255;

/**
 * How much of a picture's own variation a render explains where `both` is not 0: 1 − (mean squared error − noise) ⁄
 * variance, the coefficient of determination over all three channels. Unlike PSNR it does not praise a pale object for
 * being pale: 1 is a perfect render, 0 is no better than painting the object in its mean colour. Values below −1 are
 * given as −1.
 * @returns `null` where the picture is so plain that nothing can be told
 */
export function explainedVariation(picture: ImagePlanes, render: ImagePlanes, both: Uint8Array): number | null {
  let count = 0;
  let error = 0;
  let variance = 0;
  for (let c = 0; c < 3; c++) {
    const [a, b] = [picture.planes[c], render.planes[c]];
    let sum = 0;
    let squares = 0;
    let n = 0;
    for (let i = 0; i < both.length; i++) {
      if (both[i] === 0) continue;
      n++;
      sum += a[i];
      squares += a[i] * a[i];
      error += (a[i] - b[i]) ** 2;
    }
    count += n;
    if (n > 0) variance += squares - (sum * sum) / n;
  }
  if (count === 0 || variance / count < PLAIN * PLAIN) return null;
  return Math.max(-1, 1 - Math.max(0, error - count * NOISE * NOISE) / variance);
}
