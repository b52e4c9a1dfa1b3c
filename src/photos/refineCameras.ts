import type { Lens } from '../capture/cameras/lens.js';
import type { ReadSources } from '../capture/formats/sources.js';
import type { ViewSource } from '../capture/viewSource.js';
import { PlinthError, throwIfCancelled } from '../core/errors.js';
import { fromRows, length, type Mat4, sub, transformDirection, type Vec3 } from '../core/math.js';
import { diagnosePhotos } from './diagnose/photos.js';
import { diagnoseSet } from './diagnose/set.js';
import type { FindCamerasOptions, FoundCameras } from './findCameras.js';
import { type Frame, quarterTurns } from './frame.js';
import type { PhotoLens } from './mapper/lensModel.js';
import { LEAST_POINTS, settle } from './mapper/map.js';
import type { Pose } from './mapper/p3p.js';
import { relativePose } from './mapper/rescue.js';
import { Scene } from './mapper/scene.js';
import { buildTracks } from './mapper/tracks.js';
import { centreOf } from './mapper/triangulate.js';
import { all, PhotoWork, toMapperPair } from './photoWork.js';
import type { LensGroup } from './read/lenses.js';
import { type Photo, readPhotos } from './read/readPhotos.js';
import { angleBetween } from './solve/rotation.js';
import { multiply3, svd3, transpose3 } from './solve/svd3.js';

/** Photos that each is matched with, and the widest angle in radians between their views. */
const PARTNERS = 10;
const WIDEST = 1.1;
/** A pair whose own rotation differs by more radians from the given one rests on wrong matches. */
const LARGEST_CHANGE = 0.1;
const LEAST_PHOTOS = 3;
/** Half the width of the band along given epipolar lines, over the largest error of a match. */
const BAND = 12;
/** Factors of the largest distance that fits, one after the other. */
const SLACK = [10, 5, 2];

/**
 * Refines given cameras: features are matched along the epipolar lines that these give, points triangulated, and
 * cameras, lenses and points adjusted together. The result stands in the world of what was given, at its scale.
 *
 * @param given posed pictures, of lenses with radial distortion at most
 * @throws CAPTURE_CAMERA_INVALID for other lenses, PHOTOS_NOT_CONNECTED where the photos do not bear the cameras out,
 * CAPTURE_VIEWS_MISSING, errors of reading, CANCELLED
 */
export async function refineCameras(
  given: ReadSources,
  options: Omit<FindCamerasOptions, 'focal' | 'lens' | 'scale'> = {},
): Promise<FoundCameras> {
  const { maxPixels = 64_000_000, longerSide = 3200, features: most = 8192, seed = 0, signal } = options;
  const { threads, work: store, onProgress = () => {} } = options;
  const { sources } = given;
  if (sources.length < LEAST_PHOTOS) {
    throw new PlinthError('CAPTURE_VIEWS_MISSING', {
      found: `${sources.length} cameras are given`,
      expected: `at least ${LEAST_PHOTOS}`,
    });
  }
  onProgress(0, 'Reading photos');
  const photos = await readPhotos(
    sources.map(({ image }) => image),
    maxPixels,
    signal,
  );
  const poses = sources.map((source, i) => storedPose(source, photos[i]));
  const { groups, lensOf } = givenLenses(sources, photos);
  const work = new PhotoWork(photos, { longerSide, most, seed, threads, work: store });
  signal?.addEventListener('abort', work.close, { once: true });
  try {
    throwIfCancelled(signal);
    const features = await work.features((part) => onProgress(0.4 * part, 'Finding features'));
    const wanted = neighbours(poses);
    const matched = await all(
      wanted,
      async ({ a, b }) => {
        const pose = relativePose(poses[a], poses[b]);
        const [lensA, lensB] = [a, b].map((i) => groups[lensOf[i]].lens);
        const pair = toMapperPair(await work.pair({ a, b, lensA, lensB, step: 'full', pose, band: BAND }));
        return pair && angleBetween(pair.pose.rotation, pose.rotation) < LARGEST_CHANGE ? [pair] : [];
      },
      (part) => onProgress(0.4 + 0.4 * part, 'Matching photos'),
    );
    throwIfCancelled(signal);
    onProgress(0.8, 'Adjusting cameras');
    const pairs = matched.flat();
    const scene = new Scene(
      photos.map((_, i) => ({ lens: lensOf[i], points: features[i].points })),
      groups.map(({ lens }) => ({ ...lens })),
      buildTracks(
        pairs,
        features.map(({ count }) => count),
      ),
    );
    poses.forEach((pose, i) => {
      scene.poses[i] = pose;
    });
    // Points are first taken from cameras that may be some pixels off.
    for (const slack of SLACK) {
      scene.slack = slack;
      scene.retriangulate();
      settle(scene, 2);
    }
    scene.slack = 1;
    scene.filter();
    scene.retriangulate();
    settle(scene, 4, true);
    dropWeak(scene);
    if (scene.registered().length < LEAST_PHOTOS) throw notBorneOut(photos, scene);
    const frame = frameOfGiven(scene, poses, given.scaleKnown !== false);
    const verdicts = diagnosePhotos(photos, features, scene, pairs);
    const told = diagnoseSet({ photos, features, lenses: groups, scene, frame, pairs, verdicts, turntable: false });
    onProgress(1, 'Cameras refined');
    return { photos, features, lenses: groups, scene, frame, verdicts, ...told };
  } catch (error) {
    throwIfCancelled(signal);
    throw error;
  } finally {
    signal?.removeEventListener('abort', work.close);
    work.close();
  }
}

