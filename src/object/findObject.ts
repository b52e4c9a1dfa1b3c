import type { SparsePoints, View } from '../capture/capture.js';
import { mapLimited } from '../capture/concurrency.js';
import { rotationTo } from '../capture/formats/up.js';
import { chamferDistance } from '../capture/masks/morphology.js';
import { PlinthError, throwIfCancelled } from '../core/errors.js';
import { identity, type Mat4, multiply } from '../core/math.js';
import { Random } from '../core/random.js';
import { ThreadPool } from '../platform/threadPool.js';
import { type Base, baseOf } from './base.js';
import { colorTable, usedColors } from './colors.js';
import type { CutJob } from './cutPhoto.js';
import { type Doubts, doubtsOf } from './doubts.js';
import { evenOut, type Ground, groundEvidence, medianGround } from './ground.js';
import { boxInFrame, boxOfRectangles, type ObjectHints, rectanglesOf } from './hints.js';
import { firstGuess, loadPhoto } from './loadPhoto.js';
import type { WorkPhoto } from './photo.js';
import { type BoxSide, findPlace, givenPlace, grownPlace, inFrame, type ObjectPlace } from './place.js';
import { reachedSides } from './reach.js';
import { stillEvidence } from './still.js';
import { castVotes, hullOf, othersOpinion, type Votes } from './vote.js';

export interface FindObjectOptions {
  /** Default 0. */
  seed?: number;
  /** Whether the world may be turned so that what the object stands on is level. Default false. */
  level?: boolean;
  /** What the user says about where the object is. */
  hints?: ObjectHints;
  threads?: number;
  signal?: AbortSignal;
  onProgress?: (fraction: number, what: string) => void;
}

/** The object found in one photo. */
export interface ObjectMask {
  /** Name of the view. */
  name: string;
  width: number;
  height: number;
  /** 0 or 255. */
  mask: Uint8Array;
  /** Intersection over union of the mask with what all masks together show of the object, 0 … 1. */
  agreement: number;
}

export interface FoundObject {
  /** In the world as it was. */
  place: ObjectPlace;
  /** The rotation by which the world is to be turned. */
  turn: Mat4;
  masks: ObjectMask[];
  doubts: Doubts;
}

const ROUNDS = 4;
/** Cells along the longest side of the box, after the first round and later. */
const COARSE_CELLS = 64;
const CELLS = 96;
/** Share of the object's pixels below which a change is not worth another round. */
const SETTLED = 0.004;

/** Finds what the cameras look at, and cuts it out of every photo. */
export async function findObject(
  views: readonly View[],
  sparse: SparsePoints,
  options: FindObjectOptions = {},
): Promise<FoundObject> {
  const { seed = 0, signal } = options;
  const random = new Random(seed);
  const { place: first, turn } = placeOf(views, sparse, options, random);
  const given = Object.values(options.hints ?? {}).some((hint) => hint !== undefined);
  const pool = new ThreadPool(new URL('./objectThread', import.meta.url), options.threads);
  const abort = (): void => pool.close();
  signal?.addEventListener('abort', abort, { once: true });
  let shown = 0;
  const report = (fraction: number, what: string): void => {
    shown = Math.max(shown, fraction);
    options.onProgress?.(shown, what);
  };
  try {
    let place = first;
    for (let growths = given ? MOST_GROWTHS : 0; ; growths++) {
      const grow = growths < MOST_GROWTHS;
      const cut = await cutInside(place, { views, sparse, options, random, pool, report, grow });
      const reached = 'reached' in cut ? cut.reached : cut.doubts.reached;
      const larger = grow ? grownPlace(place, reached, sparse.positions) : undefined;
      if (larger) place = larger;
      else if ('masks' in cut) return { place, turn, ...cut };
      else growths = MOST_GROWTHS - 1;
    }
  } catch (error) {
    throwIfCancelled(signal);
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
    pool.close();
  }
}

