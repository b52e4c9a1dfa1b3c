import { throwIfCancelled } from '../../core/errors.js';
import type { Random } from '../../core/random.js';
import type { RelativePose } from '../verify/relativePose.js';
import { bundleScene, type FreeLens } from './bundleScene.js';
import type { PhotoLens } from './lensModel.js';
import { locate } from './locate.js';
import { Scene, type ScenePhoto } from './scene.js';
import { buildTracks, type VerifiedPair } from './tracks.js';

/** A verified pair with its geometry. */
export interface MapperPair extends VerifiedPair {
  pose: RelativePose;
  flatness: number;
  /** Radians. */
  medianAngle: number;
}

export interface MapperOptions {
  random: Random;
  signal?: AbortSignal;
  /** Is told how many photos have a pose. */
  progress?: (registered: number) => void;
}

/** A pair must have this many points to begin with. */
const LEAST_START = 50;
/** A photo must see this many known points, and this share of those that its features name. */
const LEAST_LOCATED = 20;
const LEAST_SHARE = 0.2;
/** Photos that rest on fewer points at the end are no part of the result. */
export const LEAST_POINTS = 30;
/** Starts that are tried while photos are left out. */
const STARTS = 3;

/**
 * Cameras and points of as many photos as hang together, one photo after the other (Schönberger and Frahm 2016): a
 * start pair, the photo that sees most known points next, new points, bundle adjustment of the neighbourhood and from
 * time to time of all. The largest of a few starts wins. Lenses are copied; those of the result are in its scene.
 */
export async function mapPhotos(
  photos: readonly ScenePhoto[],
  lenses: readonly PhotoLens[],
  pairs: readonly MapperPair[],
  options: MapperOptions,
): Promise<Scene | undefined> {
  const tracks = buildTracks(
    pairs,
    photos.map(({ points }) => points.length / 2),
  );
  const starts = startPairs(pairs);
  const reachable = new Set(pairs.flatMap(({ a, b }) => [a, b])).size;
  let best: { scene: Scene; count: number; sightings: number } | undefined;
  let tried = 0;
  for (const start of starts) {
    if (tried >= STARTS) break;
    // A pair of photos that are in the result already would begin the same model again.
    if (best?.scene.poses[start.a] && best.scene.poses[start.b]) continue;
    const scene = new Scene(
      photos,
      lenses.map((lens) => ({ ...lens })),
      tracks,
    );
    if (!begin(scene, start)) continue;
    tried++;
    await grow(scene, options);
    const count = scene.registered().length;
    const { sightings } = scene.error();
    if (!best || count > best.count || (count === best.count && sightings > best.sightings))
      best = { scene, count, sightings };
    if (best.count >= reachable) break;
  }
  return best?.scene;
}

/** Pairs fit to begin with, the best first: many matches, wide angles, not flat. */
function startPairs(pairs: readonly MapperPair[]): MapperPair[] {
  const degrees = (r: number): number => (r * 180) / Math.PI;
  const worth = ({ ratios, flatness, medianAngle }: MapperPair): number =>
    ratios.length * Math.min(1, degrees(medianAngle) / 8) ** 2 * (1.05 - Math.min(1, flatness)) ** 0.5;
  return [...pairs]
    .filter((pair) => degrees(pair.medianAngle) > 1.5)
    .sort((p, q) => worth(q) - worth(p) || p.a - q.a || p.b - q.b);
}

function begin(scene: Scene, { a, b, pose }: MapperPair): boolean {
  scene.poses[a] = { rotation: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), translation: new Float64Array(3) };
  scene.poses[b] = { rotation: pose.rotation.slice(), translation: pose.translation.slice() };
  scene.extend(b);
  bundleScene(scene, { free: new Set([b]), iterations: 20 });
  scene.filter();
  scene.retriangulate();
  return scene.pointCount(b) >= LEAST_START;
}

async function grow(scene: Scene, options: MapperOptions): Promise<void> {
  const { random, signal, progress } = options;
  const failed = new Map<number, number>();
  let adjusted = 2;
  for (;;) {
    await new Promise((done) => setImmediate(done));
    throwIfCancelled(signal);
    const next = nextPhotos(scene, failed);
    const added = next.find((photo) => {
      if (register(scene, photo, random)) return true;
      failed.set(photo, scene.registered().length);
      return false;
    });
    if (added === undefined) break;
    const count = scene.registered().length;
    progress?.(count);
    if (count < 8 || count >= 1.2 * adjusted) {
      adjusted = count;
      settle(scene, 1);
    } else {
      const near = neighbours(scene, added, 5);
      bundleScene(scene, { free: new Set([added, ...near]), pointsOf: [added], iterations: 8, tolerance: 1e-4 });
      scene.filter();
    }
  }
  for (const photo of scene.registered()) if (scene.pointCount(photo) < LEAST_POINTS) scene.remove(photo);
  settle(scene, 4, true);
  for (const photo of scene.registered()) if (scene.pointCount(photo) < LEAST_POINTS) scene.remove(photo);
}