function dropWeak(scene: Scene): void {
  for (const photo of scene.registered()) if (scene.pointCount(photo) < LEAST_POINTS) scene.remove(photo);
}

/** Clockwise quarter turns from the stored picture to the one that the lens describes. */
const turnsOf = (source: ViewSource, photo: Photo): number => (source.orient ? quarterTurns(photo.orientation) : 0);

/** World to camera of the picture as stored: x right, y down, z forwards. */
function storedPose(source: ViewSource, photo: Photo): Pose {
  const m = source.cameraToWorld;
  const axis = (k: number, sign: number): Vec3 => [sign * m[k * 4], sign * m[k * 4 + 1], sign * m[k * 4 + 2]];
  const [right, down, forwards] = [axis(0, 1), axis(1, -1), axis(2, -1)];
  const minus = ([x, y, z]: Vec3): Vec3 => [-x, -y, -z];
  const [x, y] = (
    [
      [right, down],
      [down, minus(right)],
      [minus(right), minus(down)],
      [minus(down), right],
    ] as [Vec3, Vec3][]
  )[turnsOf(source, photo)];
  const rotation = Float64Array.from([...x, ...y, ...forwards]);
  const translation = Float64Array.from(
    [0, 1, 2],
    (k) => -(rotation[k * 3] * m[12] + rotation[k * 3 + 1] * m[13] + rotation[k * 3 + 2] * m[14]),
  );
  return { rotation, translation };
}

/** The given lenses, each once, of the pictures as stored. */
function givenLenses(
  sources: readonly ViewSource[],
  photos: readonly Photo[],
): { groups: LensGroup[]; lensOf: Uint16Array } {
  const found = new Map<string, number>();
  const groups: LensGroup[] = [];
  const lensOf = Uint16Array.from(sources, (source, i) => {
    const lens = storedLens(source.lens, turnsOf(source, photos[i]), source.name);
    const key = JSON.stringify(lens);
    const known = found.get(key);
    if (known !== undefined) {
      groups[known].photos.push(i);
      return known;
    }
    found.set(key, groups.length);
    const { width, height } = lens;
    groups.push({ lens: { ...lens, stated: lens.f }, title: `given lens, ${width} × ${height}`, photos: [i] });
    return groups.length - 1;
  });
  return { groups, lensOf };
}