/** What all attempts to cut the object out have in common. */
interface Attempt {
  views: readonly View[];
  sparse: SparsePoints;
  options: FindObjectOptions;
  random: Random;
  pool: ThreadPool;
  report: (fraction: number, what: string) => void;
  /** Whether to stop early where the object reaches the sides of the box. */
  grow: boolean;
}

/** Cuts the object out inside the box of a place. */
async function cutInside(
  place: ObjectPlace,
  { views, sparse, options, random, pool, report, grow }: Attempt,
): Promise<Pick<FoundObject, 'masks' | 'doubts'> | { reached: BoxSide[] }> {
  const { signal } = options;
  const count = views.filter(({ split }) => split === 'train').length;
  const most = Math.min(MAJORITY, (count - 1.5) / count);
  const local = inFrame(place.frame, sparse.positions);
  const loadedPhotos = await loadAll(place, local, { views, sparse, options, report });
  const base = baseOf(place, local);
  const photos = place.stands ? evened(loadedPhotos, place, base, local) : loadedPhotos;
  const guesses = photos.map((photo) => firstGuess(photo, place, local));
  const still = stillEvidence(photos, guesses);
  let masks = guesses;
  const used = usedColors(photos);
  let others: (Uint8Array | undefined)[] = photos.map(() => undefined);
  for (let round = 0; round < ROUNDS; round++) {
    throwIfCancelled(signal);
    const ground: Ground | undefined = place.stands
      ? medianGround(photos, place.box, round === 0 ? [] : masks, base)
      : undefined;
    const evidence = photos.map((photo, i) => sumOf(ground && groundEvidence(photo, ground), still?.[i]));
    const examples = photos.map((_, i) => ({
      mask: masks[i],
      guess: guesses[i],
      ground: evidence[i],
      others: others[i],
    }));
    const table = colorTable(photos, examples, used, random);
    let done = 0;
    const cuts = await Promise.all(
      photos.map(async (photo, i) => {
        const job: CutJob = { photo, table, ground: evidence[i], others: others[i], round };
        const mask = await pool.run<Uint8Array>(job);
        report(0.4 + 0.6 * ((round + ++done / photos.length) / ROUNDS), 'Cutting the object out');
        return mask;
      }),
    );
    const settled = round > 0 && changed(photos, masks, cuts) < SETTLED;
    masks = cuts;
    if (settled || round === ROUNDS - 1) break;
    const votes = castVotes(photos, masks, place.box, round === 0 ? COARSE_CELLS : CELLS);
    if (grow && round === EARLY) {
      const reached = reachedSides(photos, masks, votes, place);
      if (reached.length > 0) return { reached };
    }
    others = photos.map((photo, i) => othersOpinion(photo, votes, masks[i]));
  }
  const votes = castVotes(photos, masks, place.box, CELLS);
  return {
    doubts: doubtsOf({ photos, masks, votes, place, local, seen: sparse.seen, share: MAJORITY }),
    masks: photos.map((photo, i) => ({
      ...whole(photo, masks[i]),
      name: photo.name,
      agreement: agreement(photo, masks[i], votes, most),
    })),
  };
}

function sumOf(a: Float32Array | undefined, b: Float32Array | undefined): Float32Array | undefined {
  return a && b ? a.map((v, i) => v + b[i]) : (a ?? b);
}

/** How often the box may grow. */
const MOST_GROWTHS = 3;
/** The round after which a box that is too small is given up. */
const EARLY = 1;

/** The parts of all photos around the box. */
function loadAll(
  place: ObjectPlace,
  local: Float64Array,
  { views, sparse, options, report }: Pick<Attempt, 'views' | 'sparse' | 'options' | 'report'>,
): Promise<WorkPhoto[]> {
  const rectangles = rectanglesOf(views, options.hints ?? {});
  report(0, 'Loading photos');
  let loaded = 0;
  return mapLimited(
    views,
    2,
    async (view, i) => {
      const photo = await loadPhoto(view, place, local, sparse.seen?.get(view.name), rectangles[i]);
      report((0.4 * ++loaded) / views.length, 'Loading photos');
      return photo;
    },
    options.signal,
  );
}

