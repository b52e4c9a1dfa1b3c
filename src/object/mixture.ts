import type { Random } from '../core/random.js';

/** A mixture of normal distributions of colours (red, green, blue 0 … 255). */
export interface Mixture {
  /** Of each: logarithm of weight and normalisation, mean (3), inverse covariance (xx xy xz yy yz zz). */
  parts: { log: number; mean: [number, number, number]; inverse: Float64Array }[];
}

const ROUNDS = 8;
/** Variance added to each channel: quantisation, noise, and colours between those that were seen. */
const LEAST_VARIANCE = 20;

/** Fits a mixture to colours (three bytes each) by expectation and maximisation from a k-means++ start. */
export function fitMixture(colors: ArrayLike<number>, count: number, random: Random): Mixture {
  const n = colors.length / 3;
  const centres = startCentres(colors, n, Math.min(count, n), random);
  const k = centres.length / 3;
  const share = new Float64Array(n * k);
  // Hard assignment first.
  for (let i = 0; i < n; i++) {
    let best = 0;
    let least = Infinity;
    for (let j = 0; j < k; j++) {
      const d = distance(colors, i, centres, j);
      if (d < least) {
        least = d;
        best = j;
      }
    }
    share[i * k + best] = 1;
  }
  let parts = partsOf(colors, share, n, k);
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < n; i++) {
      let most = -Infinity;
      for (let j = 0; j < k; j++) {
        const l = partLog(parts[j], colors[i * 3], colors[i * 3 + 1], colors[i * 3 + 2]);
        share[i * k + j] = l;
        if (l > most) most = l;
      }
      let sum = 0;
      for (let j = 0; j < k; j++) {
        const v = Math.exp(share[i * k + j] - most);
        share[i * k + j] = v;
        sum += v;
      }
      for (let j = 0; j < k; j++) share[i * k + j] /= sum;
    }
    parts = partsOf(colors, share, n, k);
  }
  return { parts };
}

function startCentres(colors: ArrayLike<number>, n: number, k: number, random: Random): Float64Array {
  const centres = new Float64Array(k * 3);
  const nearest = new Float64Array(n).fill(Infinity);
  let chosen = random.integer(n);
  for (let j = 0; j < k; j++) {
    for (let c = 0; c < 3; c++) centres[j * 3 + c] = colors[chosen * 3 + c];
    let sum = 0;
    for (let i = 0; i < n; i++) {
      nearest[i] = Math.min(nearest[i], distance(colors, i, centres, j));
      sum += nearest[i];
    }
    let left = random.float() * sum;
    chosen = 0;
    for (let i = 0; i < n && left > 0; i++) {
      left -= nearest[i];
      chosen = i;
    }
  }
  return centres;
}

function distance(a: ArrayLike<number>, i: number, b: ArrayLike<number>, j: number): number {
  const [x, y, z] = [a[i * 3] - b[j * 3], a[i * 3 + 1] - b[j * 3 + 1], a[i * 3 + 2] - b[j * 3 + 2]];
  return x * x + y * y + z * z;
}

function partsOf(colors: ArrayLike<number>, share: Float64Array, n: number, k: number): Mixture['parts'] {
  const parts: Mixture['parts'] = [];
  for (let j = 0; j < k; j++) {
    const s = new Float64Array(10);
    for (let i = 0; i < n; i++) {
      const w = share[i * k + j];
      if (w < 1e-6) continue;
      const [r, g, b] = [colors[i * 3], colors[i * 3 + 1], colors[i * 3 + 2]];
      s[0] += w;
      s[1] += w * r;
      s[2] += w * g;
      s[3] += w * b;
      s[4] += w * r * r;
      s[5] += w * r * g;
      s[6] += w * r * b;
      s[7] += w * g * g;
      s[8] += w * g * b;
      s[9] += w * b * b;
    }
    const w = s[0];
    if (w < 1e-3) {
      parts.push({ log: -Infinity, mean: [0, 0, 0], inverse: new Float64Array(6) });
      continue;
    }
    const mean: [number, number, number] = [s[1] / w, s[2] / w, s[3] / w];
    const [mr, mg, mb] = mean;
    const xx = s[4] / w - mr * mr + LEAST_VARIANCE;
    const xy = s[5] / w - mr * mg;
    const xz = s[6] / w - mr * mb;
    const yy = s[7] / w - mg * mg + LEAST_VARIANCE;
    const yz = s[8] / w - mg * mb;
    const zz = s[9] / w - mb * mb + LEAST_VARIANCE;
    const det = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz);
    const inverse = Float64Array.of(
      (yy * zz - yz * yz) / det,
      (xz * yz - xy * zz) / det,
      (xy * yz - xz * yy) / det,
      (xx * zz - xz * xz) / det,
      (xy * xz - xx * yz) / det,
      (xx * yy - xy * xy) / det,
    );
    parts.push({ log: Math.log(w / n) - 0.5 * Math.log(det) - 1.5 * Math.log(2 * Math.PI), mean, inverse });
  }
  return parts;
}

function partLog({ log, mean, inverse: v }: Mixture['parts'][number], r: number, g: number, b: number): number {
  const [x, y, z] = [r - mean[0], g - mean[1], b - mean[2]];
  return (
    log - 0.5 * (v[0] * x * x + 2 * v[1] * x * y + 2 * v[2] * x * z + v[3] * y * y + 2 * v[4] * y * z + v[5] * z * z)
  );
}

/** Colours per channel of a table of a mixture. */
export const TABLE_STEPS = 64;

/**
 * The logarithm of a mixture's density for every colour, in 64 steps a channel, blue fastest; 0 for colours that are
 * not `used`.
 */
export function logDensities({ parts }: Mixture, used?: Uint8Array): Float32Array {
  const out = new Float32Array(TABLE_STEPS ** 3);
  const logs = new Float64Array(parts.length);
  const value = (i: number): number => (i + 0.5) * (256 / TABLE_STEPS) - 0.5;
  for (let r = 0, i = 0; r < TABLE_STEPS; r++)
    for (let g = 0; g < TABLE_STEPS; g++)
      for (let b = 0; b < TABLE_STEPS; b++, i++) {
        if (used && !used[i]) continue;
        let most = -Infinity;
        for (let j = 0; j < logs.length; j++) {
          logs[j] = partLog(parts[j], value(r), value(g), value(b));
          if (logs[j] > most) most = logs[j];
        }
        let sum = 0;
        for (const l of logs) sum += Math.exp(l - most);
        out[i] = Math.max(FLOOR, most + Math.log(sum));
      }
  return out;
}

/** A twentieth of an even density of all colours: what is rarer is as good as never seen. */
const FLOOR = Math.log(0.05 / 256 ** 3);

/** Index of a colour in such a table. */
export const tableIndex = (r: number, g: number, b: number): number => ((r >> 2) << 12) | ((g >> 2) << 6) | (b >> 2);
