import { FEWEST_PHOTOS } from '../capture/layout/photos.js';
import type { StatedLength } from '../capture/options.js';
import type { Warning } from '../core/context.js';
import { PlinthError, throwIfCancelled } from '../core/errors.js';
import type { CheckpointStore } from '../core/platform.js';
import { Random } from '../core/random.js';
import { diagnosePhotos, type PhotoVerdict } from './diagnose/photos.js';
import { diagnoseSet, type SetFacts } from './diagnose/set.js';
import type { PhotoFeatures } from './features/extractPhoto.js';
import { type Frame, frameOf } from './frame.js';
import { lengthOfPhotos } from './lengthOfPhotos.js';
import { longerSide as longerSideOf, type PhotoLens } from './mapper/lensModel.js';
import { type MapperPair, mapPhotos } from './mapper/map.js';
import { rescue } from './mapper/rescue.js';
import type { Scene } from './mapper/scene.js';
import type { Matches } from './matching/matcher.js';
import type { PairJob, PairResult } from './matching/matchPair.js';
import { choosePartners } from './matching/partners.js';
import { movingPairs } from './matching/still.js';
import { all, PhotoWork, toMapperPair } from './photoWork.js';
import { groupLenses, type KnownLens, type LensGroup } from './read/lenses.js';
import { type Photo, readPhotos } from './read/readPhotos.js';
import { chooseFocals } from './verify/chooseFocals.js';
import type { RelativePose } from './verify/relativePose.js';

/** How cameras are sought in photos. */
export interface FindCamerasOptions {
  /** A photo with more pixels is refused. Default 64,000,000. */
  maxPixels?: number;
  /** Focal length in pixels of the photos as stored, where it is known; it is refined all the same. */
  focal?: number;
  /** A calibrated lens of all photos, which is taken as it is. */
  lens?: KnownLens;
  /** Longer side at which features are sought. Default 3200. */
  longerSide?: number;
  /** Most features of a photo, before those with two orientations are doubled. Default 8192. */
  features?: number;
  /** A length that is known, photos by their file names; without one the scale is not known. */
  scale?: StatedLength;
  /** Default 0. */
  seed?: number;
  /** Where features and matches are kept, so that work that was stopped goes on. Default: nowhere. */
  work?: CheckpointStore;
  /** Threads. Default: the processor's, at most 8. */
  threads?: number;
  signal?: AbortSignal;
  /** Is told the share of the work that is done, 0 … 1, and what is being done. */
  onProgress?: (fraction: number, what: string) => void;
}

/** Cameras found from photos. */
export interface FoundCameras {
  photos: Photo[];
  features: PhotoFeatures[];
  lenses: LensGroup[];
  /** Poses, lenses and points in the mapper's own frame. */
  scene: Scene;
  /** From there to Plinth's world: +Y up, the place that the cameras look at in the middle, their mean distance 1. */
  frame: Frame;
  /** For each photo: registered, or why not. */
  verdicts: PhotoVerdict[];
  facts: SetFacts;
  warnings: Warning[];
}

/** Shares of the whole work. */
const PARTS = { read: 0.02, features: 0.28, coarse: 0.08, lens: 0.04, match: 0.4, map: 0.18 };

/**
 * Finds the cameras of photos (structure from motion): features, matches, relative poses, then one photo after the
 * other with bundle adjustment; lenses are calibrated on the way. The same photos, options and seed give the same
 * result on every machine.
 *
 * @param files paths of the photos
 * @throws CAPTURE_VIEWS_MISSING for fewer than three photos, PHOTOS_NOT_CONNECTED where no model can be made, errors of
 * reading, CANCELLED
 */