/** Cosine of the slope up to which the ground is taken to be level already. */
const LEVEL = Math.cos(Math.PI / 180);

/** Where the object is, by the points and by what the user says. */
function placeOf(
  views: readonly View[],
  { positions }: SparsePoints,
  { hints = {}, level }: FindObjectOptions,
  random: Random,
): Pick<FoundObject, 'place' | 'turn'> {
  const training = views.filter(({ split }) => split === 'train');
  const place = findPlace(
    training.map(({ camera }) => camera),
    positions,
    random,
  );
  if (!place) throw notFound('all cameras look in the same direction');
  const [, , , , x, y, z] = place.frame;
  const turn = level && place.stands && y < LEVEL ? rotationTo([x, y, z], [0, 1, 0]) : identity();
  const rectangles = rectanglesOf(views, hints);
  // A box is given in the world as the user sees it, which is the turned one.
  if (hints.box) {
    const turned = { ...place, frame: multiply(turn, place.frame) };
    return { place: givenPlace(place, boxInFrame(turned, hints.box), positions), turn };
  }
  if (rectangles.every((rectangle) => rectangle === undefined)) return { place, turn };
  const cameras = views.map(({ camera }) => camera);
  return { place: givenPlace(place, boxOfRectangles(place, cameras, rectangles), positions), turn };
}

/** Photos with the same brightness and balance where they show the ground. */
function evened(photos: readonly WorkPhoto[], place: ObjectPlace, base: Base, local: Float64Array): WorkPhoto[] {
  const guesses = photos.map((photo) => firstGuess(photo, place, local));
  const ground = medianGround(photos, place.box, guesses, base);
  return photos.map((photo) => evenOut(photo, ground));
}

const notFound = (why: string): PlinthError =>
  new PlinthError('PHOTOS_NO_MASKS', {
    found: `The object could not be told from its surroundings: ${why}`,
    expected: 'photos around one thing',
    remedy: 'Give masks',
  });

/** Pixels that two sets of masks differ in, as a share of those that are object in the first; of photos that vote. */
function changed(photos: readonly WorkPhoto[], before: readonly Uint8Array[], after: readonly Uint8Array[]): number {
  let [different, object] = [0, 0];
  before.forEach((mask, k) => {
    if (!photos[k].votes) return;
    for (let i = 0; i < mask.length; i++) {
      object += mask[i];
      if (mask[i] !== after[k][i]) different++;
    }
  });
  return different / Math.max(1, object);
}

/** The mask of the whole picture at work size. */
function whole(
  { width, height, left, top, partWidth, partHeight }: WorkPhoto,
  part: Uint8Array,
): Pick<ObjectMask, 'width' | 'height' | 'mask'> {
  const mask = new Uint8Array(width * height);
  for (let y = 0; y < partHeight; y++)
    for (let x = 0; x < partWidth; x++) if (part[y * partWidth + x]) mask[(top + y) * width + left + x] = 255;
  return { width, height, mask };
}

/** Share of the votes from which a pixel is object by all photos together; one of few photos may be wrong. */
const MAJORITY = 0.95;

/**
 * How well a mask fits what all photos together show: what is on both sides over what is on either, but for a rim of
 * the width of a cell.
 */
function agreement(photo: WorkPhoto, mask: Uint8Array, votes: Votes, most: number): number {
  const { mask: all, rim } = hullOf(photo, votes, most);
  const inner = chamferDistance(all, photo.partWidth, photo.partHeight);
  let [both, either] = [0, 0];
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] && all[i]) both++;
    if (mask[i] || inner[i] > 2 * rim + 1) either++;
  }
  return either > 0 ? both / either : 0;
}
