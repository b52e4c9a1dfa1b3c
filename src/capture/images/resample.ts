import { type ColorImage, type FloatImage, linearToSrgb, srgbToLinear } from '../../core/image.js';

/** sRGB byte to linear light. */
export const LINEAR: Float32Array = Float32Array.from({ length: 256 }, (_, i) => srgbToLinear(i / 255));
const ENCODED: Uint8Array = Uint8Array.from({ length: 4096 * 4 + 1 }, (_, i) =>
  Math.round(255 * linearToSrgb(i / (4096 * 4))),
);

/** Linear light in 0…1 to an sRGB byte (error below one step). */
export const encodeSrgb = (v: number): number => ENCODED[v <= 0 ? 0 : v >= 1 ? 16384 : Math.round(v * 16384)];

/** The size at which the longer side is at most `maxSize`; never larger than the image. */
export function fittedSize(width: number, height: number, maxSize?: number): { width: number; height: number } {
  const longer = Math.max(width, height);
  if (!maxSize || longer <= maxSize) return { width, height };
  const s = maxSize / longer;
  return { width: Math.max(1, Math.round(width * s)), height: Math.max(1, Math.round(height * s)) };
}

/**
 * For each output sample along one axis: the first input sample it covers, and the share of each that falls into it.
 */
function coverage(input: number, output: number): { first: Int32Array; weights: Float32Array[] } {
  const step = input / output;
  const first = new Int32Array(output);
  const weights: Float32Array[] = [];
  for (let o = 0; o < output; o++) {
    const from = o * step;
    const to = Math.min(input, (o + 1) * step);
    const a = Math.floor(from);
    const b = Math.max(a + 1, Math.ceil(to - 1e-9));
    first[o] = a;
    weights.push(
      Float32Array.from({ length: b - a }, (_, i) => (Math.min(to, a + i + 1) - Math.max(from, a + i)) / step),
    );
  }
  return { first, weights };
}

/**
 * Scales a picture down by exact area averaging of linear light, weighted with alpha, so that neither dark fringes nor
 * background colour bleed into the object's edge. Never scales up.
 */
export function areaDownscale(image: ColorImage, width: number, height: number): ColorImage {
  if (width === image.width && height === image.height) return image;
  const across = coverage(image.width, width);
  const down = coverage(image.height, height);
  const data = new Uint8ClampedArray(width * height * 4);
  const row = new Float32Array(width * 4);
  for (let y = 0; y < height; y++) {
    row.fill(0);
    const rows = down.weights[y];
    for (let i = 0; i < rows.length; i++) {
      const base = (down.first[y] + i) * image.width * 4;
      for (let x = 0; x < width; x++) {
        const columns = across.weights[x];
        let r = 0;
        let g = 0;
        let b = 0;
        let a = 0;
        let p = base + across.first[x] * 4;
        for (let k = 0; k < columns.length; k++, p += 4) {
          const w = columns[k] * image.data[p + 3];
          r += w * LINEAR[image.data[p]];
          g += w * LINEAR[image.data[p + 1]];
          b += w * LINEAR[image.data[p + 2]];
          a += w;
        }
        const o = x * 4;
        row[o] += rows[i] * r;
        row[o + 1] += rows[i] * g;
        row[o + 2] += rows[i] * b;
        row[o + 3] += rows[i] * a;
      }
    }
    for (let x = 0, o = y * width * 4; x < width; x++, o += 4) {
      const a = row[x * 4 + 3];
      if (a <= 0) continue;
      data[o] = encodeSrgb(row[x * 4] / a);
      data[o + 1] = encodeSrgb(row[x * 4 + 1] / a);
      data[o + 2] = encodeSrgb(row[x * 4 + 2] / a);
      data[o + 3] = a;
    }
  }
  return { width, height, data };
}

/** Takes the nearest sample: depth must never be averaged across an edge. */
export function nearestResize(image: FloatImage, width: number, height: number): FloatImage {
  if (width === image.width && height === image.height) return image;
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const base = Math.floor(((y + 0.5) * image.height) / height) * image.width;
    for (let x = 0; x < width; x++) {
      data[y * width + x] = image.data[base + Math.floor(((x + 0.5) * image.width) / width)];
    }
  }
  return { width, height, data };
}

/** Bilinear resampling of one 8-bit channel, for masks whose size differs from their picture's. */
export function resizeMask(
  mask: { width: number; height: number; data: Uint8Array },
  width: number,
  height: number,
): Uint8Array {
  if (width === mask.width && height === mask.height) return mask.data;
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const v = Math.min(mask.height - 1, Math.max(0, ((y + 0.5) * mask.height) / height - 0.5));
    const y0 = Math.floor(v);
    const y1 = Math.min(mask.height - 1, y0 + 1);
    const fy = v - y0;
    for (let x = 0; x < width; x++) {
      const u = Math.min(mask.width - 1, Math.max(0, ((x + 0.5) * mask.width) / width - 0.5));
      const x0 = Math.floor(u);
      const x1 = Math.min(mask.width - 1, x0 + 1);
      const fx = u - x0;
      const top = mask.data[y0 * mask.width + x0] * (1 - fx) + mask.data[y0 * mask.width + x1] * fx;
      const bottom = mask.data[y1 * mask.width + x0] * (1 - fx) + mask.data[y1 * mask.width + x1] * fx;
      out[y * width + x] = Math.round(top * (1 - fy) + bottom * fy);
    }
  }
  return out;
}
