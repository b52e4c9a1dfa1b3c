import type { ThreadTask } from '../../../core/platform.js';
import { type Agreement, type Similarity, type SquareCamera, scoreOf, smallPhoto } from './comparison.js';
import { agreements, COARSE, FINE, fitSimilarity, refineSimilarity, type Sight } from './fitSimilarity.js';
import { compose, turned, UPRIGHT } from './rotations.js';
import type { SurfacePoints } from './surfacePoints.js';

/** What is aligned in a thread of its own. */
export interface AlignJob {
  points: SurfacePoints;
  /** Square photos, RGBA. */
  photos: readonly { pixels: Uint8Array; side: number }[];
  /** Cameras of all photos in one world; absent where nobody knows them. */
  cameras?: readonly SquareCamera[];
  /** The cameras are right and stay; else they are guesses, each of which may be corrected by itself. */
  given: boolean;
}

/** Where the photos were taken from. */
export interface Aligned {
  /** Where the model lies in the world of given cameras. */
  place: Similarity;
  /** The camera of each photo: as given, else in the model's own frame. */
  cameras: SquareCamera[];
  agreements: Agreement[];
}

/** The thread's task: see `alignPhotos`. */
export const ALIGN: ThreadTask<AlignJob, Aligned> = {
  module: new URL('./alignPhotos', import.meta.url),
  name: 'alignPhotos',
};

/** Photos whose outlines overlap less than this with the model's are not taken for aligned. */
export const LEAST_OVERLAP = 0.8;

/** A guess that overlaps less than this may be a wrong one that happens to fit: the photo is sought by itself as well. */
const SURE_OVERLAP = 0.92;

/** A camera of 40° where none is known, at the origin. */
const UNKNOWN: SquareCamera = {
  rotation: UPRIGHT,
  translation: [0, 0, 0],
  focal: 0.5 / Math.tan(Math.PI / 9),
  centre: [0.5, 0.5],
};

const NOWHERE: Similarity = { rotation: UPRIGHT, scale: 1, translation: [0, 0, 0] };

/**
 * Finds how a model lies before the cameras of its photos: first all together, as far as their cameras are known, then,
 * where they are guesses, each by itself.
 */
export function alignPhotos(
  { points, photos, cameras, given }: AlignJob,
  tick: (fraction: number) => void = () => {},
): Aligned {
  const sights = photos.map(
    ({ pixels, side }, i): Sight => ({
      camera: cameras?.[i] ?? UNKNOWN,
      coarse: smallPhoto(pixels, side, COARSE.side),
      fine: smallPhoto(pixels, side, FINE.side),
    }),
  );
  const together = given ? 1 : 0.4;
  const place = cameras && fitSimilarity(points, sights, (share) => tick(together * share));
  if (place && given) {
    return { place, cameras: [...cameras], agreements: agreements(points, place, sights) };
  }
  const found = sights.map((sight, i) => {
    const alone = (share: number): void => tick(together + ((1 - together) * (i + share)) / sights.length);
    alone(0);
    const own = place && refineSimilarity(points, FINE.points, place, [sight], 'fine', 0.04).place;
    const [agreement] = own ? agreements(points, own, [sight]) : [];
    if (own && agreement.iou >= SURE_OVERLAP) return { sight, place: own, agreement };
    const other = fitSimilarity(points, [sight], alone);
    const [second] = agreements(points, other, [sight]);
    const keeps = own && scoreOf(agreement) >= scoreOf(second);
    return keeps ? { sight, place: own, agreement } : { sight, place: other, agreement: second };
  });
  return {
    place: NOWHERE,
    cameras: found.map(({ sight, place: own }) => seenFrom(sight.camera, own)),
    agreements: found.map(({ agreement }) => agreement),
  };
}

/** A camera of the world in the frame of a model that lies in it so. */
function seenFrom(camera: SquareCamera, { rotation, scale, translation }: Similarity): SquareCamera {
  const moved = turned(camera.rotation, translation);
  return {
    ...camera,
    rotation: compose(camera.rotation, rotation),
    translation: moved.map((x, k) => (x + camera.translation[k]) / scale),
  };
}
