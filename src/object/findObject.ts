import type { SparsePoints, View } from '../capture/capture.js';
import { mapLimited } from '../capture/concurrency.js';
import { chamferDistance } from '../capture/masks/morphology.js';
import { resizeCamera } from '../core/camera.js';
import { PlinthError, throwIfCancelled } from '../core/errors.js';
import type { ColorImage } from '../core/image.js';
import { Random } from '../core/random.js';
import { ThreadPool } from '../platform/threadPool.js';
import type { CutJob } from './cutPhoto.js';
import { type Ground, groundEvidence, medianGround } from './ground.js';
import { fitMixture, logDensities } from './mixture.js';
import { convexHull, fillConvex, projected, projectedCorners, projectionOf, type WorkPhoto } from './photo.js';
import { BESIDE, findPlace, inFrame, type ObjectPlace, ON_OBJECT } from './place.js';
import { castVotes, hullOf, othersOpinion, type Votes } from './vote.js';

export interface FindObjectOptions {
  /** Default 0. */
  seed?: number;
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
  place: ObjectPlace;
  masks: ObjectMask[];
}

/** Longer side of the part of a photo that is cut. */
const PART = 560;
/** Longest side of a photo at work size. */
const MOST_SIDE = 1600;
const ROUNDS = 4;
const CELLS = 96;

/** Finds what the cameras look at, and cuts it out of every photo. */
export async function findObject(
  views: readonly View[],
  sparse: SparsePoints,
  options: FindObjectOptions = {},
): Promise<FoundObject> {
  const { seed = 0, signal } = options;
  const random = new Random(seed);
  const training = views.filter(({ split }) => split === 'train');
  const place = findPlace(
    training.map(({ camera }) => camera),
    sparse.positions,
    random,
  );
  if (!place) throw notFound('all cameras look in the same direction');
  const local = inFrame(place.frame, sparse.positions);
  options.onProgress?.(0, 'Loading photos');
  let loaded = 0;
  const photos = await mapLimited(
    views,
    2,
    async (view) => {
      const photo = await workPhoto(view, place, local, sparse.seen?.get(view.name));
      options.onProgress?.((0.4 * ++loaded) / views.length, 'Loading photos');
      return photo;
    },
    signal,
  );
  const pool = new ThreadPool(new URL('./objectThread', import.meta.url), options.threads);
  const abort = (): void => pool.close();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    let masks: Uint8Array[] = photos.map((photo) => firstGuess(photo, place, local));
    let others: (Uint8Array | undefined)[] = photos.map(() => undefined);
    for (let round = 0; round < ROUNDS; round++) {
      throwIfCancelled(signal);
      const ground: Ground | undefined = place.stands
        ? medianGround(photos, place.box, round === 0 ? [] : masks)
        : undefined;
      const evidence = photos.map((photo) => ground && groundEvidence(photo, ground));
      const table = colorTable(photos, masks, evidence, random);
      let done = 0;
      masks = await Promise.all(
        photos.map(async (photo, i) => {
          const job: CutJob = { photo, table, ground: evidence[i], others: others[i] };
          const mask = await pool.run<Uint8Array>(job);
          const share = (round + ++done / photos.length) / ROUNDS;
          options.onProgress?.(0.4 + 0.6 * share, 'Cutting the object out');
          return mask;
        }),
      );
      const votes = castVotes(photos, masks, place.box, CELLS);
      others = photos.map((photo, i) => othersOpinion(photo, votes, masks[i]));
    }
    const votes = castVotes(photos, masks, place.box, CELLS);
    return {
      place,
      masks: photos.map((photo, i) => ({
        ...whole(photo, masks[i]),
        name: photo.name,
        agreement: agreement(photo, masks[i], votes, training.length),
      })),
    };
  } catch (error) {
    throwIfCancelled(signal);
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
    pool.close();
  }
}

const notFound = (why: string): PlinthError =>
  new PlinthError('PHOTOS_NO_MASKS', {
    found: `The object could not be told from its surroundings: ${why}`,
    expected: 'photos around one thing',
    remedy: 'Give masks',
  });

