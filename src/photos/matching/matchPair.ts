import { Random } from '../../core/random.js';
import type { PhotoFeatures } from '../features/extractPhoto.js';
import { longerSide, type PhotoLens, undistortPixels } from '../mapper/lensModel.js';
import type { Mat3 } from '../solve/svd3.js';
import { essentialOf, type RelativePose } from '../verify/relativePose.js';
import { fitFundamental, LEAST_MATCHES, verifyPair } from '../verify/verifyPair.js';
import { Matcher, type Matches } from './matcher.js';
import { isTurned, splitStill, stillLimit } from './still.js';

/** What a thread is given to match two photos. */
export interface PairJob {
  a: number;
  b: number;
  featuresA: PhotoFeatures;
  featuresB: PhotoFeatures;
  lensA: PhotoLens;
  lensB: PhotoLens;
  seed: number;
  /**
   * `coarse`: the largest features only. `fundamental`: the geometry of `matches` without knowing the lenses. `full`:
   * all features, along epipolar lines where `matches` are enough to know them, with the relative pose.
   */
  step: 'coarse' | 'fundamental' | 'full';
  matches?: Matches;
  /** Compare all features where nothing less gives the geometry. */
  exhaustive?: boolean;
  /** The relative pose, where it is known: all features are then matched along its lines. */
  pose?: RelativePose;
  /** Half the width of the band along its lines, over the largest error of a match. Default 4. */
  band?: number;
  /** The camera stood still and the object turned: what stayed at its place in the picture is no match. */
  turntable?: boolean;
}

export interface PairResult {
  a: number;
  b: number;
  matches: Matches;
  /** Matches that fit the geometry. */
  inliers?: Matches;
  fundamental?: Mat3;
  pose?: RelativePose;
  flatness?: number;
  medianAngle?: number;
}

/** Features that the coarse step compares. */
const COARSE = 1536;
/** Ratio of the coarse step, which only has to find out whether two photos show the same. */
const COARSE_RATIO = 0.85;
/** Ratio of all other steps (Lowe 2004). */
const RATIO = 0.8;
/** Features that are compared where the coarse step does not give the geometry. */
const MIDDLE = 4096;
/** Coarse inliers, and their share of the coarse matches, from which the rest is sought along epipolar lines. */
const GUIDED_INLIERS = 40;
const GUIDED_SHARE = 0.3;
/** Half the width of the band along a line, over the largest error of a match. */
const BAND = 4;
/** Largest Sampson distance in pixels for a photo of 3,200 pixels. */
const LIMIT = 4;
const LIMIT_SIDE = 3200;

/** Matches pairs of photos, one at a time. */
export class PairWork {
  private readonly matcher = new Matcher();

  run(job: PairJob): PairResult {
    const { a, b } = job;
    switch (job.step) {
      case 'coarse':
        return { a, b, matches: this.largest(job, COARSE, COARSE_RATIO) };
      case 'fundamental': {
        const matches = job.matches as Matches;
        const fit = fitFundamental(pixelsOf(job, matches), limitOf(job), orderOf(matches), randomOf(job));
        return { a, b, matches, fundamental: fit?.model, inliers: fit && chosen(matches, fit.inliers) };
      }
      case 'full':
        return this.full(job);
    }
  }

  /** Matches of the largest features. */
  private largest({ featuresA, featuresB }: PairJob, most: number, ratio: number): Matches {
    const [listA, listB] = [featuresA, featuresB].map(({ bySize }) => bySize.subarray(0, most));
    const [a, b] = [pick(featuresA, listA), pick(featuresB, listB)];
    const { count, pairs, ratios } = this.matcher.match(a, listA.length, b, listB.length, { ratio });
    return { count, pairs: pairs.map((i, k) => (k % 2 === 0 ? listA : listB)[i]), ratios };
  }

