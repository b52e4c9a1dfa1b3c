import type { ColorImage } from '../../core/image.js';
import type { ImagePlanes } from './planes.js';

/**
 * Mean absolute difference of the three channels (sRGB, 0…1) that gets the brightest colour; the same in every view and
 * report.
 */
export const ERROR_FULL_SCALE = 0.25;

/**
 * Black, violet, magenta, orange, yellow: lightness rises evenly, so the order survives in grey and for colour-blind
 * eyes.
 */
export const ERROR_COLOURS: readonly (readonly [number, number, number])[] = [
  [10, 8, 20],
  [58, 15, 110],
  [140, 41, 129],
  [222, 73, 104],
  [254, 159, 109],
  [252, 253, 191],
];

/** Heat map of the mean absolute difference of two pictures of the same size, as an opaque image. */
export function errorImage(a: ImagePlanes, b: ImagePlanes): ColorImage {
  const data = new Uint8ClampedArray(a.width * a.height * 4);
  const channels = a.planes.length;
  const last = ERROR_COLOURS.length - 1;
  for (let i = 0; i < a.width * a.height; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += Math.abs(a.planes[c][i] - b.planes[c][i]);
    const t = Math.min(1, sum / channels / ERROR_FULL_SCALE) * last;
    const k = Math.min(last - 1, Math.floor(t));
    for (let c = 0; c < 3; c++) {
      data[i * 4 + c] = ERROR_COLOURS[k][c] + (t - k) * (ERROR_COLOURS[k + 1][c] - ERROR_COLOURS[k][c]);
    }
    data[i * 4 + 3] = 255;
  }
  return { width: a.width, height: a.height, data };
}
