import { adjustBundle, type BundleOptions, type BundleProblem, deviationsOfLenses } from '../bundle/adjust.js';
import { LENS_SIZE } from '../bundle/project.js';
import type { Pose } from './p3p.js';
import type { Scene } from './scene.js';

/** Which numbers of the lenses bundle adjustment may change. */
export interface FreeLens {
  f?: boolean;
  centre?: boolean;
  k1?: boolean;
  k2?: boolean;
}

export interface SceneBundleOptions extends BundleOptions {
  /** Photos whose pose may change. Default: all but the first, which holds the frame. */
  free?: ReadonlySet<number>;
  /** By lens; default: none. */
  freeLenses?: readonly FreeLens[];
  /** Only the points of these photos. Default: all. */
  pointsOf?: readonly number[];
}

/** Weak knowledge of a stated focal length and of one that was guessed, as shares. */
const STATED_DEVIATION = 0.1;
const GUESSED_DEVIATION = 0.4;

/**
 * A scene, or a part of it, as a problem of bundle adjustment, with the photos and tracks that its numbers belong to.
 */
interface Extract {
  problem: BundleProblem;
  registered: number[];
  tracks: number[];
  focalPriors: NonNullable<BundleOptions['focalPriors']>;
}

function extract(scene: Scene, options: SceneBundleOptions): Extract {
  const { tracks } = scene;
  const chosen = new Uint8Array(tracks.count);
  if (options.pointsOf) {
    for (const photo of options.pointsOf)
      for (const o of scene.sightingsOf[photo]) if (scene.active[o]) chosen[scene.trackOf[o]] = 1;
  } else chosen.set(scene.has);
  const list: number[] = [];
  const starts = [0];
  const sightings: number[] = [];
  for (let t = 0; t < tracks.count; t++) {
    if (!chosen[t] || !scene.has[t]) continue;
    for (let o = tracks.starts[t]; o < tracks.starts[t + 1]; o++) if (scene.active[o]) sightings.push(o);
    list.push(t);
    starts.push(sightings.length);
  }
  const registered = scene.registered();
  const index = new Int32Array(scene.photos.length).fill(-1);
  registered.forEach((photo, i) => {
    index[photo] = i;
  });
  const poses = new Float64Array(registered.length * 12);
  registered.forEach((photo, i) => {
    const { rotation, translation } = scene.poses[photo] as Pose;
    poses.set(rotation, i * 12);
    poses.set(translation, i * 12 + 9);
  });
  const points = new Float64Array(list.length * 3);
  list.forEach((t, j) => {
    points.set(scene.position(t), j * 3);
  });
  const pixels = new Float64Array(sightings.length * 2);
  sightings.forEach((o, k) => {
    const at = tracks.features[o] * 2;
    const { points: from } = scene.photos[tracks.photos[o]];
    pixels[k * 2] = from[at];
    pixels[k * 2 + 1] = from[at + 1];
  });
  const freeLenses = new Uint8Array(scene.lenses.length * LENS_SIZE);
  const used = new Set(registered.map((photo) => scene.photos[photo].lens));
  options.freeLenses?.forEach(({ f, centre, k1, k2 }, i) => {
    if (scene.lenses[i].fixed || !used.has(i)) return;
    freeLenses.set([f, centre, centre, k1, k2].map(Number), i * LENS_SIZE);
  });
  const problem: BundleProblem = {
    poses,
    freePoses: Uint8Array.from(registered, (photo, i) => Number(options.free ? options.free.has(photo) : i > 0)),
    lensOf: Uint16Array.from(registered, (photo) => scene.photos[photo].lens),
    lenses: scene.lensNumbers(),
    freeLenses,
    points,
    starts: Uint32Array.from(starts),
    photos: Uint32Array.from(sightings, (o) => index[tracks.photos[o]]),
    pixels,
  };
  const focalPriors = scene.lenses.map(({ stated, width, height }) =>
    stated
      ? { focal: stated, deviation: STATED_DEVIATION }
      : { focal: 1.2 * Math.max(width, height), deviation: GUESSED_DEVIATION },
  );
  return { problem, registered, tracks: list, focalPriors };
}

/** Bundle adjustment of a scene or of a part of it; poses, lenses and points are changed in place. */
export function bundleScene(scene: Scene, options: SceneBundleOptions = {}): void {
  const { problem, registered, tracks: list, focalPriors } = extract(scene, options);
  if (list.length === 0) return;
  adjustBundle(problem, { focalPriors, ...options });
  registered.forEach((photo, i) => {
    const at = i * 12;
    const { poses } = problem;
    scene.poses[photo] = { rotation: poses.slice(at, at + 9), translation: poses.slice(at + 9, at + 12) };
  });
  list.forEach((t, j) => {
    scene.positions.set(problem.points.subarray(j * 3, j * 3 + 3), t * 3);
  });
  scene.lenses.forEach((lens, i) => {
    [lens.f, lens.cx, lens.cy, lens.k1, lens.k2] = problem.lenses.subarray(i * LENS_SIZE, (i + 1) * LENS_SIZE);
  });
  scene.lensesChanged();
}

/**
 * Standard deviation in pixels of the focal length of every lens, from the spread of all sightings; 0 where it is fixed
 * or not used.
 */
export function lensDeviations(scene: Scene): number[] {
  const { problem } = extract(scene, { freeLenses: scene.lenses.map(() => ({ f: true, k1: true, k2: true })) });
  if (problem.starts.length < 2) return scene.lenses.map(() => 0);
  const deviations = deviationsOfLenses(problem);
  return scene.lenses.map((_, i) => deviations[i * LENS_SIZE]);
}
