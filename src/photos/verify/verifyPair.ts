import type { Random } from '../../core/random.js';
import type { Mat3 } from '../solve/svd3.js';
import { eightPoint } from './eightPoint.js';
import { fivePoint } from './fivePoint.js';
import { homography, transferError } from './homography.js';
import { type Fit, ransac } from './ransac.js';
import { chooseRelativePose, essentialOf, posesOf, type RelativePose, refineRelativePose } from './relativePose.js';
import { sampsonError } from './sampson.js';
import { sevenPoint } from './sevenPoint.js';

/** How two photos lie to each other. */
export interface PairGeometry {
  pose: RelativePose;
  /** 1 for every match that fits. */
  inliers: Uint8Array;
  count: number;
  /**
   * Matches that one homography explains, over those that the pose explains: near 1 for a flat scene or a mere turn.
   */
  flatness: number;
  /** Radians, between the two rays of a match. */
  medianAngle: number;
}

/** Least matches for which a geometry is sought, and least inliers with which it counts. */
export const LEAST_MATCHES = 15;

/**
 * The relative pose of two calibrated photos by five-point samples, with the matches that agree, and the best
 * homography beside it.
 *
 * @param points x₁, y₁, x₂, y₂ of every match as directions at z = 1
 * @param limit largest Sampson distance of a good match, in the same units
 * @param order matches in order of trust
 */
export function verifyPair(
  points: Float64Array,
  limit: number,
  order: Uint32Array,
  random: Random,
): PairGeometry | undefined {
  const count = points.length / 4;
  if (count < LEAST_MATCHES) return undefined;
  const fit = ransac<Candidate>(
    {
      count,
      sampleSize: 5,
      solve: (sample) => fivePoint(points, sample).map((essential) => ({ essential })),
      error: ({ essential }, i) => sampsonError(essential, points, i),
      polish: ({ essential, pose }, weights) => {
        const start = pose ?? chooseRelativePose(posesOf(essential), points, weights).pose;
        const refined = refineRelativePose(start, points, weights);
        return { essential: essentialOf(refined), pose: refined };
      },
    },
    { limit: limit * limit, random, order, most: 1000 },
  );
  if (!fit || fit.count < LEAST_MATCHES) return undefined;
  const { pose, inFront, medianAngle } = chooseRelativePose(posesOf(fit.model.essential), points, fit.inliers);
  if (inFront < LEAST_MATCHES) return undefined;
  const flat = fitHomography(points, limit, order, random);
  return {
    pose,
    inliers: fit.inliers,
    count: fit.count,
    flatness: Math.min(1, (flat?.count ?? 0) / fit.count),
    medianAngle,
  };
}

interface Candidate {
  essential: Mat3;
  pose?: RelativePose;
}

function fitHomography(points: Float64Array, limit: number, order: Uint32Array, random: Random): Fit<Mat3> | undefined {
  return ransac<Mat3>(
    {
      count: points.length / 4,
      sampleSize: 4,
      solve: (sample) => homography(points, sample),
      error: (h, i) => transferError(h, points, i),
    },
    { limit: limit * limit, random, order, most: 200 },
  );
}

/**
 * The fundamental matrix of two photos whose lenses are not known, with the matches that agree. Units as the points'.
 */
export function fitFundamental(
  points: Float64Array,
  limit: number,
  order: Uint32Array,
  random: Random,
): Fit<Mat3> | undefined {
  return ransac<Mat3>(
    {
      count: points.length / 4,
      sampleSize: 7,
      solve: (sample) => sevenPoint(points, sample),
      error: (f, i) => sampsonError(f, points, i),
      polish: (_, weights) => eightPoint(points, weights),
    },
    { limit: limit * limit, random, order, most: 2000 },
  );
}
