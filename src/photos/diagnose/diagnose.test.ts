import { describe, expect, it } from 'vitest';
import { photoScene } from '../../../test/photoScene.js';
import { length } from '../../core/math.js';
import type { PhotoFeatures } from '../features/extractPhoto.js';
import { frameOf, toWorld } from '../frame.js';
import type { MapperPair } from '../mapper/map.js';
import type { Pose } from '../mapper/p3p.js';
import { relativePose } from '../mapper/rescue.js';
import { Scene } from '../mapper/scene.js';
import type { Photo } from '../read/readPhotos.js';
import { rotationOf } from '../solve/rotation.js';
import { multiply3 } from '../solve/svd3.js';
import { diagnosePhotos } from './photos.js';
import { diagnoseSet } from './set.js';

const POINTS = 80;
const PHOTOS = 8;

/** Six photos with cameras on an arc, two without. */
function solved(degrees: number) {
  const truth = photoScene({ photos: PHOTOS, points: POINTS, degrees, noise: 0.3, seed: 12 });
  const photos = truth.pixels.map(
    (_, i): Photo => ({ name: `p${i}.jpg`, file: `p${i}.jpg`, width: 1600, height: 1200, orientation: 1 }),
  );
  const features = photos.map(
    (): PhotoFeatures => ({
      count: 3000,
      points: new Float32Array(),
      sigmas: new Float32Array(),
      descriptors: new Uint8Array(),
      bySize: new Uint32Array(),
      colors: new Uint8Array(),
      sharpness: 0.4,
    }),
  );
  const placed = PHOTOS - 2;
  const scene = new Scene(
    truth.pixels.map((pixels) => ({ lens: 0, points: Float32Array.from(pixels) })),
    [{ ...truth.lens, stated: 1490 }],
    {
      count: POINTS,
      starts: Uint32Array.from({ length: POINTS + 1 }, (_, j) => placed * j),
      photos: Uint32Array.from({ length: placed * POINTS }, (_, o) => o % placed),
      features: Uint32Array.from({ length: placed * POINTS }, (_, o) => Math.floor(o / placed)),
    },
  );
  truth.poses.slice(0, placed).forEach((pose, i) => {
    scene.poses[i] = pose;
  });
  scene.retriangulate();
  /** A pair of right matches; where `wrong` by so many features, of matches of what only looks alike. */
  const pair = (a: number, b: number, count: number, turn = 0, wrong = turn === 0 ? 0 : 17): MapperPair => {
    const pose = relativePose(truth.poses[a], truth.poses[b]);
    return {
      a,
      b,
      pairs: Uint32Array.from({ length: 2 * count }, (_, i) => ((i >> 1) + (i % 2) * wrong) % POINTS),
      ratios: new Float32Array(count),
      pose: { ...pose, rotation: multiply3(rotationOf(0, turn, 0), pose.rotation) },
      flatness: 0.3,
      medianAngle: 0.2,
    };
  };
  const lenses = [{ lens: scene.lenses[0], title: 'Acme One', photos: photos.map((_, i) => i) }];
  return { photos, features, scene, pair, lenses, frame: frameOf(scene, photos) };
}

describe('diagnosePhotos', () => {
  it('gives every photo without a camera its reason', () => {
    const { photos, features, scene, pair } = solved(100);
    const codes = (change: () => void, pairs: MapperPair[]): (string | undefined)[] => {
      change();
      return diagnosePhotos(photos, features, scene, pairs)
        .slice(6)
        .map(({ code }) => code);
    };
    expect(codes(() => {}, [pair(5, 6, 18)])).toEqual(['PHOTO_FEW_MATCHES', 'PHOTO_FEW_MATCHES']);
    expect(codes(() => {}, [pair(5, 6, 18), pair(6, 7, 200)])).toEqual(['PHOTO_OTHER_MODEL', 'PHOTO_OTHER_MODEL']);
    expect(
      codes(() => {
        features[6] = { ...features[6], sharpness: 0.1 };
        features[7] = { ...features[7], count: 40 };
      }, []),
    ).toEqual(['PHOTO_BLURRED', 'PHOTO_TEXTURELESS']);
    photos[7].duplicateOf = 'p0.jpg';
    const [first, , , , , , , last] = diagnosePhotos(photos, features, scene, []);
    expect(last).toMatchObject({ registered: false, code: 'PHOTO_DUPLICATE', points: 0 });
    expect(first).toMatchObject({ registered: true, points: POINTS });
    expect(first.code).toBeUndefined();
    expect(first.error).toBeLessThan(1);
  });
});

