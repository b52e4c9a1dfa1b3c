import { describe, expect, it } from 'vitest';
import { photoScene } from '../../../test/photoScene.js';
import { Random } from '../../core/random.js';
import { rotationOf } from '../solve/rotation.js';
import { multiply3 } from '../solve/svd3.js';
import { adjustBundle, type BundleProblem, deviationsOfLenses } from './adjust.js';
import { LENS_SIZE, type Linearised, linearise, residual } from './project.js';

function problemOf(noise: number, seed = 2): BundleProblem & { truth: { lenses: Float64Array; poses: Float64Array } } {
  const scene = photoScene({ photos: 5, points: 60, degrees: 60, noise, seed });
  const { f, cx, cy, k1, k2 } = scene.lens;
  const poses = new Float64Array(60);
  scene.poses.forEach(({ rotation, translation }, i) => {
    poses.set(rotation, i * 12);
    poses.set(translation, i * 12 + 9);
  });
  const photos: number[] = [];
  const pixels: number[] = [];
  const starts = [0];
  for (let j = 0; j < 60; j++) {
    for (let i = 0; i < 5; i++) {
      if ((i + j) % 3 === 0) continue;
      photos.push(i);
      pixels.push(scene.pixels[i][j * 2], scene.pixels[i][j * 2 + 1]);
    }
    starts.push(photos.length);
  }
  const lenses = Float64Array.of(f, cx, cy, k1, k2);
  return {
    poses,
    freePoses: Uint8Array.of(0, 1, 1, 1, 1),
    lensOf: new Uint16Array(5),
    lenses,
    freeLenses: Uint8Array.of(1, 0, 0, 1, 1),
    points: scene.points.slice(),
    starts: Uint32Array.from(starts),
    photos: Uint32Array.from(photos),
    pixels: Float64Array.from(pixels),
    truth: { lenses: lenses.slice(), poses: poses.slice() },
  };
}

describe('linearise', () => {
  it('agrees with finite differences in every number', () => {
    const problem = problemOf(0);
    const line: Linearised = {
      rx: 0,
      ry: 0,
      pose: new Float64Array(12),
      point: new Float64Array(6),
      lens: new Float64Array(10),
    };
    const out = new Float64Array(2);
    const step = 1e-6;
    const j = 7;
    const o = problem.starts[j] + 1;
    const photo = problem.photos[o];
    /** Central difference while `change` moves one number by ± a step. */
    const slope = (change: (by: number) => void): number[] => {
      const kept = { poses: problem.poses.slice(), points: problem.points.slice(), lenses: problem.lenses.slice() };
      const at = (by: number): number[] => {
        change(by);
        residual(problem, j, o, out);
        problem.poses.set(kept.poses);
        problem.points.set(kept.points);
        problem.lenses.set(kept.lenses);
        return Array.from(out);
      };
      const [a, b] = [at(step), at(-step)];
      return a.map((v, k) => (v - b[k]) / (2 * step));
    };
    expect(linearise(problem, j, o, line)).toBe(true);
    const agrees = (own: number[], measured: number[]): void => {
      own.forEach((v, k) => {
        expect(Math.abs(v - measured[k])).toBeLessThan(1e-3 * Math.max(1, Math.abs(measured[k])));
      });
    };
    for (let k = 0; k < 3; k++) {
      const turned = slope((by) => {
        const w = [0, 0, 0];
        w[k] = by;
        const p = photo * 12;
        problem.poses.set(multiply3(rotationOf(w[0], w[1], w[2]), problem.poses.slice(p, p + 9)), p);
      });
      agrees([line.pose[k], line.pose[6 + k]], turned);
      const moved = slope((by) => {
        problem.poses[photo * 12 + 9 + k] += by;
      });
      agrees([line.pose[3 + k], line.pose[9 + k]], moved);
      const point = slope((by) => {
        problem.points[j * 3 + k] += by;
      });
      agrees([line.point[k], line.point[3 + k]], point);
    }
    for (let k = 0; k < LENS_SIZE; k++) {
      const lens = slope((by) => {
        problem.lenses[k] += by;
      });
      agrees([line.lens[k], line.lens[5 + k]], lens);
    }
  });
});

describe('adjustBundle', () => {
  const disturb = (problem: BundleProblem): void => {
    const random = new Random(5);
    for (let i = 1; i < 5; i++) {
      const p = i * 12;
      const turn = rotationOf(0.02 * random.normal(), 0.02 * random.normal(), 0.02 * random.normal());
      problem.poses.set(multiply3(turn, problem.poses.slice(p, p + 9)), p);
      for (let k = 9; k < 12; k++) problem.poses[p + k] += 0.03 * random.normal();
    }
    for (let k = 0; k < problem.points.length; k++) problem.points[k] += 0.03 * random.normal();
    problem.lenses.set([1.04 * problem.lenses[0], problem.lenses[1], problem.lenses[2], 0, 0]);
  };

  it('comes from a disturbed start to the exact solution', () => {
    const problem = problemOf(0);
    disturb(problem);
    const { before, after } = adjustBundle(problem, { iterations: 100, tolerance: 1e-14 });
    expect(after).toBeLessThan(1e-9 * before);
    expect(problem.lenses[0]).toBeCloseTo(problem.truth.lenses[0], 2);
    expect(problem.lenses[3]).toBeCloseTo(problem.truth.lenses[3], 5);
    expect(Array.from(problem.poses.subarray(0, 12))).toEqual(Array.from(problem.truth.poses.subarray(0, 12)));
  });

  it('stays near the solution with noise and gross errors, and says how sure the focal length is', () => {
    const problem = problemOf(0.5);
    disturb(problem);
    for (let o = 0; o < 20; o++) problem.pixels[o * 14] += 80;
    adjustBundle(problem, { iterations: 100, tolerance: 1e-10 });
    const [deviation] = deviationsOfLenses(problem);
    expect(Math.abs(problem.lenses[0] / problem.truth.lenses[0] - 1)).toBeLessThan(0.02);
    expect(deviation).toBeGreaterThan(0.5);
    expect(deviation).toBeLessThan(40);
  });

  it('leaves fixed numbers alone and holds to a stated focal length', () => {
    const problem = problemOf(0.5);
    disturb(problem);
    const lenses = problem.lenses.slice();
    problem.freeLenses.fill(0);
    adjustBundle(problem, { iterations: 5 });
    expect(problem.lenses).toEqual(lenses);
    problem.freeLenses[0] = 1;
    adjustBundle(problem, { focalPriors: [{ focal: 2000, deviation: 1e-6 }] });
    expect(problem.lenses[0]).toBeCloseTo(2000, 0);
  });
});
