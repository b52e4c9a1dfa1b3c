import { describe, expect, it } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { sphere } from '../../../test/solids.js';
import { type Plane, type ReferenceOptions, StereoReference } from '../../../test/stereoReference.js';
import { around, photograph, speckled } from '../../../test/stereoScene.js';
import { Random } from '../../core/random.js';
import { type StereoLevel, stereoLevels } from './images.js';
import { packMap } from './planes.js';
import { type PassOptions, placeOf, StereoPass } from './stereoPass.js';

const gpu = useGpu();
const WINDOW = { side: 4, step: 2 };
const RANGE = { nearest: 2.2, farthest: 3.2 };

const PASS = (more: Partial<PassOptions> = {}): PassOptions => ({ window: WINDOW, ...RANGE, seed: 5, ...more });

const shots = photograph({ solid: sphere(0.6), shade: speckled }, around(3, 14), 56);
const levels = shots.map(({ image, camera }) => stereoLevels(image, camera, 1)![0]);
const [reference, ...sources] = levels;

const options = (more: Partial<ReferenceOptions> = {}): ReferenceOptions => ({
  ...WINDOW,
  ...RANGE,
  seed: 5,
  round: 0,
  reach: 0.05,
  consistency: 0,
  hypotheses: 0,
  ...more,
});

/** The sphere's own planes at a level's pixels. */
function truth({ camera, pixels }: StereoLevel): Float32Array {
  const out = new Float32Array(pixels.length * 4);
  for (let i = 0; i < pixels.length; i++) {
    const x = ((pixels[i] & 0xffff) + 0.5 - camera.cx) / camera.fx;
    const y = ((pixels[i] >>> 16) + 0.5 - camera.cy) / camera.fy;
    // |depth · ray − (0, 0, 3)| = 0.6 along the axis that looks at the middle.
    const [a, b, c] = [x * x + y * y + 1, -6, 9 - 0.36];
    const depth = (-b - Math.sqrt(Math.max(0, b * b - 4 * a * c))) / (2 * a);
    const normal = [x * depth, y * depth, depth - 3].map((v) => v / 0.6);
    out.set([...normal, depth], i * 4);
  }
  return out;
}

function load(ref: StereoReference, level: StereoLevel, planes: Float32Array): void {
  for (let i = 0; i < level.pixels.length; i++) {
    ref.planes[placeOf(level.pixels[i], level.camera)] = [...planes.subarray(i * 4, i * 4 + 4)] as Plane;
  }
}

/** Share of the pixels at which the device's planes are the reference's, beside rounding. */
function agreement(ref: StereoReference, level: StereoLevel, planes: Float32Array, costs: Float32Array): number {
  let same = 0;
  for (let i = 0; i < level.pixels.length; i++) {
    const at = placeOf(level.pixels[i], level.camera);
    const off = ref.planes[at].map((v, k) => Math.abs(v - planes[i * 4 + k]));
    if (Math.max(...off) < 1e-3 && Math.abs(ref.costs[at] - costs[i]) < 5e-3) same++;
  }
  return same / level.pixels.length;
}

describe('the score of a plane', () => {
  it('is what the reference computes, for true, shifted, turned and random planes', async () => {
    const random = new Random(3);
    const planes = truth(reference);
    for (let i = 0; i < planes.length; i += 4) {
      const kind = (i / 4) % 4;
      if (kind === 1) planes[i + 3] *= 1.01;
      if (kind === 2) planes.set([random.float() - 0.5, random.float() - 0.5, -1], i);
      if (kind === 3) planes[i + 3] = 2.2 + random.float();
    }
    const pass = new StereoPass(gpu(), reference, sources, PASS());
    const scores = await pass.score(planes, {});
    pass.dispose();
    const ref = new StereoReference(reference, sources, options());
    let worst = 0;
    let counted = 0;
    for (let i = 0; i < reference.pixels.length; i++) {
      const [x, y] = [reference.pixels[i] & 0xffff, reference.pixels[i] >>> 16];
      const window = ref.readWindow(x, y);
      const ray = ref.ray(x + 0.5, y + 0.5);
      for (let s = 0; s < sources.length; s++) {
        const wanted = window ? ref.matchCost(s, ref.inversePlane(planes.subarray(i * 4), ray), ray, window) : 2;
        const off = Math.abs(wanted - scores[i * sources.length + s]);
        if (wanted < 2) counted++;
        // A sample on the rim of a mask may count on one side alone.
        if (off > 5e-3) worst++;
      }
    }
    expect(counted).toBeGreaterThan(reference.pixels.length);
    expect(worst / scores.length).toBeLessThan(0.005);
  });

  it('is best at the truth', async () => {
    const planes = truth(reference);
    // A small window, in which the sphere is as good as flat.
    const pass = new StereoPass(gpu(), reference, sources, PASS({ window: { side: 5, step: 1 } }));
    const mean = async (factor: number): Promise<number> => {
      const moved = planes.map((v, i) => (i % 4 === 3 ? v * factor : v));
      const scores = await pass.score(moved, {});
      return scores.reduce((a, b) => a + b, 0) / scores.length;
    };
    const [near, at, far] = [await mean(0.92), await mean(1), await mean(1.08)];
    pass.dispose();
    expect(at).toBeLessThan(0.5 * Math.min(near, far));
  });

  it('refuses windows without texture', async () => {
    const plain = photograph({ solid: sphere(0.6), shade: () => 0.5 }, around(2, 14), 40);
    const [first, ...others] = plain.map(({ image, camera }) => stereoLevels(image, camera, 1)![0]);
    const pass = new StereoPass(gpu(), first, others, PASS());
    const scores = await pass.score(truth(first), {});
    pass.dispose();
    expect(new Set(scores)).toEqual(new Set([2]));
  });
});

