import type { Warning } from '../../core/context.js';
import { length, sub, type Vec3 } from '../../core/math.js';
import type { PhotoFeatures } from '../features/extractPhoto.js';
import { type Frame, toWorld } from '../frame.js';
import { lensDeviations } from '../mapper/bundleScene.js';
import type { MapperPair } from '../mapper/map.js';
import type { Pose } from '../mapper/p3p.js';
import { relativePose } from '../mapper/rescue.js';
import type { Scene } from '../mapper/scene.js';
import { centreOf } from '../mapper/triangulate.js';
import type { LensGroup } from '../read/lenses.js';
import type { Photo } from '../read/readPhotos.js';
import { angleBetween } from '../solve/rotation.js';
import { essentialOf } from '../verify/relativePose.js';
import { sampsonError } from '../verify/sampson.js';
import { nearPairs } from './ambiguity.js';
import type { PhotoVerdict } from './photos.js';

/** What was found of one lens. JSON-serialisable. */
export interface LensFacts {
  title: string;
  photos: number;
  /** Pixels, of the picture as stored. */
  focal: number;
  /** Standard deviation of the focal length as a share of it. */
  focalDeviation: number;
  /** Focal length that EXIF or the user stated, pixels. */
  statedFocal?: number;
  principalPoint: [number, number];
  /** k₁, k₂. */
  distortion: [number, number];
}

/** What was found of the whole set. JSON-serialisable. */
export interface SetFacts {
  registered: number;
  photos: number;
  points: number;
  sightings: number;
  /** Root mean square distance in pixels. */
  error: number;
  meanTrackLength: number;
  /** Widest angle in degrees about the upright axis in which no camera stands. */
  coverageGap: number;
  lenses: LensFacts[];
  /** Pairs of photos that match well, and how many of them contradict the cameras found. */
  pairs: number;
  contradictingPairs: number;
  /** Pairs of photos that stand next to each other by the cameras found, and how many of them see unlike things. */
  nearPairs: number;
  unlikePairs: number;
  /** Points of the object that a photo sees, in the middle: of what the cameras look at, above its support. */
  objectPoints: number;
  /** How sharp the photo in the middle is; see `sharpness`. */
  sharpness: number;
  /** The camera stood still and the object turned. */
  turntable: boolean;
  /** What tells which way is up. */
  up: 'support' | 'cameras';
  /** Whether the unit of length is the user's; else it is the cameras' mean distance from what they look at. */
  scaleKnown: boolean;
}

export interface SetInput {
  photos: readonly Photo[];
  features: readonly PhotoFeatures[];
  lenses: readonly LensGroup[];
  scene: Scene;
  frame: Frame;
  pairs: readonly MapperPair[];
  verdicts: readonly PhotoVerdict[];
  turntable: boolean;
}

const WIDE_GAP = 60;
const FOCAL_UNCERTAIN = 0.01;
const FOCAL_OFF = 0.2;
const FEW_FEATURES = 800;
/** A pair contradicts the cameras where its own rotation differs by more, radians. */
const CONTRADICTION = 0.25;
/** Matches that such a pair must have, and the share of contradicting pairs that is no accident. */
const CONTRADICTION_MATCHES = 60;
const CONTRADICTION_SHARE = 0.08;
/** Share of a pair's matches that fit the cameras where it does not contradict them. */
const EXPLAINED = 0.4;
/** Neighbours that see unlike things, and their share of all neighbours, that are no accident. */
const UNLIKE_PAIRS = 4;
const UNLIKE_SHARE = 0.15;
/** Fewer photos leave most of an object unseen or seen once. */
const FEW_PHOTOS = 8;
/** Half of the photos are less sharp than this where all are out of focus or moved. */
const SOFT = 0.18;
/** Points of the object that a photo sees where it has texture. */
const FEW_OBJECT_POINTS = 25;
/** How far the object reaches from where the cameras look, over their mean distance; and what is on its support. */
const OBJECT_RADIUS = 0.35;
const ON_SUPPORT = 0.02;

