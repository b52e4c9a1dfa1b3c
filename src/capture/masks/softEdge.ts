import type { ColorImage } from '../../core/image.js';

/** Half-width, in work pixels, of the band in which the edge may run. */
const BAND = 2.5;
/** Reach of the local means of object and background colour, in work pixels. */
const REACH = 7;
/** Colour distance below which object and background cannot be told apart. */
const CONTRAST = 14;

/**
 * Draws a mask at full size. Inside a narrow band along the outline, a pixel's value is the share of the object's
 * colour in it, between the local means of the object's and the background's colours on both sides (so a shadow counts
 * as background). Where the two do not differ, the outline itself decides: that of the prior, if there is one.
 *
 * @param work the picture at work size; `inside` and `distance` (signed, in its pixels, positive inside) belong to it
 */
export function softEdge(
  image: ColorImage,
  work: ColorImage,
  inside: Uint8Array,
  distance: Float32Array,
  prior?: { distance: Float32Array },
): Uint8Array {
  const { width, height } = work;
  const object = localMean(work, (i) => distance[i] > 1.5 && distance[i] < 1.5 + REACH, distance);
  const ground = localMean(work, (i) => distance[i] < -1.5 && distance[i] > -1.5 - REACH, distance);
  const mask = new Uint8Array(image.width * image.height);
  const sx = width / image.width;
  const sy = height / image.height;
  for (let y = 0; y < image.height; y++) {
    const v = Math.min(height - 1.001, Math.max(0, (y + 0.5) * sy - 0.5));
    const y0 = Math.floor(v);
    const fy = v - y0;
    const cellRow = Math.min(height - 1, Math.floor((y + 0.5) * sy)) * width;
    for (let x = 0; x < image.width; x++) {
      const cell = cellRow + Math.min(width - 1, Math.floor((x + 0.5) * sx));
      const o = y * image.width + x;
      if (Math.abs(distance[cell]) > BAND + 1) {
        mask[o] = inside[cell] ? 255 : 0;
        continue;
      }
      const u = Math.min(width - 1.001, Math.max(0, (x + 0.5) * sx - 0.5));
      const x0 = Math.floor(u);
      const fx = u - x0;
      const c = y0 * width + x0;
      const between = (d: Float32Array): number =>
        (d[c] * (1 - fx) + d[c + 1] * fx) * (1 - fy) + (d[c + width] * (1 - fx) + d[c + width + 1] * fx) * fy;
      const d = between(distance);
      let dot = 0;
      let square = 0;
      const known = object.weight[cell] > 0 && ground.weight[cell] > 0;
      if (known) {
        for (let k = 0; k < 3; k++) {
          const f = object.mean[cell * 3 + k];
          const b = ground.mean[cell * 3 + k];
          dot += (image.data[o * 4 + k] - b) * (f - b);
          square += (f - b) ** 2;
        }
      }
      const shape = 0.5 + (prior ? between(prior.distance) : d) / sx;
      const trust = Math.max(0, Math.min(1, (Math.sqrt(square) - CONTRAST) / CONTRAST));
      let alpha = shape;
      if (trust > 0) alpha = trust * (dot / square) + (1 - trust) * Math.max(0, Math.min(1, shape));
      // Texture in the object must not make holes, nor noise in the background islands.
      alpha = Math.max(alpha, (d - 1) / (BAND - 1));
      alpha = Math.min(alpha, 1 + (d + 1) / (BAND - 1));
      mask[o] = 255 * Math.max(0, Math.min(1, alpha));
    }
  }
  return mask;
}

/** Means of the chosen pixels' colours within `REACH`, for every pixel near the outline. */
function localMean(
  work: ColorImage,
  chosen: (i: number) => boolean,
  distance: Float32Array,
): { mean: Float32Array; weight: Float32Array } {
  const { width, height, data } = work;
  const near = Math.ceil(BAND + 2 + 1.5 + REACH);
  // Separable box sums of colour and count.
  const rows = new Float32Array(width * height * 4);
  const line = new Float32Array((width + 1) * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const take = Math.abs(distance[i]) < near && chosen(i) ? 1 : 0;
      const p = (x + 1) * 4;
      for (let k = 0; k < 3; k++) line[p + k] = line[p - 4 + k] + take * data[i * 4 + k];
      line[p + 3] = line[p - 1] + take;
    }
    for (let x = 0; x < width; x++) {
      const a = Math.max(0, x - REACH) * 4;
      const b = Math.min(width, x + REACH + 1) * 4;
      for (let k = 0; k < 4; k++) rows[(y * width + x) * 4 + k] = line[b + k] - line[a + k];
    }
  }
  const mean = new Float32Array(width * height * 3);
  const weight = new Float32Array(width * height);
  const sums = new Float64Array(width * 4);
  for (let y = -REACH; y < height; y++) {
    const enter = y + REACH;
    if (enter < height) for (let q = 0; q < width * 4; q++) sums[q] += rows[enter * width * 4 + q];
    const leave = y - REACH - 1;
    if (leave >= 0) for (let q = 0; q < width * 4; q++) sums[q] -= rows[leave * width * 4 + q];
    if (y < 0) continue;
    for (let x = 0; x < width; x++) {
      const n = sums[x * 4 + 3];
      if (n < 0.5) continue;
      const i = y * width + x;
      weight[i] = n;
      for (let k = 0; k < 3; k++) mean[i * 3 + k] = sums[x * 4 + k] / n;
    }
  }
  return { mean, weight };
}
