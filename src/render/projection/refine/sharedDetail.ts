import { smoothstep } from '../../../core/math.js';
import { pause } from '../../../core/pause.js';
import type { SurfaceGraph } from '../texels/surfaceGraph.js';

/** How far the local mean reaches, in nodes, and the sweeps that this takes. */
const MEAN = { reach: 3.5, sweeps: 10 };
/**
 * The same of the statistics: a part of the object rather than a place, so that a highlight does not outvote its
 * surroundings. Repeated, since one smoothing alone leaves each node its own strongest voice.
 */
const POOL = { reach: 24, sweeps: 40 };
const POOL_PASSES = 3;
/** Deviations count up to this (square root of linear light), for the same reason. */
const STRONG = 0.12;
/**
 * Standard deviations of the detail that views do not share (square root of linear light) between which it starts to
 * matter.
 */
const HARMLESS = 0.04;
const HARMFUL = 0.07;
/** Shares of detail that views have in common between which trust rises from the least to 1. */
const ALIEN = 0.15;
const COMMON = 0.5;
/**
 * Reflections keep this share: a predicted view is off by 1 + share² of their variance, so that a third costs little
 * and still gleams.
 */
const LEAST_TRUST = 0.35;
/** Share of pooled weight below which no pair of views was near enough to judge by. */
const EVIDENCE = 0.02;

export interface SharedDetail {
  /**
   * Local mean over views and neighbourhood, three per node, square roots of linear light; 0 where nothing is seen
   * nearby.
   */
  means: Float32Array;
  /** 0…1 per node: 1 = detail belongs to the surface, 0 = it moves with the viewer. */
  trust: Float32Array;
}

/**
 * Tells detail of a surface (a pattern, which all views show at the same place) from reflections (which each view shows
 * elsewhere). Every view's deviation from its own local mean is correlated with the other views' deviations at the same
 * nodes; the share of variance that they have in common is what a Wiener filter would keep of one picture when it
 * predicts another. Where a mirror-like part shows a picture of its surroundings, that share is near 0, and the local
 * mean is a better guess of what a new view will see than any of the pictures.
 *
 * @param samples per node and view: red, green, blue (square root of linear light) and weight; 0 = not seen
 */
export async function sharedDetail(
  graph: SurfaceGraph,
  samples: Float32Array,
  views: number,
  signal?: AbortSignal,
): Promise<SharedDetail> {
  const nodes = graph.start.length - 1;
  const sum = new Float64Array(nodes * 3);
  const squares = new Float64Array(nodes);
  const seenBy = new Uint16Array(nodes);
  const total = new Float32Array(nodes * 4);
  for (let v = 0; v < views; v++) {
    const field = new Float32Array(nodes * 4);
    for (let i = 0; i < nodes; i++) {
      const at = (i * views + v) * 4;
      const w = samples[at + 3];
      for (let c = 0; c < 3; c++) field[i * 4 + c] = w * samples[at + c];
      field[i * 4 + 3] = w;
    }
    for (let k = 0; k < total.length; k++) total[k] += field[k];
    const mean = await smooth(graph, field, MEAN, signal);
    for (let i = 0; i < nodes; i++) {
      const at = (i * views + v) * 4;
      if (samples[at + 3] <= 0) continue;
      seenBy[i]++;
      for (let c = 0; c < 3; c++) {
        const raw = samples[at + c] - mean[i * 4 + c] / mean[i * 4 + 3];
        const deviation = Math.max(-STRONG, Math.min(STRONG, raw));
        sum[i * 3 + c] += deviation;
        squares[i] += deviation * deviation;
      }
    }
  }
  // Per node: covariance and variance of the views' deviations, summed over channels, and 1 where two views or more see
  // it.
  const statistics = new Float32Array(nodes * 4);
  for (let i = 0; i < nodes; i++) {
    const n = seenBy[i];
    if (n < 2) continue;
    const together = sum[i * 3] ** 2 + sum[i * 3 + 1] ** 2 + sum[i * 3 + 2] ** 2;
    statistics.set([(together - squares[i]) / (n * (n - 1)), squares[i] / n, 1], i * 4);
  }
  let pooled: Float32Array = statistics;
  for (let pass = 0; pass < POOL_PASSES; pass++) pooled = await smooth(graph, pooled, POOL, signal);
  const mean = await smooth(graph, total, MEAN, signal);
  const means = new Float32Array(nodes * 3);
  const trust = new Float32Array(nodes).fill(1);
  for (let i = 0; i < nodes; i++) {
    if (mean[i * 4 + 3] > 0) for (let c = 0; c < 3; c++) means[i * 3 + c] = mean[i * 4 + c] / mean[i * 4 + 3];
    const [covariance, variance, evidence] = pooled.subarray(i * 4, i * 4 + 3);
    if (evidence < EVIDENCE || variance <= 0) continue;
    const alien = Math.sqrt(Math.max(0, variance - covariance) / (3 * evidence));
    const doubt = smoothstep(HARMLESS, HARMFUL, alien) * (1 - smoothstep(ALIEN, COMMON, covariance / variance));
    trust[i] = 1 - (1 - LEAST_TRUST) * doubt;
  }
  return { means, trust };
}

/**
 * Smooths four numbers per node over the surface: (1 + reach² · L) x = field with the mean difference to the neighbours
 * as L, by Gauss–Seidel sweeps in alternating directions. What comes in and goes out have the same sign.
 */
async function smooth(
  { start, neighbours }: SurfaceGraph,
  field: Float32Array,
  { reach, sweeps }: { reach: number; sweeps: number },
  signal?: AbortSignal,
): Promise<Float32Array> {
  const x = field.slice();
  const nodes = start.length - 1;
  const own = 1 / (1 + reach * reach);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (let k = 0; k < nodes; k++) {
      const i = sweep % 2 === 0 ? k : nodes - 1 - k;
      const degree = start[i + 1] - start[i];
      if (degree === 0) continue;
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let e = start[i]; e < start[i + 1]; e++) {
        const j = neighbours[e] * 4;
        a += x[j];
        b += x[j + 1];
        c += x[j + 2];
        d += x[j + 3];
      }
      const around = (1 - own) / degree;
      x[i * 4] = own * field[i * 4] + around * a;
      x[i * 4 + 1] = own * field[i * 4 + 1] + around * b;
      x[i * 4 + 2] = own * field[i * 4 + 2] + around * c;
      x[i * 4 + 3] = own * field[i * 4 + 3] + around * d;
    }
    if (sweep % 8 === 7) {
      await pause(signal);
    }
  }
  return x;
}