/** Facts and warnings of the whole set. */
export function diagnoseSet(input: SetInput): { facts: SetFacts; warnings: Warning[] } {
  const { photos, features, lenses, scene, frame, pairs, verdicts } = input;
  const registered = scene.registered();
  const { rms, sightings } = scene.error();
  const points = scene.has.reduce((sum, v) => sum + v, 0);
  const deviations = lensDeviations(scene);
  const strong = pairs.filter(
    ({ a, b, ratios, flatness }) =>
      scene.poses[a] && scene.poses[b] && ratios.length >= CONTRADICTION_MATCHES && flatness < 0.8,
  );
  const contradicting = strong.filter((pair) => contradicts(pair, scene));
  const { near, unlike } = nearPairs(scene);
  const facts: SetFacts = {
    registered: registered.length,
    photos: photos.length,
    points,
    sightings,
    error: rms,
    meanTrackLength: points > 0 ? sightings / points : 0,
    coverageGap: coverageGap(registered.map((i) => toWorld(frame, centreOf(scene.poses[i] as Pose)))),
    lenses: lenses.flatMap(({ title }, k) => {
      const count = registered.filter((i) => scene.photos[i].lens === k).length;
      const { f, cx, cy, k1, k2, stated } = scene.lenses[k];
      if (count === 0) return [];
      return [
        {
          title,
          photos: count,
          focal: f,
          focalDeviation: deviations[k] / f,
          statedFocal: stated,
          principalPoint: [cx, cy] as [number, number],
          distortion: [k1, k2] as [number, number],
        },
      ];
    }),
    pairs: strong.length,
    contradictingPairs: contradicting.length,
    nearPairs: near,
    unlikePairs: unlike,
    objectPoints: objectPoints(scene, frame),
    sharpness: middleOf(features.map(({ sharpness }) => sharpness)),
    turntable: input.turntable,
    up: frame.support === undefined ? 'cameras' : 'support',
    scaleKnown: frame.scaleKnown,
  };
  return { facts, warnings: warningsOf(facts, verdicts, features) };
}

function warningsOf(facts: SetFacts, verdicts: readonly PhotoVerdict[], features: readonly PhotoFeatures[]): Warning[] {
  const warnings: Warning[] = [];
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  for (const { photo, registered, code, message } of verdicts) {
    if (registered || !code) continue;
    warnings.push({
      code,
      subject: photo,
      message: `${photo} has no camera. ${message}.`,
      remedy: PHOTO_REMEDIES[code],
    });
  }
  if (facts.coverageGap > WIDE_GAP) {
    warnings.push({
      code: 'COVERAGE_GAP',
      message:
        `No photo was taken within ${facts.coverageGap.toFixed(0)}° around the object: what faces there is not ` +
        'seen.',
      remedy: 'Add photos from that side, in steps of 10 to 20 degrees.',
    });
  }
  for (const { title, focal, focalDeviation, statedFocal } of facts.lenses) {
    if (focalDeviation > FOCAL_UNCERTAIN) {
      warnings.push({
        code: 'FOCAL_UNCERTAIN',
        subject: title,
        message:
          `The focal length of ${title} is known to ± ${percent(focalDeviation)} only (${focal.toFixed(0)} ` +
          'pixels).',
        remedy: 'Add photos from other distances and heights, and some turned by 90°.',
      });
    } else if (statedFocal && Math.abs(focal / statedFocal - 1) > FOCAL_OFF) {
      warnings.push({
        code: 'FOCAL_UNCERTAIN',
        subject: title,
        message:
          `The photos of ${title} show a focal length of ${focal.toFixed(0)} pixels where ` +
          `${statedFocal.toFixed(0)} are stated: were they cropped?`,
      });
    } else if (!statedFocal) {
      warnings.push({
        code: 'PHOTO_LENS_UNKNOWN',
        subject: title,
        message:
          `No focal length is stated for ${title}: ${focal.toFixed(0)} pixels were found from the photos, ± ` +
          `${percent(focalDeviation)}.`,
      });
    }
  }
  if (facts.registered < FEW_PHOTOS) {
    warnings.push({
      code: 'PHOTOS_FEW',
      message: `Only ${facts.registered} photos have a camera: much of the object is seen once or not at all.`,
      remedy: 'Take twenty or more, in steps of 10 to 20 degrees all around.',
    });
  }
  if (facts.sharpness < SOFT) {
    warnings.push({
      code: 'PHOTO_BLURRED',
      message: 'Most photos are out of focus or moved: cameras, shape and texture suffer.',
      remedy: 'Take them again, with more light, focused on the object.',
    });
  }
  if (facts.turntable) {
    warnings.push({
      code: 'TURNTABLE',
      message:
        'The camera stood still and the object turned: the cameras were found from what turned, the surroundings ' +
        'were left out.',
    });
  }
  const middle = middleOf(features.map(({ count }) => count));
  if (middle < FEW_FEATURES) {
    warnings.push({
      code: 'TEXTURELESS',
      message: `The photos have little texture: ${middle} features in the middle.`,
      remedy: 'Lay the object on newspaper or a patterned cloth, in even light.',
    });
  }
  if (middle >= FEW_FEATURES && facts.objectPoints < FEW_OBJECT_POINTS) {
    warnings.push({
      code: 'TEXTURELESS',
      subject: 'object',
      message:
        `A photo sees ${facts.objectPoints} points of the object in the middle: it is plain or mirrors, and its ` +
        'shape can be had from its outline alone.',
      remedy: 'Dust it, or stick a few patterned marks on it.',
    });
  }
  const contradicted = facts.contradictingPairs > CONTRADICTION_SHARE * facts.pairs;
  const laidOver = facts.unlikePairs >= UNLIKE_PAIRS && facts.unlikePairs > UNLIKE_SHARE * facts.nearPairs;
  if (contradicted || laidOver) {
    warnings.push({
      code: 'SYMMETRIC_AMBIGUOUS',
      message: contradicted
        ? `${facts.contradictingPairs} of ${facts.pairs} matching pairs of photos contradict the cameras: sides ` +
          'of the object look alike, or it was turned between photos.'
        : `${facts.unlikePairs} of ${facts.nearPairs} pairs of photos that should stand next to each other see ` +
          'unlike things: sides that look alike may be laid upon each other.',
      remedy:
        'Put something unlike on each side into view (a newspaper under it), and do not move the object ' +
        'between photos.',
    });
  }
  return warnings;
}