function storedLens(lens: Lens, turns: number, view: string): PhotoLens {
  const { model, fx, fy, cx, cy, k, width, height } = lens;
  const bent = [lens.d, lens.p, lens.s, k.slice(2)].some((list) => list?.some((v) => Math.abs(v) > LEAST_TERM));
  if (model !== 'brown' || bent || Math.abs(fx / fy - 1) > LEAST_TERM) {
    throw new PlinthError('CAPTURE_CAMERA_INVALID', {
      found: `The lens of ${view} has more than one focal length and two radial terms`,
      expected: 'COLMAP’s SIMPLE_PINHOLE, SIMPLE_RADIAL or RADIAL, or the like',
      remedy: 'Undistort the pictures first, or have the cameras found from the photos',
      subject: view,
    });
  }
  const side = turns % 2 === 1;
  const [w, h] = side ? [height, width] : [width, height];
  const [x, y] = [
    [cx, cy],
    [cy, h - cx],
    [w - cx, h - cy],
    [w - cy, cx],
  ][turns];
  return { width: w, height: h, f: (fx + fy) / 2, cx: x, cy: y, k1: k[0] ?? 0, k2: k[1] ?? 0 };
}

/** Terms of a lens below this move nothing by a pixel. */
const LEAST_TERM = 5e-3;

/** Pairs of photos that look from near directions, each once. */
function neighbours(poses: readonly Pose[]): { a: number; b: number }[] {
  const pairs = new Map<string, { a: number; b: number }>();
  poses.forEach((pose, i) => {
    const angles = poses.flatMap((other, j) => {
      let cos = 0;
      for (let k = 6; k < 9; k++) cos += pose.rotation[k] * other.rotation[k];
      const angle = Math.acos(Math.max(-1, Math.min(1, cos)));
      const apart = length(sub(centreOf(pose), centreOf(other)));
      return j !== i && apart > 0 && angle < WIDEST ? [{ j, angle }] : [];
    });
    angles.sort((p, q) => p.angle - q.angle || p.j - q.j);
    for (const { j } of angles.slice(0, PARTNERS)) {
      const [a, b] = i < j ? [i, j] : [j, i];
      pairs.set(`${a} ${b}`, { a, b });
    }
  });
  return [...pairs.values()].sort((p, q) => p.a - q.a || p.b - q.b);
}

/** The similarity that brings the refined cameras nearest to the given ones (Umeyama 1991). */
function frameOfGiven(scene: Scene, given: readonly Pose[], scaleKnown: boolean): Frame {
  const registered = scene.registered();
  const from = registered.map((i) => centreOf(scene.poses[i] as Pose));
  const to = registered.map((i) => centreOf(given[i]));
  const mean = (list: readonly Vec3[]): Vec3 =>
    [0, 1, 2].map((k) => list.reduce((sum, p) => sum + p[k], 0) / list.length) as Vec3;
  const [fromMean, toMean] = [mean(from), mean(to)];
  const moment = new Float64Array(9);
  let spread = 0;
  from.forEach((p, i) => {
    const [d, e] = [sub(p, fromMean), sub(to[i], toMean)];
    spread += d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
    for (let r = 0; r < 3; r++) for (let c = 0; c < 3; c++) moment[r * 3 + c] += e[r] * d[c];
  });
  const { u, s, v } = svd3(moment);
  const r = multiply3(u, transpose3(v));
  const scale = spread > 0 ? (s[0] + s[1] + s[2]) / spread : 1;
  const rotation: Mat4 = fromRows([
    [r[0], r[1], r[2], 0],
    [r[3], r[4], r[5], 0],
    [r[6], r[7], r[8], 0],
    [0, 0, 0, 1],
  ]);
  const turned = transformDirection(rotation, fromMean);
  const offset = toMean.map((x, k) => x - scale * turned[k]) as Vec3;
  return { rotation, scale, offset, scaleKnown };
}

const notBorneOut = (photos: readonly Photo[], scene: Scene): PlinthError =>
  new PlinthError('PHOTOS_NOT_CONNECTED', {
    found: `Of ${photos.length} given cameras only ${scene.registered().length} are borne out by their photos`,
    expected: 'cameras that are right to some pixels, and photos of something with texture',
    remedy: 'Have the cameras found from the photos, without the given ones',
  });