export async function findCameras(files: readonly string[], options: FindCamerasOptions = {}): Promise<FoundCameras> {
  const { maxPixels = 64_000_000, focal, longerSide = 3200, features: most = 8192, seed = 0, signal } = options;
  let done = 0;
  const begin = (part: keyof typeof PARTS, what: string): ((fraction: number) => void) => {
    const from = done;
    done += PARTS[part];
    options.onProgress?.(from, what);
    return (fraction) => options.onProgress?.(from + fraction * PARTS[part], what);
  };
  begin('read', 'Reading photos');
  const photos = await readPhotos(files, maxPixels, signal);
  const known =
    options.scale &&
    lengthOfPhotos(
      options.scale,
      photos.map(({ name }) => [name]),
    );
  const usable = photos.flatMap(({ duplicateOf }, i) => (duplicateOf === undefined ? [i] : []));
  if (usable.length < FEWEST_PHOTOS) throw tooFew(photos.length, usable.length);
  const lenses = groupLenses(photos, focal, options.lens);
  const lensOf = new Uint16Array(photos.length);
  lenses.forEach((group, k) => {
    for (const i of group.photos) lensOf[i] = k;
  });

  const { threads, work: store } = options;
  const work = new PhotoWork(photos, { longerSide, most, seed, threads, work: store });
  signal?.addEventListener('abort', work.close, { once: true });
  try {
    throwIfCancelled(signal);
    const features = await work.features(begin('features', 'Finding features'));
    let turntable = false;
    const job = (
      a: number,
      b: number,
      step: PairJob['step'],
      more: { matches?: Matches; pose?: RelativePose; lenses?: readonly PhotoLens[]; exhaustive?: boolean } = {},
    ): Promise<PairResult> => {
      const [lensA, lensB] = [a, b].map((i) => more.lenses?.[lensOf[i]] ?? lenses[lensOf[i]].lens);
      const { matches, pose, exhaustive } = more;
      return work.pair({ a, b, lensA, lensB, step, matches, pose, exhaustive, turntable });
    };

    const every = usable.flatMap((a, k) => usable.slice(k + 1).map((b) => ({ a, b })));
    const coarse = await all(every, ({ a, b }) => job(a, b, 'coarse'), begin('coarse', 'Comparing photos'));
    const moving = movingPairs(
      coarse,
      features.map(({ points }) => points),
      photos.map(longerSideOf),
      usable,
    );
    turntable = moving !== undefined;
    const promising = choosePartners(moving ?? coarse);
    const lensDone = begin('lens', 'Finding focal lengths');
    await chooseFocals(
      lenses,
      lensOf,
      promising.map(({ pair }) => pair),
      (pair) => job(pair.a, pair.b, 'fundamental', pair),
    );
    lensDone(1);
    const matched = await all(
      promising,
      ({ pair: { a, b, matches }, exhaustive }) => job(a, b, 'full', { matches, exhaustive }),
      begin('match', 'Matching photos'),
    );
    throwIfCancelled(signal);
    const pairs = matched.flatMap((result) => toMapperPair(result) ?? []);
    const mapDone = begin('map', 'Placing cameras');
    const random = new Random(seed);
    const mapped = await mapPhotos(
      photos.map((_, i) => ({ lens: lensOf[i], points: features[i].points })),
      lenses.map(({ lens }) => lens),
      pairs,
      { random, signal, progress: (count) => mapDone(count / photos.length) },
    );
    if (!mapped || mapped.registered().length < LEAST_REGISTERED) throw notConnected(photos, features, pairs);
    const scene = await rescue(
      mapped,
      pairs,
      matched,
      usable,
      async (a, b, pose) => toMapperPair(await job(a, b, 'full', { pose, lenses: mapped.lenses })),
      random,
    );
    throwIfCancelled(signal);
    const frame = frameOf(scene, photos, known);
    const verdicts = diagnosePhotos(photos, features, scene, pairs);
    const { facts, warnings } = diagnoseSet({ photos, features, lenses, scene, frame, pairs, verdicts, turntable });
    options.onProgress?.(1, 'Cameras found');
    return { photos, features, lenses, scene, frame, verdicts, facts, warnings };
  } catch (error) {
    throwIfCancelled(signal);
    throw error;
  } finally {
    signal?.removeEventListener('abort', work.close);
    work.close();
  }
}

const LEAST_REGISTERED = 3;

function tooFew(given: number, distinct: number): PlinthError {
  const same = distinct < given ? `, ${distinct} of them different` : '';
  return new PlinthError('CAPTURE_VIEWS_MISSING', {
    found: `There are ${given} photos${same}`,
    expected: `at least ${FEWEST_PHOTOS} different photos without cameras, and twenty or more all around for a good result`,
    remedy: 'Take more photos, each overlapping the one before by two thirds',
  });
}

function notConnected(
  photos: readonly Photo[],
  features: readonly PhotoFeatures[],
  pairs: readonly MapperPair[],
): PlinthError {
  const middle = [...features].map(({ count }) => count).sort((p, q) => p - q)[features.length >> 1];
  const best = pairs.reduce<MapperPair | undefined>(
    (p, q) => (p && p.ratios.length >= q.ratios.length ? p : q),
    undefined,
  );
  const said = best
    ? `the best pair, ${photos[best.a].name} and ${photos[best.b].name}, shares ${best.ratios.length} points`
    : 'no two of them share enough points';
  return new PlinthError('PHOTOS_NOT_CONNECTED', {
    found:
      `The cameras of ${photos.length} photos could not be found: ${said} (a photo has ${middle} features in ` +
      'the middle)',
    expected: 'sharp photos of something with texture that stands still, each overlapping the one before by two thirds',
    remedy:
      'Take photos in steps of 10 to 20 degrees around the object; lay something plain or shiny on ' +
      'newspaper; give cameras (docs/captures.md) where there are some',
  });
}