describe('diagnoseSet', () => {
  const told = (given: ReturnType<typeof solved>, pairs: MapperPair[], turntable = false) => {
    const { photos, features, scene, lenses, frame } = given;
    const verdicts = diagnosePhotos(photos, features, scene, pairs);
    return diagnoseSet({ photos, features, scene, lenses, frame, pairs, verdicts, turntable });
  };
  const around = (given: ReturnType<typeof solved>, turned: number): MapperPair[] =>
    [0, 1, 2, 3, 4].map((a) => given.pair(a, a + 1, 100, a < turned ? 1 : 0));

  it('measures the set: lens with its deviation, error, gap', () => {
    const given = solved(100);
    const { facts, warnings } = told(given, around(given, 0));
    expect(facts).toMatchObject({ registered: 6, photos: 8, points: POINTS, pairs: 5, contradictingPairs: 0 });
    expect(facts.meanTrackLength).toBeCloseTo(6, 1);
    expect(facts.error).toBeGreaterThan(0.1);
    expect(facts.error).toBeLessThan(0.8);
    // Six of eight cameras stand on 5/7 of the arc.
    expect(Math.abs(facts.coverageGap - (360 - (100 * 5) / 7))).toBeLessThan(20);
    const [lens] = facts.lenses;
    expect(lens).toMatchObject({ title: 'Acme One', photos: 6, focal: 1500, statedFocal: 1490 });
    expect(lens.focalDeviation).toBeGreaterThan(1e-5);
    expect(lens.focalDeviation).toBeLessThan(0.02);
    const codes = warnings.map(({ code }) => code);
    expect(codes).toContain('COVERAGE_GAP');
    expect(codes).not.toContain('SYMMETRIC_AMBIGUOUS');
    expect(codes).not.toContain('TEXTURELESS');
  });

  it(
    'warns of pairs that contradict the cameras, of little texture, of lenses that nobody states or that are ' +
      'cropped',
    () => {
      const given = solved(100);
      given.features.forEach((f) => {
        f.count = 350;
      });
      given.scene.lenses[0].stated = undefined;
      const codes = told(given, around(given, 2)).warnings.map(({ code }) => code);
      expect(codes).toEqual(expect.arrayContaining(['SYMMETRIC_AMBIGUOUS', 'TEXTURELESS', 'PHOTO_LENS_UNKNOWN']));
      // Of a flat scene a pair may take the wrong one of two poses, though its matches are those of the cameras.
      const turned = [0, 1, 2, 3, 4].map((a) => given.pair(a, a + 1, 100, a < 2 ? 1 : 0, 0));
      expect(told(given, turned).facts.contradictingPairs).toBe(0);
      given.scene.lenses[0].stated = 1000;
      const cropped = told(given, []).warnings.find(({ code }) => code === 'FOCAL_UNCERTAIN');
      expect(cropped?.message).toContain('cropped');
    },
  );

  it('says that a focal length is uncertain where the photos do not tell it', () => {
    const given = solved(2);
    expect(told(given, []).facts.lenses[0].focalDeviation).toBeGreaterThan(
      2 * told(solved(100), []).facts.lenses[0].focalDeviation,
    );
  });

  it('warns of few photos, of softness everywhere, of an object without points and of a turntable', () => {
    const given = solved(100);
    const codes = (turntable = false): (string | undefined)[] =>
      told(given, [], turntable).warnings.map(({ code, subject }) => (subject ? `${code} ${subject}` : code));
    expect(codes()).toContain('PHOTOS_FEW');
    expect(codes()).not.toContain('PHOTO_BLURRED');
    expect(codes()).not.toContain('TURNTABLE');
    expect(codes()).not.toContain('TEXTURELESS object');
    expect(codes(true)).toContain('TURNTABLE');
    for (const f of given.features) f.sharpness = 0.1;
    expect(codes()).toContain('PHOTO_BLURRED');
    // All but the points that are far from the middle.
    const { scene, frame } = given;
    for (let t = 0; t < POINTS; t++) if (length(toWorld(frame, scene.position(t))) < 0.35) scene.has[t] = 0;
    for (let o = 0; o < scene.active.length; o++) scene.active[o] &= scene.has[scene.trackOf[o]];
    expect(codes()).toContain('TEXTURELESS object');
  });

  it('keeps poses as they are', () => {
    const given = solved(100);
    const before = structuredClone(given.scene.poses) as (Pose | undefined)[];
    told(given, []);
    expect(given.scene.poses).toEqual(before);
  });
});
