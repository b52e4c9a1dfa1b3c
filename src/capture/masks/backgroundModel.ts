import type { ColorImage } from '../../core/image.js';
import { solveSymmetric } from '../../core/linearSolve.js';

/** A background as a smooth function of position: per channel a second-order polynomial in x, y ∈ [−1, 1]. */
export interface BackgroundModel {
  /** Coefficients of 1, x, y, x², xy, y² for red, green and blue, in 0…255. */
  coefficients: readonly Float64Array[];
  /** Standard deviation of the noise around it, in 0…255. */
  noise: number;
  /** Share of the border that it explains. */
  explained: number;
  kind: 'bright' | 'dark';
}

const TERMS = 6;

function terms(x: number, y: number, out: Float64Array): void {
  out[0] = 1;
  out[1] = x;
  out[2] = y;
  out[3] = x * x;
  out[4] = x * y;
  out[5] = y * y;
}

/** Value of the model along one row, three channels interleaved. */
export function backgroundRow(
  model: BackgroundModel,
  y: number,
  width: number,
  height: number,
  out: Float32Array,
): void {
  const v = (2 * (y + 0.5)) / height - 1;
  for (let c = 0; c < 3; c++) {
    const k = model.coefficients[c];
    const constant = k[0] + k[2] * v + k[5] * v * v;
    const linear = k[1] + k[4] * v;
    for (let x = 0; x < width; x++) {
      const u = (2 * (x + 0.5)) / width - 1;
      out[x * 3 + c] = constant + (linear + k[3] * u) * u;
    }
  }
}

/**
 * Fits the background to the picture's border (3 % on each side), robustly: an object that crosses the border does not
 * count as long as it covers less than about half of it.
 */
export function fitBackground(image: ColorImage): BackgroundModel {
  const { width, height, data } = image;
  const frame = Math.max(2, Math.round(0.03 * Math.min(width, height)));
  const stride = Math.max(1, Math.round(Math.sqrt((2 * frame * (width + height)) / 12000)));
  const pixels: number[] = [];
  for (let y = 0; y < height; y += stride) {
    const edge = y < frame || y >= height - frame;
    for (let x = 0; x < width; x += stride) if (edge || x < frame || x >= width - frame) pixels.push(y * width + x);
  }
  // Starts from the most common brightness of the border: a flood of the object over part of it cannot draw it away.
  const histogram = new Int32Array(256);
  for (const i of pixels) histogram[Math.round((data[i * 4] + data[i * 4 + 1] + data[i * 4 + 2]) / 3)]++;
  let mode = 0;
  let best = -1;
  for (let v = 0; v < 256; v++) {
    let near = 0;
    for (let d = -8; d <= 8; d++) near += histogram[v + d] ?? 0;
    if (near > best) [mode, best] = [v, near];
  }
  let weights = Float64Array.from(pixels, (i) =>
    Math.abs((data[i * 4] + data[i * 4 + 1] + data[i * 4 + 2]) / 3 - mode) < 30 ? 1 : 0,
  );
  let coefficients: Float64Array[] = [];
  let noise = 1;
  for (let round = 0; round < 4; round++) {
    coefficients = solve(image, pixels, weights);
    const errors = residuals(image, pixels, coefficients);
    const sorted = errors.filter((_, n) => weights[n] > 0.1).sort();
    noise = Math.max(0.3, 1.4826 * (sorted[sorted.length >> 1] ?? 0));
    weights = errors.map((e) => {
      const t = e / Math.max(4, 5 * noise);
      return t < 1 ? (1 - t * t) ** 2 : 0;
    });
  }
  const errors = residuals(image, pixels, coefficients);
  const limit = Math.max(4, 4 * noise);
  return {
    coefficients,
    noise,
    explained: errors.filter((e) => e < limit).length / pixels.length,
    kind: mode >= 128 ? 'bright' : 'dark',
  };
}

function solve(image: ColorImage, pixels: readonly number[], weights: Float64Array): Float64Array[] {
  const { width, height, data } = image;
  const h = new Float64Array(TERMS * TERMS);
  const g = [0, 1, 2].map(() => new Float64Array(TERMS));
  const t = new Float64Array(TERMS);
  pixels.forEach((i, n) => {
    const w = weights[n];
    if (w === 0) return;
    const x = i % width;
    terms((2 * (x + 0.5)) / width - 1, (2 * ((i - x) / width + 0.5)) / height - 1, t);
    for (let r = 0; r < TERMS; r++) {
      for (let c = 0; c < TERMS; c++) h[r * TERMS + c] += w * t[r] * t[c];
      for (let k = 0; k < 3; k++) g[k][r] += w * t[r] * data[i * 4 + k];
    }
  });
  // Curvature that the border does not determine stays small.
  for (let r = 0; r < TERMS; r++) h[r * TERMS + r] += r === 0 ? 1e-6 : 1e-3 * pixels.length;
  return g.map((b) => solveSymmetric(h, b) ?? new Float64Array(TERMS));
}

function residuals(image: ColorImage, pixels: readonly number[], coefficients: readonly Float64Array[]): Float64Array {
  const { width, height, data } = image;
  const t = new Float64Array(TERMS);
  return Float64Array.from(pixels, (i) => {
    const x = i % width;
    terms((2 * (x + 0.5)) / width - 1, (2 * ((i - x) / width + 0.5)) / height - 1, t);
    let most = 0;
    for (let c = 0; c < 3; c++) {
      let v = 0;
      for (let k = 0; k < TERMS; k++) v += coefficients[c][k] * t[k];
      most = Math.max(most, Math.abs(data[i * 4 + c] - v));
    }
    return most;
  });
}
