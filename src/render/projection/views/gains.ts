import { solveSymmetric } from '../../../core/linearSolve.js';
import type { Mesh } from '../../../core/mesh.js';

/**
 * Pairs that differ by more than this (natural logarithm of square-root light) count little: highlights, shadows,
 * errors.
 */
const OUTLIER = 0.06;
const STEPS = 8;
/** Pull towards a gain of 1, relative to the mean weight of a view, which also fixes the common factor. */
const PULL = 1e-3;
/**
 * Gains must bring the typical difference of a pair below this share of what it was; else they fit highlights, not
 * exposure.
 */
const CONVINCING = 0.85;
/** Colours darker than this (square root of linear light) say little about exposure. */
const DARKEST = 0.08;

/**
 * Gains per view and channel that make views agree where they see the same points: robust least squares on the
 * logarithms of all pairs (Cauchy weights by iterative reweighting), with geometric mean 1.
 * @param samples per point and view: red, green, blue (square root of linear light) and weight; 0 = not seen
 * @returns factors on the square root of linear light, [red, green, blue] per view; 1 where a view overlaps with no
 * other, and all 1 where gains would hardly bring the views closer together
 */
export function solveGains(samples: Float32Array, points: number, views: number): number[][] {
  const logs = [0, 1, 2].map((channel) => solveChannel(samples, points, views, channel));
  const before = typicalDifference(samples, points, views);
  const after = typicalDifference(samples, points, views, logs);
  const convincing = after < CONVINCING * before;
  return Array.from({ length: views }, (_, v) => logs.map((x) => (convincing ? Math.exp(x[v]) : 1)));
}

/** Median over points of the spread between views, over all channels, after adding the given logarithms of gains. */
function typicalDifference(samples: Float32Array, points: number, views: number, logs?: Float64Array[]): number {
  const spreads: number[] = [];
  for (let i = 0; i < points; i++) {
    for (let c = 0; c < 3; c++) {
      let n = 0;
      let sum = 0;
      let squares = 0;
      for (let v = 0; v < views; v++) {
        const at = (i * views + v) * 4;
        if (!usable(samples[at + c], samples[at + 3])) continue;
        const x = Math.log(samples[at + c]) + (logs ? logs[c][v] : 0);
        n++;
        sum += x;
        squares += x * x;
      }
      if (n > 1) spreads.push(Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2)));
    }
  }
  spreads.sort((a, b) => a - b);
  return spreads.length > 0 ? spreads[spreads.length >> 1] : 0;
}

const usable = (value: number, weight: number): boolean => weight > 0 && value > DARKEST && value < 0.995;

function solveChannel(samples: Float32Array, points: number, views: number, channel: number): Float64Array {
  let x = new Float64Array(views);
  const seen = new Int32Array(views);
  const logs = new Float64Array(views);
  const weights = new Float64Array(views);
  for (let step = 0; step < STEPS; step++) {
    const matrix = new Float64Array(views * views);
    const right = new Float64Array(views);
    for (let i = 0; i < points; i++) {
      let n = 0;
      for (let v = 0; v < views; v++) {
        const at = (i * views + v) * 4;
        const value = samples[at + channel];
        if (usable(value, samples[at + 3])) {
          seen[n] = v;
          logs[n] = Math.log(value);
          weights[n++] = Math.sqrt(samples[at + 3]);
        }
      }
      for (let a = 0; a < n; a++) {
        for (let b = a + 1; b < n; b++) {
          const [u, v] = [seen[a], seen[b]];
          const difference = logs[b] - logs[a];
          const r = (x[u] - x[v] - difference) / OUTLIER;
          // The first step has no estimate to judge outliers by: it weighs as least absolute deviations would.
          const w = (weights[a] * weights[b]) / (step === 0 ? 1 + Math.abs(r) : 1 + r * r) / n;
          matrix[u * views + u] += w;
          matrix[v * views + v] += w;
          matrix[u * views + v] -= w;
          matrix[v * views + u] -= w;
          right[u] += w * difference;
          right[v] -= w * difference;
        }
      }
    }
    let trace = 0;
    for (let v = 0; v < views; v++) trace += matrix[v * views + v];
    const pull = (PULL * trace) / views + 1e-12;
    for (let v = 0; v < views; v++) matrix[v * views + v] += pull;
    // The pull towards 0 makes it positive definite.
    x = solveSymmetric(matrix, right)!;
  }
  return x;
}

/**
 * Points spread evenly over a surface, with interpolated unit normals: 6 floats each (position, normal). Deterministic.
 */
export function spreadPoints(mesh: Mesh, count: number): Float32Array {
  const { positions: p, indices, normals: n } = mesh;
  const triangles = indices.length / 3;
  const cumulative = new Float64Array(triangles + 1);
  for (let t = 0; t < triangles; t++) {
    const [a, b, c] = [indices[t * 3] * 3, indices[t * 3 + 1] * 3, indices[t * 3 + 2] * 3];
    const u = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]];
    const v = [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]];
    const area = Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]);
    cumulative[t + 1] = cumulative[t] + area;
  }
  const out = new Float32Array(count * 6);
  for (let i = 0, t = 0; i < count; i++) {
    const at = ((i + 0.5) / count) * cumulative[triangles];
    while (t < triangles - 1 && cumulative[t + 1] < at) t++;
    // R2 sequence (Roberts 2018), folded into the triangle.
    let r = (i * 0.7548776662466927) % 1;
    let s = (i * 0.5698402909980532) % 1;
    if (r + s > 1) [r, s] = [1 - r, 1 - s];
    const weights = [1 - r - s, r, s];
    for (let k = 0; k < 3; k++) {
      const v = indices[t * 3 + k] * 3;
      for (let c = 0; c < 3; c++) {
        out[i * 6 + c] += p[v + c] * weights[k];
        out[i * 6 + 3 + c] += (n ? n[v + c] : 0) * weights[k];
      }
    }
    const length = Math.hypot(out[i * 6 + 3], out[i * 6 + 4], out[i * 6 + 5]) || 1;
    for (let c = 3; c < 6; c++) out[i * 6 + c] /= length;
  }
  return out;
}