/** Adjusts everything, drops what does not fit and looks for new points, in rounds. */
export function settle(scene: Scene, rounds: number, last = false): void {
  for (let round = 0; round < rounds; round++) {
    bundleScene(scene, {
      freeLenses: freedom(scene, last),
      iterations: last ? 25 : 10,
      tolerance: last ? 1e-7 : 1e-4,
    });
    const dropped = scene.filter();
    scene.retriangulate();
    if (last && round > 0 && dropped < 1e-3 * scene.tracks.photos.length) {
      bundleScene(scene, { freeLenses: freedom(scene, last), iterations: 25, tolerance: 1e-8 });
      scene.filter();
      break;
    }
  }
}

/** What the number of photos allows to be found of every lens. */
function freedom(scene: Scene, last: boolean): FreeLens[] {
  const counts = scene.lenses.map(() => 0);
  for (const photo of scene.registered()) counts[scene.photos[photo].lens]++;
  return counts.map((n) => ({ f: n >= 3, k1: n >= 4, k2: n >= 5 && last }));
}

/**
 * Photos without a pose, those first whose known points are many and spread. Those that failed wait until the model has
 * grown.
 */
function nextPhotos(scene: Scene, failed: ReadonlyMap<number, number>): number[] {
  const count = scene.registered().length;
  return scene.photos
    .flatMap((_, photo) => {
      if (scene.poses[photo] || (failed.get(photo) ?? 0) >= count) return [];
      const visible = scene.visible(photo);
      return visible.length >= LEAST_LOCATED ? [{ photo, worth: spread(scene, photo, visible) }] : [];
    })
    .sort((p, q) => q.worth - p.worth || p.photo - q.photo)
    .map(({ photo }) => photo);
}

/** Cells of grids of 8², 16² and 32² that hold a known point. */
function spread(scene: Scene, photo: number, visible: readonly number[]): number {
  const { width, height } = scene.lensOf(photo);
  const { points } = scene.photos[photo];
  let sum = 0;
  for (const cells of [8, 16, 32]) {
    const seen = new Set<number>();
    for (const o of visible) {
      const at = scene.tracks.features[o] * 2;
      seen.add(Math.floor((points[at + 1] / height) * cells) * cells + Math.floor((points[at] / width) * cells));
    }
    sum += seen.size;
  }
  return sum;
}

/** Finds the pose of a photo from the points that it sees, and adds its points. */
function register(scene: Scene, photo: number, random: Random): boolean {
  const visible = scene.visible(photo);
  const all = scene.raysOf(photo);
  const rays = new Float64Array(visible.length * 2);
  const points = new Float64Array(visible.length * 3);
  visible.forEach((o, i) => {
    const feature = scene.tracks.features[o];
    rays.set(all.subarray(feature * 2, feature * 2 + 2), i * 2);
    points.set(scene.position(scene.trackOf[o]), i * 3);
  });
  const fit = locate(rays, points, 2 * scene.rayLimitOf(photo), random);
  if (!fit || fit.count < LEAST_LOCATED || fit.count < LEAST_SHARE * visible.length) return false;
  scene.poses[photo] = fit.model;
  visible.forEach((o, i) => {
    scene.active[o] = fit.inliers[i];
  });
  bundleScene(scene, { free: new Set([photo]), pointsOf: [photo], iterations: 6, tolerance: 1e-4 });
  scene.extend(photo);
  return true;
}

/** Photos with a pose that share most points with the given one. */
function neighbours(scene: Scene, photo: number, most: number): number[] {
  const { starts, photos } = scene.tracks;
  const shared = new Map<number, number>();
  for (const o of scene.sightingsOf[photo]) {
    if (!scene.active[o]) continue;
    const t = scene.trackOf[o];
    for (let k = starts[t]; k < starts[t + 1]; k++)
      if (scene.active[k] && photos[k] !== photo) shared.set(photos[k], (shared.get(photos[k]) ?? 0) + 1);
  }
  return [...shared]
    .sort((p, q) => q[1] - p[1] || p[0] - q[0])
    .slice(0, most)
    .map(([other]) => other);
}
