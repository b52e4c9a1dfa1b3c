/**
 * Bilinear resize without antialiasing, pixel centres at +0.5, edges repeated, as PyTorch's `interpolate` does it.
 * @param data channel after channel, each rows of pixels
 */
export function resizeBilinear(
  data: Float32Array,
  channels: number,
  from: { width: number; height: number },
  to: { width: number; height: number },
): Float32Array {
  const result = new Float32Array(channels * to.width * to.height);
  const columns = bilinearTaps(from.width, to.width);
  const rows = bilinearTaps(from.height, to.height);
  for (let c = 0; c < channels; c++) {
    const plane = data.subarray(c * from.width * from.height, (c + 1) * from.width * from.height);
    for (let y = 0; y < to.height; y++) {
      const above = rows[y].first * from.width;
      const below = rows[y].second * from.width;
      for (let x = 0; x < to.width; x++) {
        const { first, second, weight } = columns[x];
        const top = plane[above + first] * (1 - weight) + plane[above + second] * weight;
        const bottom = plane[below + first] * (1 - weight) + plane[below + second] * weight;
        result[(c * to.height + y) * to.width + x] = top * (1 - rows[y].weight) + bottom * rows[y].weight;
      }
    }
  }
  return result;
}

function bilinearTaps(from: number, to: number): { first: number; second: number; weight: number }[] {
  const scale = Math.fround(from / to);
  return Array.from({ length: to }, (_, i) => {
    const at = Math.max(0, Math.fround(Math.fround(scale * (i + 0.5)) - 0.5));
    const first = Math.min(Math.floor(at), from - 1);
    return { first, second: Math.min(first + 1, from - 1), weight: Math.fround(at - first) };
  });
}

/** Bits after the point of the filter's weights: Pillow's own, so that results are its bytes. */
const PRECISION = 22;

/**
 * Lanczos resize of 8-bit pixels with Pillow's arithmetic: a window of 3 (times the scale where it shrinks), weights in
 * fixed point, columns first, each pass rounded to bytes. With four channels the last is alpha: colours are weighted by
 * it. The same size gives a copy.
 * @param channels 1, 3 or 4, interleaved
 */
export function resizeLanczos(
  data: Uint8Array | Uint8ClampedArray,
  channels: number,
  from: { width: number; height: number },
  to: { width: number; height: number },
): Uint8Array {
  if (from.width === to.width && from.height === to.height) return Uint8Array.from(data);
  let pixels = channels === 4 ? premultiply(data) : Uint8Array.from(data);
  if (from.width !== to.width) {
    pixels = filterLines(pixels, lanczosTaps(from.width, to.width), {
      lines: from.height,
      lineStep: [from.width * channels, to.width * channels],
      step: channels,
      channels,
    });
  }
  if (from.height !== to.height) {
    pixels = filterLines(pixels, lanczosTaps(from.height, to.height), {
      lines: to.width,
      lineStep: [channels, channels],
      step: to.width * channels,
      channels,
    });
  }
  return channels === 4 ? unpremultiply(pixels) : pixels;
}

interface Taps {
  first: number;
  weights: Int32Array;
}

function lanczosTaps(from: number, to: number): Taps[] {
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const support = 3 * stretch;
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - support + 0.5));
    const end = Math.min(from, Math.floor(centre + support + 0.5));
    const weights = Array.from({ length: end - first }, (_, j) => lanczos((j + first - centre + 0.5) / stretch));
    const sum = weights.reduce((a, b) => a + b, 0);
    const fixed = weights.map((w) => Math.trunc((w / sum) * 2 ** PRECISION + (w / sum < 0 ? -0.5 : 0.5)));
    return { first, weights: Int32Array.from(fixed) };
  });
}

function lanczos(x: number): number {
  const sinc = (v: number): number => (v === 0 ? 1 : Math.sin(Math.PI * v) / (Math.PI * v));
  return Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
}

function filterLines(
  data: Uint8Array,
  taps: readonly Taps[],
  layout: { lines: number; lineStep: [number, number]; step: number; channels: number },
): Uint8Array {
  const { lines, lineStep, step, channels } = layout;
  const result = new Uint8Array(lines * taps.length * channels);
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < taps.length; i++) {
      const { first, weights } = taps[i];
      for (let c = 0; c < channels; c++) {
        let sum = 2 ** (PRECISION - 1);
        for (let j = 0; j < weights.length; j++) {
          sum += weights[j] * data[line * lineStep[0] + (first + j) * step + c];
        }
        result[line * lineStep[1] + i * step + c] = Math.max(0, Math.min(255, Math.floor(sum / 2 ** PRECISION)));
      }
    }
  }
  return result;
}

function premultiply(data: Uint8Array | Uint8ClampedArray): Uint8Array {
  const result = Uint8Array.from(data);
  for (let i = 0; i < result.length; i++) {
    if (i % 4 === 3) continue;
    const product = result[i] * data[i - (i % 4) + 3] + 128;
    result[i] = ((product >> 8) + product) >> 8;
  }
  return result;
}

function unpremultiply(data: Uint8Array): Uint8Array {
  const result = Uint8Array.from(data);
  for (let i = 0; i < result.length; i++) {
    const alpha = data[i - (i % 4) + 3];
    if (i % 4 !== 3 && alpha > 0 && alpha < 255) result[i] = Math.min(255, Math.floor((255 * data[i]) / alpha));
  }
  return result;
}
