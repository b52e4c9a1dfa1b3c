import { assertSameShape, type ImagePlanes } from './planes.js';

/** Gaussian window of Wang et al. 2004: 11 taps, σ 1.5 pixels, weights add up to 1. */
export const SSIM_WINDOW = 11;
export const SSIM_SIGMA = 1.5;
const RADIUS = (SSIM_WINDOW - 1) / 2;
/** White that a cut must leave around what differs, in pixels: a window reaches so far beyond the windows that differ. */
export const SSIM_MARGIN = 2 * RADIUS;
const C1 = 0.01 ** 2;
const C2 = 0.03 ** 2;

/** Half the symmetric kernel: weight at distance 0…5. */
const WEIGHTS: readonly number[] = (() => {
  const w = Array.from({ length: RADIUS + 1 }, (_, d) => Math.exp((-0.5 * d * d) / (SSIM_SIGMA * SSIM_SIGMA)));
  const sum = w[0] + 2 * w.slice(1).reduce((s, v) => s + v, 0);
  return w.map((v) => v / sum);
})();

/** Sums of the similarity map, so that the means over several channels can be put together. */
export interface SsimSums {
  /** Sum and number of map values over the frame without its 5-pixel border. */
  sum: number;
  count: number;
  /** The same over pixels of the mask only. */
  maskedSum: number;
  maskedCount: number;
}

export interface SsimResult {
  /** Mean over the frame without its 5-pixel border, and over the channels; −1…1. */
  mean: number;
  /** Mean over pixels of the mask that are not in the border; `null` without a mask or with an empty one. */
  masked: number | null;
}

/**
 * Structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004) with Gaussian window 11, σ 1.5, K1 0.01, K2 0.03, range
 * 1.
 *
 * Colour is not turned into grey: each channel is scored on its own and the scores are averaged. As in scikit-image's
 * `structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1, channel_axis=2)`,
 * with which it agrees to 1e-4, the outer 5 pixels do not count, so no padding rule has any effect.
 * @throws `RangeError` for images of different shape or smaller than 11 pixels.
 */
export function ssim(a: ImagePlanes, b: ImagePlanes, mask?: Uint8Array): SsimResult {
  assertSameShape(a, b);
  return ssimOfSums(a.planes.map((_, channel) => ssimChannel(a, b, channel, mask)));
}

/** Averages channels. */
export function ssimOfSums(channels: SsimSums[]): SsimResult {
  const add = (pick: (s: SsimSums) => number) => channels.reduce((total, s) => total + pick(s), 0);
  const maskedCount = add((s) => s.maskedCount);
  return {
    mean: add((s) => s.sum) / add((s) => s.count),
    masked: maskedCount > 0 ? add((s) => s.maskedSum) / maskedCount : null,
  };
}

/**
 * One channel; values in 0…1. Where both windows are equal the similarity is exactly 1, so of each row only the part
 * around differing pixels is filtered: pictures of an object on white cost what the object covers. Rows stream through a
 * ring of 11 filtered rows (a full-frame intermediate is 3× slower at 1024² for lack of cache). Planes that are cut from a
 * frame need `SSIM_MARGIN` around what differs, as far as the frame goes.
 */
export function ssimChannel(a: ImagePlanes, b: ImagePlanes, channel: number, mask?: Uint8Array): SsimSums {
  const { width, height } = a;
  const frame = a.frame ?? a;
  const [x, y] = [a.planes[channel], b.planes[channel]];
  if (frame.width < SSIM_WINDOW || frame.height < SSIM_WINDOW) {
    throw new RangeError(`SSIM needs images of at least 11 × 11 pixels, not ${frame.width} × ${frame.height}`);
  }
  const count = (frame.width - 2 * RADIUS) * (frame.height - 2 * RADIUS);
  const maskedCount = mask ? countInterior(mask, width, height) : 0;
  const differing = differingColumns(x, y, width, height);
  if (!differing) return { sum: count, count, maskedSum: maskedCount, maskedCount };

  const inner = (from: number, to: number): [number, number] => [
    Math.max(RADIUS, from - RADIUS),
    Math.min(width - RADIUS, to + RADIUS),
  ];
  const y0 = Math.max(RADIUS, differing.top - RADIUS);
  const y1 = Math.min(height - RADIUS, differing.bottom + RADIUS);
  const ring = new Ring(width);
  let sum = count;
  let maskedSum = maskedCount;
  for (let row = y0 - RADIUS; row < y1 + RADIUS; row++) {
    // What any window that holds this row needs of it.
    ring.push(x, y, row * width, inner(...around(differing, row, 2 * RADIUS)));
    const centre = row - RADIUS;
    if (centre < y0) continue;
    const [from, to] = inner(...around(differing, centre, RADIUS));
    const values = ring.similarity(from, to);
    const base = centre * width;
    for (let i = from; i < to; i++) {
      const lack = values[i] - 1;
      sum += lack;
      if (mask && mask[base + i] !== 0) maskedSum += lack;
    }
  }
  return { sum, count, maskedSum, maskedCount };
}

