import type { Random } from '../../core/random.js';

/** What is sought and how well it fits. Errors are squares of distances. */
export interface Estimation<Model> {
  /** How many data there are. */
  count: number;
  sampleSize: number;
  /** Models through a minimal sample of indices. */
  solve(sample: Uint32Array): Model[];
  error(model: Model, index: number): number;
  /** A model fitted to all data with the given weights, starting from `model`. */
  polish?(model: Model, weights: Float64Array): Model | undefined;
}

export interface RansacOptions {
  /** Square of the largest error of an inlier. */
  limit: number;
  random: Random;
  /** Default 2000 and 0.999. */
  most?: number;
  confidence?: number;
  /** Data in order of trust: the first samples come from the front (PROSAC, Chum and Matas 2005). */
  order?: Uint32Array;
}

export interface Fit<Model> {
  model: Model;
  /** 1 for every inlier. */
  inliers: Uint8Array;
  count: number;
  /** Sum of (1 − error / limit) over the inliers. */
  score: number;
}

/** Rounds of local optimisation after a new best model. */
const POLISH_ROUNDS = 4;
/** Samples over which the pool grows from the most trusted data to all. */
const GROWTH = 200;

/**
 * Random sample consensus with a truncated quadratic score (MSAC), local optimisation by re-weighted fits to all data,
 * and samples that begin with the most trusted data. The same generator state gives the same result.
 */
export function ransac<Model>(task: Estimation<Model>, options: RansacOptions): Fit<Model> | undefined {
  const { limit, random, most = 2000, confidence = 0.999, order } = options;
  const { count, sampleSize } = task;
  if (count < sampleSize) return undefined;
  const sample = new Uint32Array(sampleSize);
  let best: { model: Model; score: number; count: number } | undefined;
  let needed = most;
  for (let step = 0; step < Math.min(needed, most); step++) {
    const share = order ? Math.min(1, 0.1 + (0.9 * step) / GROWTH) : 1;
    const pool = Math.max(Math.min(count, sampleSize * 4), Math.ceil(share * count));
    for (let k = 0; k < sampleSize; k++) {
      let pick: number;
      do {
        const i = random.integer(Math.min(pool, count));
        pick = order ? order[i] : i;
      } while (isTaken(sample, k, pick));
      sample[k] = pick;
    }
    for (const model of task.solve(sample)) {
      const rated = rate(task, model, limit, best?.score ?? 0);
      if (!rated || (best && rated.score <= best.score)) continue;
      best = { model, ...rated };
      if (task.polish) best = polished(task, best, limit);
      needed = samplesNeeded(best.count / count, sampleSize, confidence);
    }
  }
  if (!best || best.count < sampleSize) return undefined;
  const inliers = new Uint8Array(count);
  let number = 0;
  for (let i = 0; i < count; i++) {
    if (task.error(best.model, i) > limit) continue;
    inliers[i] = 1;
    number++;
  }
  return { model: best.model, inliers, count: number, score: best.score };
}

function isTaken(sample: Uint32Array, count: number, pick: number): boolean {
  for (let k = 0; k < count; k++) if (sample[k] === pick) return true;
  return false;
}

const samplesNeeded = (share: number, size: number, confidence: number): number =>
  share >= 1 ? 1 : Math.ceil(Math.log(1 - confidence) / Math.log(1 - share ** size));

/** The score of a model; nothing as soon as it cannot reach `least` any more. */
function rate<Model>(
  task: Estimation<Model>,
  model: Model,
  limit: number,
  least: number,
): { score: number; count: number } | undefined {
  let score = 0;
  let inliers = 0;
  const { count } = task;
  for (let i = 0; i < count; i++) {
    const error = task.error(model, i);
    if (error < limit) {
      score += 1 - error / limit;
      inliers++;
    }
    if ((i & 63) === 63 && score + (count - 1 - i) <= least) return undefined;
  }
  return { score, count: inliers };
}

/** Fits to all data with weights that fall off towards the limit, as long as that helps. */
function polished<Model>(
  task: Estimation<Model>,
  start: { model: Model; score: number; count: number },
  limit: number,
): { model: Model; score: number; count: number } {
  let best = start;
  let current = start.model;
  const weights = new Float64Array(task.count);
  for (let round = 0; round < POLISH_ROUNDS; round++) {
    // The first round looks beyond the limit: a minimal model is off by some of it.
    const reach = round === 0 ? 4 * limit : limit;
    for (let i = 0; i < task.count; i++) {
      const error = task.error(current, i);
      weights[i] = error < reach ? (1 - error / reach) ** 2 : 0;
    }
    const next = task.polish?.(current, weights);
    if (!next) break;
    current = next;
    const rated = rate(task, next, limit, 0);
    if (rated && rated.score > best.score) best = { model: next, ...rated };
  }
  return best;
}
