import type { Random } from '../../core/random.js';
import { type Fit, ransac } from '../verify/ransac.js';
import { type Pose, p3p } from './p3p.js';
import { rayError, refinePose } from './refinePose.js';

/**
 * The pose of a calibrated photo from points that it sees (three-point samples with local optimisation).
 *
 * @param rays x, y at z = 1, undistorted
 * @param points x, y, z in the world
 * @param limit largest distance at z = 1 of a point that fits
 */
export function locate(rays: Float64Array, points: Float64Array, limit: number, random: Random): Fit<Pose> | undefined {
  return ransac<Pose>(
    {
      count: rays.length / 2,
      sampleSize: 3,
      solve: (sample) => p3p(rays, points, sample),
      error: (pose, i) => rayError(pose, rays, points, i),
      polish: (pose, weights) => refinePose(pose, rays, points, weights),
    },
    { limit: limit * limit, random, most: 2000, confidence: 0.9999 },
  );
}