/** Horizontally filtered rows of x, y, x² + y² and x·y, and their vertical combination. */
class Ring {
  private readonly rows: Float64Array[][];
  private readonly means: Float64Array[];
  private readonly result: Float64Array;
  private readonly squares: Float64Array;
  private readonly products: Float64Array;
  private next = 0;

  constructor(width: number) {
    const row = () => new Float64Array(width);
    this.rows = Array.from({ length: SSIM_WINDOW }, () => [row(), row(), row(), row()]);
    this.means = [row(), row(), row(), row()];
    this.result = row();
    this.squares = row();
    this.products = row();
  }

  /** Filters columns `from`…`to` of the row that begins at index `start` of both planes. */
  push(x: Float32Array, y: Float32Array, start: number, [from, to]: readonly [number, number]): void {
    const { squares, products } = this;
    for (let i = from - RADIUS; i < to + RADIUS; i++) {
      const a = x[start + i];
      const b = y[start + i];
      squares[i] = a * a + b * b;
      products[i] = a * b;
    }
    const slot = this.rows[this.next % SSIM_WINDOW];
    this.next++;
    filterRow(x, start, slot[0], from, to);
    filterRow(y, start, slot[1], from, to);
    filterRow(squares, 0, slot[2], from, to);
    filterRow(products, 0, slot[3], from, to);
  }

  /** The similarity in columns `from`…`to` of the row that is 5 above the last one pushed. */
  similarity(from: number, to: number): Float64Array {
    const { rows, means, next, result } = this;
    for (let m = 0; m < 4; m++) filterColumns((k) => rows[(next + k) % SSIM_WINDOW][m], means[m], from, to);
    const [mx, my, ms, mp] = means;
    for (let i = from; i < to; i++) {
      const ux = mx[i];
      const uy = my[i];
      const uu = ux * ux + uy * uy;
      const uxy = ux * uy;
      result[i] = ((2 * uxy + C1) * (2 * (mp[i] - uxy) + C2)) / ((uu + C1) * (ms[i] - uu + C2));
    }
    return result;
  }
}

/** Combines 11 rows; `row(0)` is the oldest. One pass over them is twice as fast as one pass per weight. */
function filterColumns(row: (k: number) => Float64Array, out: Float64Array, from: number, to: number): void {
  const [w0, w1, w2, w3, w4, w5] = WEIGHTS;
  const [a, b, c, d, e] = [row(0), row(1), row(2), row(3), row(4)];
  const f = row(5);
  const [g, h, j, k, l] = [row(6), row(7), row(8), row(9), row(10)];
  for (let i = from; i < to; i++) {
    out[i] =
      w5 * (a[i] + l[i]) +
      w4 * (b[i] + k[i]) +
      w3 * (c[i] + j[i]) +
      w2 * (d[i] + h[i]) +
      w1 * (e[i] + g[i]) +
      w0 * f[i];
  }
}

function filterRow(source: Float32Array | Float64Array, start: number, out: Float64Array, from: number, to: number) {
  const [w0, w1, w2, w3, w4, w5] = WEIGHTS;
  for (let i = from; i < to; i++) {
    const k = start + i - RADIUS;
    out[i] =
      w5 * (source[k] + source[k + 10]) +
      w4 * (source[k + 1] + source[k + 9]) +
      w3 * (source[k + 2] + source[k + 8]) +
      w2 * (source[k + 3] + source[k + 7]) +
      w1 * (source[k + 4] + source[k + 6]) +
      w0 * source[k + 5];
  }
}

/** Where two planes differ: rows from `top` to before `bottom`, and of each row columns `from` to before `to`. */
interface Differing {
  top: number;
  bottom: number;
  from: Int32Array;
  to: Int32Array;
}

/** `null` where nothing differs. */
function differingColumns(x: Float32Array, y: Float32Array, width: number, height: number): Differing | null {
  const from = new Int32Array(height).fill(width);
  const to = new Int32Array(height);
  let top = height;
  let bottom = 0;
  for (let row = 0; row < height; row++) {
    const base = row * width;
    let left = 0;
    while (left < width && x[base + left] === y[base + left]) left++;
    if (left === width) continue;
    let right = width;
    while (x[base + right - 1] === y[base + right - 1]) right--;
    from[row] = left;
    to[row] = right;
    top = Math.min(top, row);
    bottom = row + 1;
  }
  return bottom > 0 ? { top, bottom, from, to } : null;
}

/** The columns that hold all that differs in the rows up to `reach` from one; empty where nothing does. */
function around({ from, to }: Differing, row: number, reach: number): [number, number] {
  let [left, right] = [Infinity, 0];
  for (let r = Math.max(0, row - reach); r <= Math.min(from.length - 1, row + reach); r++) {
    if (to[r] === 0) continue;
    left = Math.min(left, from[r]);
    right = Math.max(right, to[r]);
  }
  return right > 0 ? [left, right] : [0, 0];
}

function countInterior(mask: Uint8Array, width: number, height: number): number {
  let n = 0;
  for (let row = RADIUS; row < height - RADIUS; row++)
    for (let col = RADIUS; col < width - RADIUS; col++) if (mask[row * width + col] !== 0) n++;
  return n;
}
