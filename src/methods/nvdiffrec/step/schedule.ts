import { Random } from '../../../core/random.js';

/**
 * The batches of one pass over all views: every view once, in an order that depends on seed and epoch only, so that a
 * resumed run goes on exactly as the interrupted one would have. Views of a batch are of one group, since a frame reads
 * one buffer of pictures; the last batch of a group may be smaller.
 * @param groups number of views in each group
 */
export function epochBatches(
  groups: readonly number[],
  batchSize: number,
  seed: number,
  epoch: number,
): { group: number; views: number[] }[] {
  const random = new Random(seed, epoch);
  const batches = groups.flatMap((count, group) => {
    const order = shuffled(
      Array.from({ length: count }, (_, i) => i),
      random,
    );
    return Array.from({ length: Math.ceil(count / batchSize) }, (_, i) => ({
      group,
      views: order.slice(i * batchSize, (i + 1) * batchSize),
    }));
  });
  return shuffled(batches, random);
}

/** Fisher–Yates. */
function shuffled<T>(items: T[], random: Random): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [items[i], items[j]] = [items[j], items[i]];
  }
  return items;
}

/** One size of pictures of the coarse-to-fine run. */
export interface Level {
  /** Pictures are this much smaller than the working size: a power of two. */
  divisor: number;
  iterations: number;
}

/** Shares of the iterations by size, from a quarter of the working size to the whole of it. */
const SHARES: readonly { divisor: number; share: number }[] = [
  { divisor: 4, share: 0.2 },
  { divisor: 2, share: 0.3 },
  { divisor: 1, share: 0.5 },
];

/** Divides iterations over the sizes; none of less than 48 pixels on the longer side. */
export function planLevels(iterations: number, workingSize: number): Level[] {
  const used = SHARES.filter(({ divisor }) => divisor === 1 || workingSize / divisor >= 48);
  const total = used.reduce((sum, { share }) => sum + share, 0);
  const levels = used.map(({ divisor, share }) => ({ divisor, iterations: Math.floor((iterations * share) / total) }));
  levels[levels.length - 1].iterations += iterations - levels.reduce((sum, l) => sum + l.iterations, 0);
  return levels;
}

/** Where an iteration is: the level, and its number within it. Undefined at the end. */
export function locate(levels: readonly Level[], iteration: number): { level: number; within: number } | undefined {
  let within = iteration;
  for (const [level, { iterations }] of levels.entries()) {
    if (within < iterations) return { level, within };
    within -= iterations;
  }
  return undefined;
}

/** A rate that falls exponentially from `first` to `first · last` over `total` iterations. */
export const decayed = (first: number, last: number, iteration: number, total: number): number =>
  first * last ** (total > 1 ? iteration / (total - 1) : 0);
