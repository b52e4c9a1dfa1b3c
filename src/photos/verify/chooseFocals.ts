import { longerSide } from '../mapper/lensModel.js';
import type { PairResult } from '../matching/matchPair.js';
import type { LensGroup } from '../read/lenses.js';
import { type FocalEvidence, focalMisfit, focalVotes } from './focal.js';

/** Pairs of one lens that are asked, and matches that such a pair must have. */
const PAIRS = 16;
const LEAST_MATCHES = 30;
/** A stated focal length is kept unless another fits this many times better. */
const CLEARLY_BETTER = 2.5;

/**
 * Chooses the focal length with which every lens begins: the stated one, unless the photos contradict it (crops lie),
 * else the one on which the fundamental matrices of its best pairs agree most. Lenses are changed in place.
 *
 * @param measure finds the fundamental matrix of a pair
 */
export async function chooseFocals(
  groups: readonly LensGroup[],
  lensOf: ArrayLike<number>,
  pairs: readonly PairResult[],
  measure: (pair: PairResult) => Promise<PairResult>,
): Promise<void> {
  for (const [k, { lens }] of groups.entries()) {
    if (lens.fixed) continue;
    const own = pairs
      .filter(({ a, b, matches }) => lensOf[a] === k && lensOf[b] === k && matches.count >= LEAST_MATCHES)
      .sort((p, q) => q.matches.count - p.matches.count || p.a - q.a || p.b - q.b)
      .slice(0, PAIRS);
    const measured = await Promise.all(own.map(measure));
    const evidence = measured.flatMap(({ fundamental, inliers }): FocalEvidence[] =>
      fundamental && inliers && inliers.count >= LEAST_MATCHES ? [{ fundamental, weight: inliers.count }] : [],
    );
    if (evidence.length === 0) continue;
    const votes = focalVotes(evidence, longerSide(lens));
    const best = votes.reduce((p, q) => (q.misfit < p.misfit ? q : p));
    if (lens.stated !== undefined && focalMisfit(evidence, lens.stated) < CLEARLY_BETTER * best.misfit) continue;
    lens.f = best.focal;
  }
}
