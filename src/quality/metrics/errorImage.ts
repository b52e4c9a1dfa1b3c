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
const COLOURS = Float64Array.from(ERROR_COLOURS.flat());
const ORIGIN = { left: 0, top: 0 };

/**
 * Heat map of the mean absolute difference of two pictures of the same size, as an opaque image.
 * @param at where the planes stand in their frame, if they are cut from one; around them nothing differs
 */
export function errorImage(a: ImagePlanes, b: ImagePlanes, at: { left: number; top: number } = ORIGIN): ColorImage {
  const { width, height } = a.frame ?? a;
  const data = new Uint8ClampedArray(width * height * 4);
  new Uint32Array(data.buffer).fill(new Uint32Array(Uint8Array.of(...ERROR_COLOURS[0], 255).buffer)[0]);
  const channels = a.planes.length;
  const last = ERROR_COLOURS.length - 1;
  for (let y = 0; y < a.height; y++) {
    let out = ((at.top + y) * width + at.left) * 4;
    for (let i = y * a.width; i < (y + 1) * a.width; i++, out += 4) {
      let sum = 0;
      for (let c = 0; c < channels; c++) sum += Math.abs(a.planes[c][i] - b.planes[c][i]);
      if (sum === 0) continue;
      const t = Math.min(1, sum / channels / ERROR_FULL_SCALE) * last;
      const k = Math.min(last - 1, Math.floor(t));
      for (let c = 0; c < 3; c++)
        data[out + c] = COLOURS[k * 3 + c] + (t - k) * (COLOURS[k * 3 + 3 + c] - COLOURS[k * 3 + c]);
    }
  }
  return { width, height, data };
}
