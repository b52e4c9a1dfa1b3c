import { describe, expect, it } from 'vitest';
import { photoScene, toCamera } from '../../../test/photoScene.js';
import { Random } from '../../core/random.js';
import type { Pose } from '../mapper/p3p.js';
import { angleBetween } from '../solve/rotation.js';
import { type Mat3, multiply3, transpose3 } from '../solve/svd3.js';
import { eightPoint } from './eightPoint.js';
import { fivePoint } from './fivePoint.js';
import { focalMisfit, focalVotes } from './focal.js';
import { homography, transferError } from './homography.js';
import {
  chooseRelativePose,
  depths,
  essentialOf,
  posesOf,
  type RelativePose,
  refineRelativePose,
} from './relativePose.js';
import { sampsonError } from './sampson.js';
import { sevenPoint } from './sevenPoint.js';
import { fitFundamental, verifyPair } from './verifyPair.js';

/** The second camera as seen from the first, with a unit step. */
function relative(p: Pose, q: Pose): RelativePose {
  const rotation = multiply3(q.rotation, transpose3(p.rotation));
  const t = [0, 1, 2].map(
    (k) =>
      q.translation[k] -
      rotation[k * 3] * p.translation[0] -
      rotation[k * 3 + 1] * p.translation[1] -
      rotation[k * 3 + 2] * p.translation[2],
  );
  const n = Math.hypot(t[0], t[1], t[2]);
  return { rotation, translation: Float64Array.from(t, (v) => v / n) };
}

/** x₁, y₁, x₂, y₂ at z = 1 of a scene's first two photos, without a lens. */
function rays(count: number, seed: number, noise = 0): { points: Float64Array; truth: RelativePose } {
  const scene = photoScene({ photos: 2, points: count, degrees: 25, seed });
  const random = new Random(seed + 100);
  const points = new Float64Array(count * 4);
  for (let j = 0; j < count; j++) {
    scene.poses.forEach((pose, i) => {
      const [x, y, z] = toCamera(pose, scene.points.subarray(j * 3, j * 3 + 3));
      points[j * 4 + 2 * i] = x / z + noise * random.normal();
      points[j * 4 + 2 * i + 1] = y / z + noise * random.normal();
    });
  }
  return { points, truth: relative(scene.poses[0], scene.poses[1]) };
}

/** Distance between matrices that mean the same up to a factor. */
function apart(a: Mat3, b: Mat3): number {
  const norm = (m: Mat3): number => Math.sqrt(m.reduce((s, v) => s + v * v, 0));
  const [p, q] = [a.map((v) => v / norm(a)), b.map((v) => v / norm(b))];
  return Math.min(norm(p.map((v, i) => v - q[i])), norm(p.map((v, i) => v + q[i])));
}

const indices = (n: number): Uint32Array => Uint32Array.from({ length: n }, (_, i) => i);
const directionError = (a: RelativePose, b: RelativePose): number =>
  Math.acos(
    Math.min(
      1,
      a.translation.reduce((s, v, i) => s + v * b.translation[i], 0),
    ),
  );

describe('minimal solvers', () => {
  it('five points give the true essential matrix among at most ten', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { points, truth } = rays(5, seed);
      const found = fivePoint(points, indices(5));
      expect(found.length).toBeGreaterThan(0);
      expect(found.length).toBeLessThanOrEqual(10);
      expect(Math.min(...found.map((e) => apart(e, essentialOf(truth))))).toBeLessThan(1e-5);
      for (const e of found) for (let i = 0; i < 5; i++) expect(sampsonError(e, points, i)).toBeLessThan(1e-10);
    }
  });

  it('seven points give the true fundamental matrix among at most three', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { points, truth } = rays(7, seed);
      const found = sevenPoint(points, indices(7));
      expect(found.length).toBeLessThanOrEqual(3);
      expect(Math.min(...found.map((f) => apart(f, essentialOf(truth))))).toBeLessThan(1e-6);
    }
  });

  it('eight and more points give the true fundamental matrix, weights of 0 leaving points out', () => {
    const { points, truth } = rays(30, 5);
    points[3] += 0.5;
    const weights = new Float64Array(30).fill(1);
    weights[0] = 0;
    expect(apart(eightPoint(points, weights) as Mat3, essentialOf(truth))).toBeLessThan(1e-6);
  });

  it('four points give the homography of a plane', () => {
    const truth = Float64Array.of(1.1, 0.1, 0.2, -0.05, 0.9, -0.1, 0.03, 0.02, 1);
    const random = new Random(2);
    const points = new Float64Array(40);
    for (let i = 0; i < 10; i++) {
      const [x, y] = [random.normal(), random.normal()];
      const w = truth[6] * x + truth[7] * y + truth[8];
      points.set(
        [x, y, (truth[0] * x + truth[1] * y + truth[2]) / w, (truth[3] * x + truth[4] * y + truth[5]) / w],
        i * 4,
      );
    }
    const [h] = homography(points, [0, 1, 2, 3]);
    expect(apart(h, truth)).toBeLessThan(1e-6);
    for (let i = 4; i < 10; i++) expect(transferError(h, points, i)).toBeLessThan(1e-10);
  });
});

