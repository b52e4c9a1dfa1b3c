import type { Random } from '../../core/random.js';
import type { Matches } from '../matching/matcher.js';
import { angleBetween } from '../solve/rotation.js';
import { multiply3, transpose3 } from '../solve/svd3.js';
import type { RelativePose } from '../verify/relativePose.js';
import { locate } from './locate.js';
import { LEAST_POINTS, type MapperPair, settle } from './map.js';
import type { Pose } from './p3p.js';
import { Scene } from './scene.js';
import { buildTracks } from './tracks.js';

/** All matches of two photos, also those that fit no geometry. */
export interface RawPair {
  a: number;
  b: number;
  matches: Matches;
}

/** A photo that rests on fewer points looks for more. */
const WEAK = 400;
/** Known points that a photo must agree on to be placed for a trial. */
const LEAST_TRIAL = 10;
/** Photos that a weak one is compared with, and the widest angle in radians between their views. */
const PARTNERS = 8;
const WIDEST = 1;
/** A pair whose own rotation differs by more radians from that of the poses rests on other matches than they do. */
const LARGEST_CHANGE = 0.15;

/**
 * Looks again at photos without a pose and at those with few points, now that most cameras are known: a photo is placed
 * for a trial by all its matches with known points, then compared along the epipolar lines that follow. What it finds
 * has to carry it, or it stays out.
 *
 * @param alongLines matches two photos along the lines of a relative pose
 * @returns a scene with more photos or points, or the same one where nothing was found
 */
export async function rescue(
  scene: Scene,
  pairs: readonly MapperPair[],
  raw: readonly RawPair[],
  usable: readonly number[],
  alongLines: (a: number, b: number, pose: RelativePose) => Promise<MapperPair | undefined>,
  random: Random,
): Promise<Scene> {
  const poses = [...scene.poses];
  const weak: number[] = [];
  for (const photo of usable) {
    if (!poses[photo]) poses[photo] = trialPose(scene, photo, raw, random);
    if (poses[photo] && (!scene.poses[photo] || scene.pointCount(photo) < WEAK)) weak.push(photo);
  }
  const wanted = new Map<string, { a: number; b: number; pose: RelativePose }>();
  for (const photo of weak) {
    for (const other of partners(scene, photo, poses)) {
      const [a, b] = photo < other ? [photo, other] : [other, photo];
      wanted.set(`${a} ${b}`, { a, b, pose: relativePose(poses[a] as Pose, poses[b] as Pose) });
    }
  }
  if (wanted.size === 0) return scene;
  const found = (
    await Promise.all(
      [...wanted.values()].map(async ({ a, b, pose }) => {
        const pair = await alongLines(a, b, pose);
        return pair && angleBetween(pair.pose.rotation, pose.rotation) < LARGEST_CHANGE ? pair : undefined;
      }),
    )
  ).flatMap((pair) => pair ?? []);
  if (found.length === 0) return scene;
  const fresh = new Set(found.map(({ a, b }) => `${a} ${b}`));
  const tracks = buildTracks(
    [...pairs.filter(({ a, b }) => !fresh.has(`${a} ${b}`)), ...found],
    scene.photos.map(({ points }) => points.length / 2),
  );
  const next = new Scene(
    scene.photos,
    scene.lenses.map((lens) => ({ ...lens })),
    tracks,
  );
  poses.forEach((pose, photo) => {
    next.poses[photo] = pose;
  });
  next.retriangulate();
  dropWeak(next);
  settle(next, 4, true);
  dropWeak(next);
  const count = next.registered().length;
  const before = scene.registered().length;
  return count > before || (count === before && next.error().sightings > scene.error().sightings) ? next : scene;
}

function dropWeak(scene: Scene): void {
  for (const photo of scene.registered()) if (scene.pointCount(photo) < LEAST_POINTS) scene.remove(photo);
}

/** A pose by all matches with known points, wrong ones among them. */
function trialPose(scene: Scene, photo: number, raw: readonly RawPair[], random: Random): Pose | undefined {
  const trackAt = new Map<number, number>();
  const { photos, features } = scene.tracks;
  for (let o = 0; o < photos.length; o++)
    if (scene.active[o]) trackAt.set(photos[o] * SPREAD + features[o], scene.trackOf[o]);
  const seen = new Set<number>();
  const rays: number[] = [];
  const points: number[] = [];
  const all = scene.raysOf(photo);
  for (const { a, b, matches } of raw) {
    if (a !== photo && b !== photo) continue;
    const own = a === photo ? 0 : 1;
    for (let k = 0; k < matches.count; k++) {
      const feature = matches.pairs[2 * k + own];
      const track = trackAt.get((own === 0 ? b : a) * SPREAD + matches.pairs[2 * k + 1 - own]);
      if (track === undefined || seen.has(feature * SPREAD + track)) continue;
      seen.add(feature * SPREAD + track);
      rays.push(all[2 * feature], all[2 * feature + 1]);
      points.push(...scene.position(track));
    }
  }
  if (rays.length < 2 * LEAST_TRIAL) return undefined;
  const fit = locate(Float64Array.from(rays), Float64Array.from(points), 2 * scene.rayLimitOf(photo), random);
  return fit && fit.count >= LEAST_TRIAL ? fit.model : undefined;
}

/** More than the features of a photo: makes one number of two. */
const SPREAD = 2 ** 26;

/** Photos of the scene that look from nearest, the nearest direction first. */
function partners(scene: Scene, photo: number, poses: readonly (Pose | undefined)[]): number[] {
  const axis = (i: number): Float64Array => (poses[i] as Pose).rotation.subarray(6, 9);
  const own = axis(photo);
  return scene
    .registered()
    .filter((other) => other !== photo)
    .map((other) => {
      const a = axis(other);
      return { other, angle: Math.acos(Math.max(-1, Math.min(1, own[0] * a[0] + own[1] * a[1] + own[2] * a[2]))) };
    })
    .filter(({ angle }) => angle < WIDEST)
    .sort((p, q) => p.angle - q.angle || p.other - q.other)
    .slice(0, PARTNERS)
    .map(({ other }) => other);
}

/** The second camera as seen from the first, with a unit step. */
export function relativePose(p: Pose, q: Pose): RelativePose {
  const rotation = multiply3(q.rotation, transpose3(p.rotation));
  const t = Float64Array.from(
    [0, 1, 2],
    (k) =>
      q.translation[k] -
      rotation[k * 3] * p.translation[0] -
      rotation[k * 3 + 1] * p.translation[1] -
      rotation[k * 3 + 2] * p.translation[2],
  );
  const n = Math.hypot(t[0], t[1], t[2]) || 1;
  return { rotation, translation: t.map((v) => v / n) };
}