/** Loads the part of a photo around the box. */
async function workPhoto(
  view: View,
  place: ObjectPlace,
  local: Float64Array,
  seen: Uint32Array | undefined,
): Promise<WorkPhoto> {
  const { camera } = view;
  const full = projectionOf(camera, place.frame);
  const corners = projectedCorners(full, place.box);
  const [xs, ys] = [0, 1].map((k) => (corners ?? []).map((p) => p[k]));
  const clip = (v: number, most: number): number => Math.max(0, Math.min(most, v));
  const area = corners
    ? {
        left: clip(Math.min(...xs), camera.width),
        right: clip(Math.max(...xs), camera.width),
        top: clip(Math.min(...ys), camera.height),
        bottom: clip(Math.max(...ys), camera.height),
      }
    : { left: 0, right: camera.width, top: 0, bottom: camera.height };
  const longest = Math.max(1, area.right - area.left, area.bottom - area.top);
  const side = Math.max(camera.width, camera.height);
  const scale = Math.min(1, PART / longest, MOST_SIDE / side);
  const image = await view.loadColor({ maxSize: Math.max(64, Math.round(side * scale)) });
  const size = resizeCamera(camera, image.width, image.height);
  const projection = projectionOf(size, place.frame);
  const s = image.width / camera.width;
  const margin = 0.15 * longest * s;
  const left = Math.floor(clip(area.left * s - margin, image.width - 1));
  const top = Math.floor(clip(area.top * s - margin, image.height - 1));
  const part = {
    left,
    top,
    partWidth: Math.max(1, Math.ceil(clip(area.right * s + margin, image.width)) - left),
    partHeight: Math.max(1, Math.ceil(clip(area.bottom * s + margin, image.height)) - top),
  };
  const box = projectedCorners(projection, place.box);
  const inBox = box ? fillConvex(convexHull(box), part) : new Uint8Array(part.partWidth * part.partHeight).fill(1);
  const photo: WorkPhoto = {
    name: view.name,
    width: image.width,
    height: image.height,
    projection,
    ...part,
    colors: cropColors(image, part),
    inBox,
    seeds: new Uint8Array(part.partWidth * part.partHeight),
    votes: view.split === 'train',
  };
  if (seen) plantSeeds(photo, place, local, seen);
  return photo;
}

function cropColors(
  { width, data }: ColorImage,
  { left, top, partWidth, partHeight }: Pick<WorkPhoto, 'left' | 'top' | 'partWidth' | 'partHeight'>,
): Uint8Array {
  const out = new Uint8Array(new SharedArrayBuffer(partWidth * partHeight * 3));
  for (let y = 0, o = 0; y < partHeight; y++)
    for (let x = 0; x < partWidth; x++, o += 3) {
      const i = ((top + y) * width + left + x) * 4;
      out[o] = data[i];
      out[o + 1] = data[i + 1];
      out[o + 2] = data[i + 2];
    }
  return out;
}

/** Sparse points that the photo shows are object or background for sure where they lie. */
function plantSeeds(photo: WorkPhoto, { sides }: ObjectPlace, local: Float64Array, seen: Uint32Array): void {
  const { partWidth, partHeight, left, top, seeds } = photo;
  for (const i of seen) {
    const side = sides[i];
    if (side !== ON_OBJECT && side !== BESIDE) continue;
    const p = projected(photo.projection, local[i * 3], local[i * 3 + 1], local[i * 3 + 2]);
    if (!p) continue;
    const [x, y] = [Math.floor(p[0]) - left, Math.floor(p[1]) - top];
    for (let v = Math.max(0, y - 1); v <= Math.min(partHeight - 1, y + 1); v++)
      for (let u = Math.max(0, x - 1); u <= Math.min(partWidth - 1, x + 1); u++) {
        const at = v * partWidth + u;
        // Points of both kinds next to each other decide nothing.
        seeds[at] = seeds[at] === 0 || seeds[at] === side ? side : 3;
      }
  }
}

/** Before the first cut: what lies within the outline of the object's points. */
function firstGuess(photo: WorkPhoto, place: ObjectPlace, local: Float64Array): Uint8Array {
  const spots: [number, number][] = [];
  place.sides.forEach((side, i) => {
    if (side !== ON_OBJECT) return;
    const p = projected(photo.projection, local[i * 3], local[i * 3 + 1], local[i * 3 + 2]);
    if (p) spots.push(p);
  });
  return spots.length < 3 ? photo.inBox.slice() : fillConvex(convexHull(spots), photo);
}

const SAMPLES = 12_000;
const PARTS = 6;

/** How much likelier each colour is on the object than beside it, from all photos that may vote. */
function colorTable(
  photos: readonly WorkPhoto[],
  masks: readonly Uint8Array[],
  evidence: readonly (Float32Array | undefined)[],
  random: Random,
): Float32Array {
  const object: number[] = [];
  const ground: number[] = [];
  photos.forEach((photo, k) => {
    if (!photo.votes) return;
    for (let i = 0; i < masks[k].length; i++) {
      const e = evidence[k]?.[i] ?? 0;
      if (masks[k][i]) {
        if (e > -1) object.push(k, i);
      } else ground.push(k, i);
    }
  });
  const densities = (list: readonly number[]): Float32Array => {
    const count = list.length / 2;
    const take = Math.min(SAMPLES, count);
    const colors = new Uint8Array(take * 3);
    for (let n = 0; n < take; n++) {
      const at = 2 * Math.floor(((n + random.float()) * count) / take);
      const from = photos[list[at]].colors;
      colors.set(from.subarray(list[at + 1] * 3, list[at + 1] * 3 + 3), n * 3);
    }
    return logDensities(fitMixture(colors, PARTS, random));
  };
  const [on, beside] = [densities(object), densities(ground)];
  return on.map((v, i) => v - beside[i]);
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
function agreement(photo: WorkPhoto, mask: Uint8Array, votes: Votes, count: number): number {
  const most = Math.min(MAJORITY, (count - 1.5) / count);
  const { mask: all, rim } = hullOf(photo, votes, most);
  const inner = chamferDistance(all, photo.partWidth, photo.partHeight);
  let [both, either] = [0, 0];
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] && all[i]) both++;
    if (mask[i] || inner[i] > 2 * rim + 1) either++;
  }
  return either > 0 ? both / either : 0;
}