  private full(job: PairJob): PairResult {
    const { a, b, featuresA, featuresB, lensA, lensB, matches: coarse } = job;
    const limit = limitOf(job) / Math.sqrt(lensA.f * lensB.f);
    const random = randomOf(job);
    const [raysA, raysB] = [undistortPixels(lensA, featuresA.points), undistortPixels(lensB, featuresB.points)];
    const geometry = (matches: Matches): ReturnType<typeof verifyPair> =>
      verifyPair(joined(raysA, raysB, matches), limit, orderOf(matches), random);

    /** The pose, where enough of these matches agree on one. */
    const sure = (matches: Matches): RelativePose | undefined => {
      const found = geometry(matches);
      return found && found.count >= GUIDED_INLIERS && found.count >= GUIDED_SHARE * matches.count
        ? found.pose
        : undefined;
    };
    let middle: Matches | undefined;
    let known = job.pose ?? (coarse && sure(coarse));
    if (!known) {
      middle = moved(job, this.largest(job, MIDDLE, RATIO));
      known = sure(middle);
    }
    const matches = moved(
      job,
      known
        ? this.matcher.matchAlong(
            featuresA.descriptors,
            raysA,
            featuresB.descriptors,
            raysB,
            essentialOf(known),
            (job.band ?? BAND) * limit,
          )
        : middle && !job.exhaustive
          ? middle
          : this.matcher.match(featuresA.descriptors, featuresA.count, featuresB.descriptors, featuresB.count),
    );
    if (matches.count < LEAST_MATCHES) return { a, b, matches };
    const found = geometry(matches);
    if (!found || (job.turntable && !isTurned(found.pose.rotation))) return { a, b, matches };
    const { pose, flatness, medianAngle, inliers } = found;
    return { a, b, matches, pose, flatness, medianAngle, inliers: chosen(matches, inliers) };
  }
}

const longest = ({ lensA, lensB }: PairJob): number => Math.max(longerSide(lensA), longerSide(lensB));

/** Largest Sampson distance of a good match in pixels. */
const limitOf = (job: PairJob): number => Math.max(1.5, (LIMIT * longest(job)) / LIMIT_SIDE);

/** The matches that count: on a turntable those that moved. */
const moved = (job: PairJob, matches: Matches): Matches =>
  job.turntable
    ? splitStill(matches, job.featuresA.points, job.featuresB.points, stillLimit(longest(job))).moving
    : matches;

const randomOf = ({ seed, a, b }: PairJob): Random => new Random(seed, (a << 16) + b + 1);

/** Matches in order of trust. */
const orderOf = ({ count, ratios }: Matches): Uint32Array =>
  Uint32Array.from({ length: count }, (_, i) => i).sort((i, j) => ratios[i] - ratios[j] || i - j);

function pick({ descriptors }: PhotoFeatures, list: Uint32Array): Uint8Array {
  const out = new Uint8Array(list.length * 128);
  list.forEach((i, k) => {
    out.set(descriptors.subarray(i * 128, i * 128 + 128), k * 128);
  });
  return out;
}

/** x₁, y₁, x₂, y₂ of every match. */
function joined(first: ArrayLike<number>, second: ArrayLike<number>, { count, pairs }: Matches): Float64Array {
  const out = new Float64Array(count * 4);
  for (let i = 0; i < count; i++) {
    const [p, q] = [pairs[i * 2] * 2, pairs[i * 2 + 1] * 2];
    out[i * 4] = first[p];
    out[i * 4 + 1] = first[p + 1];
    out[i * 4 + 2] = second[q];
    out[i * 4 + 3] = second[q + 1];
  }
  return out;
}

/** Places of matches in pixels from the centres of the pictures. */
function pixelsOf({ featuresA, featuresB, lensA, lensB }: PairJob, matches: Matches): Float64Array {
  const out = joined(featuresA.points, featuresB.points, matches);
  for (let i = 0; i < out.length; i += 4) {
    out[i] -= lensA.cx;
    out[i + 1] -= lensA.cy;
    out[i + 2] -= lensB.cx;
    out[i + 3] -= lensB.cy;
  }
  return out;
}

function chosen({ count, pairs, ratios }: Matches, flags: Uint8Array): Matches {
  const list = Array.from({ length: count }, (_, i) => i).filter((i) => flags[i]);
  return {
    count: list.length,
    pairs: Uint32Array.from(list.flatMap((i) => [pairs[i * 2], pairs[i * 2 + 1]])),
    ratios: Float32Array.from(list, (i) => ratios[i]),
  };
}