const PHOTO_REMEDIES: Record<NonNullable<PhotoVerdict['code']>, string> = {
  PHOTO_DUPLICATE: 'Nothing is lost.',
  PHOTO_BLURRED: 'Take it again, with more light or a steadier hand.',
  PHOTO_TEXTURELESS: 'Let more of the surroundings into the picture.',
  PHOTO_FEW_MATCHES: 'Add photos between it and its neighbours.',
  PHOTO_OTHER_MODEL: 'Add photos between the two groups.',
};

const middleOf = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** Points near the middle and above the support that a photo sees, in the median of the photos with a camera. */
function objectPoints(scene: Scene, frame: Frame): number {
  // The cameras' mean distance from the middle, whatever the unit.
  const centres = scene.registered().map((i) => length(toWorld(frame, centreOf(scene.poses[i] as Pose))));
  const unit = centres.reduce((sum, d) => sum + d, 0) / centres.length;
  const floor = frame.support === undefined ? Number.NEGATIVE_INFINITY : frame.support + ON_SUPPORT * unit;
  const isObject = Uint8Array.from({ length: scene.tracks.count }, (_, t) => {
    if (!scene.has[t]) return 0;
    const p = toWorld(frame, scene.position(t));
    return Number(length(p) < OBJECT_RADIUS * unit && p[1] > floor);
  });
  return middleOf(
    scene.registered().map((photo) => {
      let count = 0;
      for (const o of scene.sightingsOf[photo]) if (scene.active[o] && isObject[scene.trackOf[o]]) count++;
      return count;
    }),
  );
}

/**
 * Whether a pair rests on other matches than the cameras: its own rotation differs from theirs, and few of its matches
 * fit them. Of a scene that is nearly flat a pair's own pose may be the wrong one of two, though its matches are right.
 */
function contradicts({ a, b, pose, pairs }: MapperPair, scene: Scene): boolean {
  const own = relativePose(scene.poses[a] as Pose, scene.poses[b] as Pose);
  if (angleBetween(own.rotation, pose.rotation) <= CONTRADICTION) return false;
  const [raysA, raysB] = [scene.raysOf(a), scene.raysOf(b)];
  const count = pairs.length / 2;
  const points = new Float64Array(4 * count);
  for (let i = 0; i < count; i++) {
    points.set(raysA.subarray(pairs[2 * i] * 2, pairs[2 * i] * 2 + 2), 4 * i);
    points.set(raysB.subarray(pairs[2 * i + 1] * 2, pairs[2 * i + 1] * 2 + 2), 4 * i + 2);
  }
  const essential = essentialOf(own);
  const limit = (2 * Math.max(scene.rayLimitOf(a), scene.rayLimitOf(b))) ** 2;
  let fitting = 0;
  for (let i = 0; i < count; i++) if (sampsonError(essential, points, i) < limit) fitting++;
  return fitting < EXPLAINED * count;
}

/** Widest angle in degrees, seen from above, between neighbouring cameras around the origin. */
function coverageGap(centres: readonly Vec3[]): number {
  const angles = centres
    .filter((c) => Math.hypot(c[0], c[2]) > 0.1 * length(sub(c, [0, 0, 0])))
    .map((c) => (Math.atan2(c[0], c[2]) * 180) / Math.PI)
    .sort((a, b) => a - b);
  if (angles.length === 0) return 360;
  return Math.max(...angles.map((a, i) => (i + 1 < angles.length ? angles[i + 1] - a : angles[0] + 360 - a)));
}
