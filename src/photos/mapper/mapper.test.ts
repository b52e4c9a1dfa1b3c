import { describe, expect, it } from 'vitest';
import { photoScene, projectWith, TEST_LENS, toCamera } from '../../../test/photoScene.js';
import { Random } from '../../core/random.js';
import { angleBetween } from '../solve/rotation.js';
import { multiply3, transpose3 } from '../solve/svd3.js';
import { undistortPixels } from './lensModel.js';
import { locate } from './locate.js';
import { type MapperPair, mapPhotos } from './map.js';
import { type Pose, p3p } from './p3p.js';
import { buildTracks } from './tracks.js';
import { centreOf, type Sighting, triangulate } from './triangulate.js';

describe('lens', () => {
  it('undoes its distortion', () => {
    const rays = [0.1, 0.2, -0.5, 0.35, 0, 0];
    const pixels = [0, 2, 4].flatMap((i) => projectWith(TEST_LENS, [rays[i], rays[i + 1], 1]));
    undistortPixels(TEST_LENS, pixels).forEach((v, i) => {
      expect(v).toBeCloseTo(rays[i], 12);
    });
  });
});

describe('pose from points', () => {
  const scene = photoScene({ photos: 1, points: 100, seed: 5 });
  const [pose] = scene.poses;
  const rays = undistortPixels(scene.lens, scene.pixels[0]);
  const off = (p: Pose): number =>
    angleBetween(p.rotation, pose.rotation) + Math.hypot(...p.translation.map((v, i) => v - pose.translation[i]));

  it('is among the solutions of three', () => {
    for (let k = 0; k + 2 < 90; k += 3) {
      const found = p3p(rays, scene.points, [k, k + 1, k + 2]);
      expect(found.length).toBeLessThanOrEqual(4);
      expect(Math.min(...found.map(off))).toBeLessThan(1e-4);
    }
  });

  it('is found among half wrong points', () => {
    const wrong = rays.slice();
    const random = new Random(2);
    for (let i = 0; i < 100; i++) wrong[i] = 0.5 * (random.float() - 0.5);
    const fit = locate(wrong, scene.points, 0.002, new Random(1));
    expect(fit && off(fit.model)).toBeLessThan(1e-4);
    expect(fit?.inliers.subarray(50).every((v) => v === 1)).toBe(true);
  });
});

describe('triangulate', () => {
  it('finds the point and drops the sightings that do not fit', () => {
    const scene = photoScene({ photos: 6, points: 1, degrees: 60, seed: 3 });
    const sightings = scene.poses.map((pose, i): Sighting => {
      const [x, y] = undistortPixels(scene.lens, scene.pixels[i]);
      return { pose, x: x + (i === 2 ? 0.05 : 0), y };
    });
    const found = triangulate(
      sightings,
      sightings.map(() => 0.002),
      0.02,
    );
    found?.point.forEach((v, k) => {
      expect(v).toBeCloseTo(scene.points[k], 7);
    });
    expect(Array.from(found?.fits ?? [])).toEqual([1, 1, 0, 1, 1, 1]);
  });

  it('refuses rays that are nearly parallel', () => {
    const scene = photoScene({ photos: 2, points: 1, degrees: 0.5, seed: 4 });
    const sightings = scene.poses.map((pose, i): Sighting => {
      const [x, y] = undistortPixels(scene.lens, scene.pixels[i]);
      return { pose: { ...pose, rotation: scene.poses[0].rotation }, x, y };
    });
    expect(triangulate(sightings, [0.01, 0.01], 0.2)).toBeUndefined();
  });
});

describe('buildTracks', () => {
  it('joins matches, the surest first, and never two features of one photo', () => {
    const pair = (a: number, b: number, pairs: number[], ratios: number[]) => ({
      a,
      b,
      pairs: Uint32Array.from(pairs),
      ratios: Float32Array.from(ratios),
    });
    const tracks = buildTracks(
      [pair(0, 1, [0, 0, 1, 1], [0.1, 0.2]), pair(1, 2, [0, 0, 1, 1], [0.1, 0.2]), pair(0, 2, [0, 1], [0.7])],
      [2, 2, 2],
    );
    expect(tracks.count).toBe(2);
    expect(Array.from(tracks.starts)).toEqual([0, 3, 6]);
    expect(Array.from(tracks.photos)).toEqual([0, 1, 2, 0, 1, 2]);
    expect(Array.from(tracks.features)).toEqual([0, 0, 0, 1, 1, 1]);
  });
});

describe('mapPhotos', () => {
  it('finds cameras and lens of an arc of photos with noise and wrong matches', async () => {
    const scene = photoScene({ photos: 8, points: 300, degrees: 80, noise: 0.3, seed: 9 });
    const random = new Random(6);
    const pairs: MapperPair[] = [];
    for (let a = 0; a < 8; a++) {
      for (let b = a + 1; b < Math.min(8, a + 4); b++) {
        const list = Array.from({ length: 300 }, (_, i) => i).filter(() => random.float() < 0.6);
        // Every twentieth match is wrong.
        const flat = list.flatMap((i, k) => [i, k % 20 === 0 ? (i + 7) % 300 : i]);
        const [p, q] = [scene.poses[a], scene.poses[b]];
        const rotation = multiply3(q.rotation, transpose3(p.rotation));
        const t = toCamera({ rotation: rotation.map((v) => -v), translation: q.translation }, p.translation);
        const n = Math.hypot(t[0], t[1], t[2]);
        pairs.push({
          a,
          b,
          pairs: Uint32Array.from(flat),
          ratios: Float32Array.from(list, (_, k) => (k % 20 === 0 ? 0.79 : 0.4 + 0.3 * random.float())),
          pose: { rotation, translation: Float64Array.from(t, (v) => v / n) },
          flatness: 0.3,
          medianAngle: 0.2 * (b - a),
        });
      }
    }
    const lens = { ...scene.lens, f: 1.06 * scene.lens.f, k1: 0, k2: 0, stated: 1.06 * scene.lens.f };
    const photos = scene.pixels.map((pixels) => ({ lens: 0, points: Float32Array.from(pixels) }));
    const run = () => mapPhotos(photos, [lens], pairs, { random: new Random(1) });
    const found = await run();
    expect(found?.registered().length).toBe(8);
    if (!found) return;
    expect(Math.abs(found.lenses[0].f / scene.lens.f - 1)).toBeLessThan(0.003);
    expect(found.error().rms).toBeLessThan(0.6);
    for (let i = 1; i < 8; i++) {
      const own = multiply3((found.poses[i] as Pose).rotation, transpose3((found.poses[0] as Pose).rotation));
      const truth = multiply3(scene.poses[i].rotation, transpose3(scene.poses[0].rotation));
      expect((angleBetween(own, truth) * 180) / Math.PI).toBeLessThan(0.05);
    }
    const distance = (poses: (Pose | undefined)[], i: number, j: number): number => {
      const [p, q] = [centreOf(poses[i] as Pose), centreOf(poses[j] as Pose)];
      return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
    };
    const ratio = distance(found.poses, 0, 4) / distance(found.poses, 0, 7);
    expect(ratio / (distance(scene.poses, 0, 4) / distance(scene.poses, 0, 7))).toBeCloseTo(1, 3);
    const again = await run();
    expect(again?.poses).toEqual(found.poses);
    expect(again?.positions).toEqual(found.positions);
  });
});