describe('PatchMatch', () => {
  it('starts and sweeps as the reference does', async () => {
    const pass = new StereoPass(gpu(), reference, sources, PASS());
    pass.write(new Float32Array(reference.pixels.length * 4));
    await pass.start(6, {});
    const begun = await pass.read();
    const first = new StereoReference(reference, sources, options({ hypotheses: 6 }));
    first.start();
    expect(agreement(first, reference, begun.planes, begun.costs)).toBeGreaterThan(0.98);

    // From the device's own planes, so that no difference is carried on.
    await pass.sweep({ round: 2, reach: 0.05, consistency: 0, hypotheses: 5 }, {});
    const swept = await pass.read();
    pass.dispose();
    const second = new StereoReference(reference, sources, options({ round: 2, hypotheses: 5 }));
    load(second, reference, begun.planes);
    for (let i = 0; i < reference.pixels.length; i++) {
      second.costs[placeOf(reference.pixels[i], reference.camera)] = begun.costs[i];
    }
    second.sweep(0);
    second.sweep(1);
    expect(agreement(second, reference, swept.planes, swept.costs)).toBeGreaterThan(0.95);
    expect(mean(swept.costs)).toBeLessThan(mean(begun.costs));
  });

  it('gives the same bytes twice, and others for another seed', async () => {
    const run = async (seed: number): Promise<Float32Array> => {
      const pass = new StereoPass(gpu(), reference, sources.slice(0, 2), PASS({ seed }));
      pass.write(new Float32Array(reference.pixels.length * 4));
      await pass.start(4, {});
      await pass.sweep({ round: 0, reach: 0.05, consistency: 0, hypotheses: 3 }, {});
      const { planes } = await pass.read();
      pass.dispose();
      return planes;
    };
    const [a, b, c] = [await run(1), await run(1), await run(2)];
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
  });

  it('keeps to what other views know where they count', async () => {
    const maps = sources.map((level) => wrongMap(level));
    const planes = truth(reference);
    const pass = new StereoPass(gpu(), reference, sources, PASS({ maps }));
    pass.write(planes, new Float32Array(reference.pixels.length).fill(1));
    await pass.sweep({ round: 3, reach: 0.05, consistency: 0.2, hypotheses: 3 }, {});
    const swept = await pass.read();
    pass.dispose();
    const ref = new StereoReference(reference, sources, options({ round: 3, consistency: 0.2, hypotheses: 3 }), maps);
    load(ref, reference, planes);
    for (const pixel of reference.pixels) ref.costs[placeOf(pixel, reference.camera)] = 1;
    ref.sweep(0);
    ref.sweep(1);
    expect(agreement(ref, reference, swept.planes, swept.costs)).toBeGreaterThan(0.95);
  });
});

describe('agreement', () => {
  it('is found as by the reference, with depth, accuracy and error', async () => {
    // The sources look from elsewhere: their planes come from their own stereo.
    const maps: Uint32Array[] = [];
    for (const [s, level] of sources.entries()) {
      const others = levels.filter((l) => l !== level);
      const own = new StereoPass(gpu(), level, others, PASS({ seed: s }));
      own.write(new Float32Array(level.pixels.length * 4));
      await own.start(12, {});
      for (let round = 0; round < 3; round++) {
        await own.sweep({ round, reach: 0.03, consistency: 0, hypotheses: 3 }, {});
      }
      const { planes, costs } = await own.read();
      own.dispose();
      maps.push(packMap(level, planes, costs, 0.5));
    }
    const planes = truth(reference);
    for (let i = 3; i < planes.length; i += 28) planes[i] *= 1.03;
    const pass = new StereoPass(gpu(), reference, sources, PASS({ maps }));
    pass.write(planes);
    const agreed = await pass.agree({});
    pass.dispose();
    const ref = new StereoReference(reference, sources, options(), maps);
    load(ref, reference, planes);
    let [same, confirmed, wronglyConfirmed] = [0, 0, 0];
    for (let i = 0; i < reference.pixels.length; i++) {
      const wanted = ref.agree(reference.pixels[i] & 0xffff, reference.pixels[i] >>> 16);
      const off = wanted.map((v, k) => Math.abs(v - agreed[i * 4 + k]));
      if (off[0] < 1e-4 && off[1] < 1e-3 && off[2] === 0 && off[3] < 5e-3) same++;
      if (agreed[i * 4 + 2] >= 2) confirmed++;
      if (agreed[i * 4 + 2] >= 2 && i % 7 === 0) wronglyConfirmed++;
    }
    expect(same / reference.pixels.length).toBeGreaterThan(0.99);
    expect(confirmed).toBeGreaterThan(0.3 * reference.pixels.length);
    expect(wronglyConfirmed).toBe(0);
  });
});

/** Depth maps that are a little too deep, with normals towards the camera. */
function wrongMap(level: StereoLevel): Uint32Array {
  const planes = new Float32Array(level.pixels.length * 4);
  for (let i = 0; i < level.pixels.length; i++) planes.set([0, 0, -1, 2.5], i * 4);
  return packMap(level, planes, new Float32Array(level.pixels.length), 1);
}

const mean = (values: Float32Array): number => values.reduce((a, b) => a + b, 0) / values.length;
