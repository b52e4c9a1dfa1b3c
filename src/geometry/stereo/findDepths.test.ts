import { describe, expect, it } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { onLeastDevice } from '../../../test/leastDevice.js';
import { box, type Solid, sphere } from '../../../test/solids.js';
import { around, photograph, speckled } from '../../../test/stereoScene.js';
import { findDepths, type StereoDepth, type StereoOptions } from './findDepths.js';

const gpu = useGpu();
const BOUNDS = {
  min: [-0.8, -0.8, -0.8] as [number, number, number],
  max: [0.8, 0.8, 0.8] as [number, number, number],
};
const OPTIONS: StereoOptions = {
  sources: 3,
  window: { side: 5, step: 2 },
  levels: 2,
  rounds: [1, 3],
  geometricRounds: 1,
  hypotheses: 3,
};
const NONE = new Float32Array(0);
const viewsOf = (shots: ReturnType<typeof photograph>) =>
  shots.map(({ camera, image }) => ({ camera, load: async () => image }));

/** Relative errors where there is a depth, and what share of the tray's floor has one. */
function errors(
  found: StereoDepth,
  truth: { depth: { width: number; data: Float32Array }; camera: { cx: number; cy: number } },
) {
  const { camera, depth } = found;
  const [dx, dy] = [Math.round(truth.camera.cx - camera.cx), Math.round(truth.camera.cy - camera.cy)];
  const isFloor = (depth: number): boolean => depth > 2.85;
  let floor = 0;
  const out: number[] = [];
  const ratios: number[] = [];
  for (let i = 0; i < depth.data.length; i++) {
    if (depth.data[i] === 0) continue;
    const [x, y] = [(i % depth.width) + dx, Math.floor(i / depth.width) + dy];
    const wanted = truth.depth.data[y * truth.depth.width + x];
    if (isFloor(wanted)) floor++;
    out.push(Math.abs(depth.data[i] / wanted - 1));
    ratios.push(Math.abs(depth.data[i] - wanted) / found.accuracy.data[i]);
  }
  out.sort((a, b) => a - b);
  ratios.sort((a, b) => a - b);
  return {
    sorted: out,
    floor: floor / truth.depth.data.filter(isFloor).length,
    ninth: out[Math.floor(out.length * 0.9)],
    ratio: ratios[ratios.length >> 1],
  };
}

describe('findDepths', () => {
  it('finds a tray, its inside too, to a third of a pixel, and says how exact it is', async () => {
    const body = box([0.6, 0.6, 0.4]);
    const pit = box([0.35, 0.35, 0.3]);
    const tray: Solid = ([x, y, z]) => Math.max(body([x, y, z]), -pit([x, y, z - 0.4]));
    const shots = photograph({ solid: tray, shade: speckled }, around(4, 20), 80);
    const seen: number[] = [];
    const progress: number[] = [];
    const details: string[] = [];
    const depths = await findDepths(gpu(), viewsOf(shots), BOUNDS, NONE, OPTIONS, {
      progress: (f, detail) => {
        progress.push(f);
        details.push(detail);
      },
      finished: (v) => {
        seen.push(v);
      },
    });
    const first = depths[0]!;
    const { sorted, floor, ninth, ratio } = errors(first, shots[0]);
    // A pixel in a view from 20 degrees aside is 2.7 % of the depth here.
    expect(ninth).toBeLessThan(0.01);
    expect(sorted.length).toBe(first.found);
    expect(first.found / first.inside).toBeGreaterThan(0.5);
    expect(floor).toBeGreaterThan(0.35);
    // The stated accuracy is neither bragging nor modest beyond use.
    expect(ratio).toBeGreaterThan(0.05);
    expect(ratio).toBeLessThan(2);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    expect(details.slice(0, 6)).toEqual([
      ...Array.from({ length: 5 }, (_, v) => `picture ${v + 1} of 5`),
      'view 1 of 5',
    ]);
    expect(progress.at(-1)).toBe(1);
    expect(progress.every((f, i) => i === 0 || f >= progress[i - 1])).toBe(true);
  });

  it('invents nothing where there is no texture', async () => {
    const shots = photograph({ solid: box([0.5, 0.5, 0.5]), shade: () => 0.6 }, around(3, 15), 56);
    const depths = await findDepths(gpu(), viewsOf(shots), BOUNDS, NONE, OPTIONS);
    expect(depths.map((d) => d!.found)).toEqual([0, 0, 0, 0]);
  });

  it('has nothing for a view without neighbours or without mask', async () => {
    const shots = photograph({ solid: sphere(0.5), shade: speckled }, [...around(2, 15), [0, 0, -1]], 40);
    const empty = { ...shots[1], image: { ...shots[1].image, data: new Uint8ClampedArray(40 * 40 * 4) } };
    const depths = await findDepths(gpu(), viewsOf([...shots, empty]), BOUNDS, NONE, OPTIONS);
    expect(depths.map((d) => d !== undefined)).toEqual([true, true, true, false, false]);
  });

  it('gives the same bytes twice, also within the limits of any device, and stops when cancelled', async () => {
    const shots = photograph({ solid: sphere(0.5), shade: speckled }, around(2, 15), 40);
    const run = async (on = gpu()) => await findDepths(on, viewsOf(shots), BOUNDS, NONE, { ...OPTIONS, seed: 3 });
    const once = await run();
    expect(once.some((d) => d!.found > 0)).toBe(true);
    expect(await run()).toEqual(once);
    expect(await onLeastDevice(run)).toEqual(once);
    const abort = new AbortController();
    const stopped = findDepths(gpu(), viewsOf(shots), BOUNDS, NONE, OPTIONS, {
      signal: abort.signal,
      progress: (fraction) => fraction > 0 && abort.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