describe('relative pose', () => {
  it('comes out of the essential matrix with the points in front', () => {
    const { points, truth } = rays(20, 7);
    const all = new Uint8Array(20).fill(1);
    const chosen = chooseRelativePose(posesOf(essentialOf(truth)), points, all);
    expect(chosen.inFront).toBe(20);
    expect(angleBetween(chosen.pose.rotation, truth.rotation)).toBeLessThan(1e-7);
    expect(directionError(chosen.pose, truth)).toBeLessThan(1e-6);
    const d = depths(truth, points[0], points[1], points[2], points[3]);
    expect(d.first).toBeGreaterThan(0);
    expect(d.second).toBeGreaterThan(0);
  });

  it('is refined to the truth from a start that is some degrees off', () => {
    const { points, truth } = rays(60, 9);
    const off = { rotation: rays(5, 3).truth.rotation, translation: truth.translation };
    const start = {
      rotation: multiply3(truth.rotation, multiply3(off.rotation, transpose3(off.rotation))),
      translation: Float64Array.of(truth.translation[0] + 0.05, truth.translation[1] - 0.04, truth.translation[2]),
    };
    const refined = refineRelativePose(start, points, new Float64Array(60).fill(1), 8);
    expect(angleBetween(refined.rotation, truth.rotation)).toBeLessThan(1e-6);
    expect(directionError(refined, truth)).toBeLessThan(1e-5);
  });

  it('is found among two thirds of wrong matches, and so are these', () => {
    const { points, truth } = rays(300, 11, 0.0005);
    const random = new Random(1);
    for (let i = 100; i < 300; i++) for (let k = 0; k < 4; k++) points[i * 4 + k] = 0.6 * (random.float() - 0.5);
    const found = verifyPair(points, 0.002, indices(300), new Random(4));
    expect(found).toBeDefined();
    if (!found) return;
    expect(angleBetween(found.pose.rotation, truth.rotation)).toBeLessThan(0.01);
    expect(directionError(found.pose, truth)).toBeLessThan(0.03);
    expect(found.inliers.subarray(0, 100).reduce((s, v) => s + v, 0)).toBeGreaterThan(95);
    expect(found.inliers.subarray(100).reduce((s, v) => s + v, 0)).toBeLessThan(25);
    expect(found.flatness).toBeLessThan(0.6);
    expect((found.medianAngle * 180) / Math.PI).toBeGreaterThan(15);
  });

  it('is not found among matches that mean nothing', () => {
    const random = new Random(8);
    const points = Float64Array.from({ length: 80 }, () => random.float() - 0.5);
    expect(verifyPair(points, 0.0008, indices(20), random)).toBeUndefined();
  });
});

describe('focal length from fundamental matrices', () => {
  it('has its least misfit at the truth', () => {
    const focal = 1500;
    const evidence = [21, 22, 23, 24].flatMap((seed) => {
      const { points } = rays(60, seed, 0.0001);
      const pixels = points.map((v) => v * focal);
      const fit = fitFundamental(pixels, 1, indices(60), new Random(seed));
      return fit ? [{ fundamental: fit.model, weight: fit.count }] : [];
    });
    expect(evidence.length).toBe(4);
    const votes = focalVotes(evidence, 1600);
    const best = votes.reduce((p, q) => (q.misfit < p.misfit ? q : p));
    expect(Math.abs(best.focal / focal - 1)).toBeLessThan(0.05);
    expect(focalMisfit(evidence, focal)).toBeLessThan(focalMisfit(evidence, 1.3 * focal));
  });
});
