import { readdir } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { image } from '../../../test/asset.js';
import { errorOf, useFolders } from '../../../test/captureScene.js';
import { useGpu } from '../../../test/gpu.js';
import { sphere } from '../../../test/shapes.js';
import { cameraAt, directions } from '../../../test/solids.js';
import type { Capture } from '../../capture/capture.js';
import { captureFromViews } from '../../capture/captureFromViews.js';
import type { Asset } from '../../core/asset.js';
import { type Camera, projectPoint } from '../../core/camera.js';
import { type ProgressEvent, silentLogger, type Warning } from '../../core/context.js';
import { PlinthError } from '../../core/errors.js';
import type { ColorImage } from '../../core/image.js';
import type { Vec3 } from '../../core/math.js';
import { Random } from '../../core/random.js';
import { computeNormals } from '../../geometry/mesh/normals.js';
import { checkpointFolder } from '../../platform/checkpointFolder.js';
import { previewFolder } from '../../platform/previewFolder.js';
import { runInThread } from '../../platform/runInThread.js';
import { AssetRenderer } from '../../render/forward/assetRenderer.js';
import { NEUTRAL_STUDIO, paintStudio } from '../../render/forward/studio.js';
import { fusion } from '../fusion/fusion.js';
import type { Method, MethodContext } from '../method.js';
import { readCheckpoint, writeCheckpoint } from '../shared/checkpoint.js';
import { tellMetals } from './metals/metals.js';
import { nvdiffrec } from './nvdiffrec.js';
import { prepareStart, type Start } from './start/start.js';
import { cameraMotions, motionFacts } from './step/cameraReport.js';
import { type Curves, optimize } from './step/optimize.js';
import { Optimizer } from './step/optimizer/optimizer.js';
import type { OptimizerState } from './step/optimizer/optimizerState.js';
import { loadWindows, WINDOW_MULTIPLE, type WindowSet } from './step/windows.js';

const gpu = useGpu();
const folder = useFolders();
const SIZE = 96;
const OPTIONS = nvdiffrec.options.parse({
  iterations: 40,
  batch: 3,
  imageSize: SIZE,
  triangles: 1200,
  textureSize: 128,
  resolution: 40,
  lightSize: 16,
});

/** A glossy ellipsoid with coloured bands under studio light. */
const truth: Asset = (() => {
  const ball = sphere(4);
  const uvs = new Float32Array((ball.positions.length / 3) * 2);
  const positions = ball.positions.map((v, i) => v * [0.9, 0.7, 0.6][i % 3]);
  for (let i = 0; i < uvs.length / 2; i++) {
    uvs[i * 2] = 0.5 + 0.45 * ball.positions[i * 3];
    uvs[i * 2 + 1] = 0.5 - 0.45 * ball.positions[i * 3 + 1];
  }
  const mesh = { ...ball, positions, uvs };
  return {
    mesh: { ...mesh, normals: computeNormals(mesh) },
    material: {
      kind: 'pbr',
      baseColor: image(64, (x, y) => [200, 90 + 60 * Math.sin(12 * y), 60 + 120 * x]),
      occlusionRoughnessMetallic: image(16, () => [255, 60, 0]),
    },
    environment: paintStudio(NEUTRAL_STUDIO),
  };
})();

const away = (d: Vec3): Vec3 => [d[0] * 3.4, d[1] * 3.4, d[2] * 3.4];
const CAMERAS: Camera[] = directions(14).map((d) => cameraAt(away(d), SIZE));
const TEST_CAMERA = cameraAt(away([0.6, 0.48, 0.64]), SIZE);

let capture: Capture;
let start: Start;
let windows: WindowSet;
let testPicture: ColorImage;

async function photograph(asset: Asset, cameras: readonly Camera[], white = false): Promise<ColorImage[]> {
  const renderer = await AssetRenderer.create(gpu(), asset);
  const out: ColorImage[] = [];
  const options = { supersample: 4, ...(white && { background: [1, 1, 1] as Vec3 }) };
  for await (const { color } of renderer.renderEach(cameras, options)) out.push(color);
  renderer.dispose();
  return out;
}

function contextOf(more: Partial<MethodContext> = {}): MethodContext {
  return {
    gpu: gpu(),
    progress() {},
    signal: new AbortController().signal,
    log: silentLogger,
    random: new Random(5),
    seed: 5,
    runInThread,
    warn() {},
    ...more,
  };
}

const psnrOf = async (asset: Asset): Promise<number> => {
  const [picture] = await photograph(asset, [TEST_CAMERA], true);
  let sum = 0;
  for (let i = 0; i < picture.data.length; i++) sum += (picture.data[i] / 255 - testPicture.data[i] / 255) ** 2;
  return -10 * Math.log10(sum / ((picture.data.length / 4) * 3));
};

beforeAll(async () => {
  const pictures = await photograph(truth, CAMERAS);
  [testPicture] = await photograph(truth, [TEST_CAMERA], true);
  capture = await captureFromViews(pictures.map((color, i) => ({ color, camera: CAMERAS[i] })));
  start = await prepareStart(capture, OPTIONS, contextOf(), () => {});
  windows = await loadWindows(capture.views, { maxSize: SIZE, multiple: WINDOW_MULTIPLE });
});

const fresh = (options = OPTIONS) => Optimizer.create(gpu(), start, options);

test('a new view of the result is nearer to the truth than one of fusion, and the report has its curves', async () => {
  const events: ProgressEvent[] = [];
  const previews = await folder();
  const asset = await nvdiffrec.run(
    capture,
    OPTIONS,
    contextOf({ progress: (e) => events.push(e), showPreview: previewFolder(previews) }),
  );
  const baked = await fusion.run(
    capture,
    fusion.options.parse({ triangles: 1200, textureSize: 256, maxResolution: 40 }),
    contextOf(),
  );
  expect(await psnrOf(asset)).toBeGreaterThan((await psnrOf(baked)) + 1);
  expect(asset.material.kind).toBe('pbr');
  expect(asset.environment!.data.every((v) => Number.isFinite(v) && v > 0)).toBe(true);
  const { normals, tangents } = asset.mesh;
  for (let i = 0; i < normals!.length / 3; i++) {
    const n = normals!.subarray(i * 3, i * 3 + 3);
    const t = tangents!.subarray(i * 4, i * 4 + 3);
    expect(Math.hypot(...n)).toBeCloseTo(1, 4);
    expect(n[0] * t[0] + n[1] * t[1] + n[2] * t[2]).toBeCloseTo(0, 4);
  }
  const series = asset.facts!.series as { points: [number, number][] }[];
  expect(series[0].points.at(-1)![1]).toBeLessThan(series[0].points[0][1]);
  expect(series[1].points.at(-1)![0]).toBe(OPTIONS.iterations);
  const stages = [...new Set(events.map((e) => e.stage))];
  // Depth is not measured where the cameras are stated.
  expect(stages).toEqual(nvdiffrec.stages.map((s) => s.name).filter((name) => name !== 'stereo'));
  const named = events.flatMap((e) => e.preview ?? []);
  expect((await readdir(previews)).length).toBe(named.length);
  expect(named.length).toBeGreaterThan(0);
  expect(events.some((e) => e.metrics && e.metrics.psnr > 15)).toBe(true);
});

test('a run that goes on from a checkpoint ends with the same bytes as one that was never interrupted', async () => {
  const whole = await fresh();
  const shares = new Map<string, number>();
  const report = (share: number, detail: string) => shares.set(/step (\d+)/.exec(detail)![1], share);
  await optimize(whole, windows, OPTIONS, 9, nothing(), { context: contextOf(), report });
  const expected = await whole.state();
  whole.dispose();
  expect(shares.size).toBe(4);
  expect(shares.get('40')).toBe(1);

  const store = checkpointFolder(await folder());
  const cancelled = new AbortController();
  const first = await fresh();
  const cut = optimize(first, windows, OPTIONS, 9, nothing(), {
    context: contextOf({ signal: cancelled.signal }),
    report() {},
    checkpointSeconds: 0,
    checkpoint: async ({ iteration, curves }) => {
      if (iteration === 20) cancelled.abort();
      await writeCheckpoint(store, 'nvdiffrec', {
        key: 'k',
        iteration,
        facts: { curves },
        arrays: await first.state(),
      });
    },
  });
  expect((await errorOf(cut)).code).toBe('CANCELLED');
  first.dispose();

  const saved = (await readCheckpoint(store, 'nvdiffrec', 'k'))!;
  expect(saved.iteration).toBe(20);
  const second = await fresh();
  second.restore(saved.arrays as OptimizerState);
  const reports: { share: number; resumed?: boolean }[] = [];
  const curves = await optimize(
    second,
    windows,
    OPTIONS,
    9,
    { iteration: 20, curves: saved.facts.curves as Curves, resumed: true },
    { context: contextOf(), report: (share, _, { resumed }) => reports.push({ share, resumed }) },
  );
  expect(reports.map(({ resumed }) => resumed ?? false)).toEqual([true, false, false]);
  expect(reports[0].share).toBe(shares.get('20'));
  expect(curves.loss).toHaveLength(OPTIONS.iterations / 10);
  const state = await second.state();
  second.dispose();
  for (const [name, values] of Object.entries(expected)) {
    expect(Buffer.from(state[name as keyof OptimizerState]!.buffer).equals(Buffer.from(values.buffer)), name).toBe(
      true,
    );
  }
});

test('a cancelled job goes on without making its start anew', async () => {
  const checkpoints = checkpointFolder(await folder());
  const options = { ...OPTIONS, iterations: 10 };
  const controller = new AbortController();
  const progress = (e: ProgressEvent) => {
    if (e.stage === 'optimise') controller.abort();
  };
  const cut = nvdiffrec.run(capture, options, contextOf({ checkpoints, signal: controller.signal, progress }));
  expect((await errorOf(cut)).code).toBe('CANCELLED');
  const stages = new Set<string>();
  const asset = await nvdiffrec.run(capture, options, contextOf({ checkpoints, progress: (e) => stages.add(e.stage) }));
  expect([...stages]).toEqual(['views', 'optimise', 'finish']);
  expect(asset.facts!.resumedAt).toBe(0);
  expect(asset.facts!.fusion).toBeDefined();
});

test('a job that is asked to stop goes on from the step that it had reached', async () => {
  const checkpoints = checkpointFolder(await folder());
  const options = { ...OPTIONS, iterations: 20 };
  const controller = new AbortController();
  const progress = (e: ProgressEvent) => {
    if (e.stage === 'optimise') controller.abort();
  };
  const cut = nvdiffrec.run(capture, options, contextOf({ checkpoints, stopping: controller.signal, progress }));
  expect((await errorOf(cut)).code).toBe('CANCELLED');
  const asset = await nvdiffrec.run(capture, options, contextOf({ checkpoints }));
  // The first report comes with the tenth step, and one step is recorded while the one before is under way.
  expect(asset.facts!.resumedAt).toBe(11);
});

test('a run is cancelled while its pictures are brought onto the device, before any step', async () => {
  const optimizer = await fresh();
  let steps = 0;
  const level = optimizer.level.bind(optimizer);
  optimizer.level = (...given) => Object.assign(level(...given), { step: () => void steps++ });
  const controller = new AbortController();
  const windowOf = windows.windows[1];
  // Asked for in the midst of the pictures, as those of a long list are.
  const watched = { ...windowOf };
  Object.defineProperty(watched, 'image', {
    get() {
      setImmediate(() => controller.abort());
      return windowOf.image;
    },
  });
  const set = { ...windows, windows: windows.windows.map((w, i) => (i === 1 ? watched : w)) };
  const context = contextOf({ signal: controller.signal });
  const run = optimize(optimizer, set, OPTIONS, 9, nothing(), { context, report() {} });
  expect((await errorOf(run)).code).toBe('CANCELLED');
  expect(steps).toBe(0);
  optimizer.dispose();
});

test('numbers that are not finite stop the run with OPTIMISATION_DIVERGED', async () => {
  const optimizer = await fresh();
  gpu().write(optimizer.parameters.light.parameters, Float32Array.of(Number.NaN));
  const options = { ...OPTIONS, iterations: 10 };
  const run = optimize(optimizer, windows, options, 9, nothing(), { context: contextOf(), report() {} });
  expect((await errorOf(run)).code).toBe('OPTIMISATION_DIVERGED');
  optimizer.dispose();
});

test('where the GPU runs out of memory, smaller pictures do and the user is told', async () => {
  const optimizer = await fresh();
  const level = optimizer.level.bind(optimizer);
  const sizes: number[] = [];
  optimizer.level = (size, cameras) => {
    sizes.push(size.width * size.height * size.capacity);
    if (sizes.at(-1)! > 5000) throw new PlinthError('GPU_OUT_OF_MEMORY', 'no memory');
    return level(size, cameras);
  };
  const warnings: Warning[] = [];
  const options = { ...OPTIONS, iterations: 10 };
  const context = contextOf({ warn: (w) => warnings.push(w) });
  const curves = await optimize(optimizer, windows, options, 9, nothing(), { context, report() {} });
  expect(curves.loss).toHaveLength(1);
  expect(sizes.some((s) => s > 5000)).toBe(true);
  expect(warnings.map((w) => w.code)).toContain('GPU_OUT_OF_MEMORY');
  optimizer.dispose();
});

test('cameras that are a little off are put right, and the report says by how much', async () => {
  const random = new Random(8, 0);
  const jitter = (most: number) => (random.float() * 2 - 1) * most;
  const off = windows.windows.map((w, i) => {
    if (i % 3 !== 0) return w;
    const camera = cameraAt(away(directions(14)[i].map((v) => v + jitter(0.06)) as Vec3), SIZE);
    const { cameraToWorld } = camera;
    const scale = 1 + jitter(0.03);
    return { ...w, camera: { ...w.camera, cameraToWorld, fx: w.camera.fx * scale, fy: w.camera.fy * scale } };
  });
  const options = nvdiffrec.options.parse({
    ...OPTIONS,
    iterations: 220,
    batch: 4,
    refineCameras: true,
    cameraRate: 0.01,
  });
  const cameras = off.map((w) => w.camera);
  const optimizer = await Optimizer.create(gpu(), start, options, cameras);
  await optimize(optimizer, { ...windows, windows: off }, options, 9, nothing(), { context: contextOf(), report() {} });
  const motions = (await cameraMotions(optimizer.parameters, { ...windows, windows: off }))!;
  const state = await optimizer.state();
  optimizer.dispose();
  expect(state.cameras).toHaveLength(off.length * 24);
  /** Mean distance in the picture, in pixels, between points seen by a camera and by the true one. */
  const error = (camera: Camera, truth: Camera) => {
    const points: Vec3[] = [
      [0.5, 0.2, 0.1],
      [-0.6, 0.1, 0.2],
      [0.1, 0.5, -0.2],
      [0, -0.5, 0.3],
      [0.1, 0.1, -0.5],
    ];
    const distances = points.map((p) => {
      const [a, b] = [projectPoint(camera, p), projectPoint(truth, p)];
      return Math.hypot(a.x - b.x, a.y - b.y);
    });
    return distances.reduce((sum, d) => sum + d, 0) / points.length;
  };
  const mean = (of: (i: number) => number) => {
    const wrong = off.map((_, i) => i).filter((i) => i % 3 === 0);
    return wrong.reduce((sum, i) => sum + of(i), 0) / wrong.length;
  };
  const before = mean((i) => error(cameras[i], windows.windows[i].camera));
  const after = mean((i) => error(motions[i].camera, windows.windows[i].camera));
  expect(before).toBeGreaterThan(0.8);
  expect(after).toBeLessThan(before / 3);
  const facts = motionFacts({ ...windows, windows: off }, motions) as Record<string, { turnDegrees: number }>;
  expect(Object.keys(facts)).toEqual(off.map((w) => w.name));
  expect(facts[off[0].name].turnDegrees).toBeGreaterThan(0.1);
});

test('a golden half is told from one of paint', async () => {
  const asset: Asset = {
    ...truth,
    material: {
      kind: 'pbr',
      baseColor: image(64, (_, y) => (y < 0.5 ? [225, 160, 80] : [60, 110, 190])),
      occlusionRoughnessMetallic: image(64, (_, y) => [255, 50, y < 0.5 ? 255 : 0]),
    },
    // Windows all around: a metal mirrors them, paint blends them.
    environment: {
      width: 64,
      height: 32,
      data: Float32Array.from({ length: 64 * 32 * 3 }, (_, i) => {
        const [x, y] = [Math.floor(i / 3) % 64, Math.floor(i / 192)];
        return x % 16 < 5 && y % 12 < 6 ? 3 : 0.08;
      }),
    },
  };
  const pictures = await photograph(asset, CAMERAS);
  const half = await captureFromViews(pictures.map((color, i) => ({ color, camera: CAMERAS[i] })));
  const guess = await prepareStart(half, OPTIONS, contextOf(), () => {});
  const fractions: number[] = [];
  const {
    start: told,
    facts,
    texels,
  } = await tellMetals(half, guess, OPTIONS, 3, contextOf(), (f) => fractions.push(f));
  const trials = facts as { tint: number[]; metal: boolean; lossAsPaint: number; lossAsMetal: number }[];
  expect(trials.some(({ tint, metal }) => metal && tint[0] > tint[2])).toBe(true);
  expect(trials.every(({ tint, metal }) => !metal || tint[0] > tint[2])).toBe(true);
  expect(texels).toHaveLength(trials.filter(({ metal }) => metal).length);
  expect(told.texels[texels[0][0] * 8 + 5]).toBe(1);
  expect(fractions.every((f, i) => f <= 1 && f >= (fractions[i - 1] ?? 0))).toBe(true);
  const off = await tellMetals(half, guess, { ...OPTIONS, metals: false }, 3, contextOf(), () => {});
  expect(off.start).toBe(guess);
});

test('a capture without masks is refused', () => {
  const accepts = () => nvdiffrec.accepts({ ...capture, masks: 'none' });
  expect(accepts).toThrow(expect.objectContaining({ code: 'METHOD_REQUIREMENTS' }));
});

test('every preset is within the options, and every option has words and a default', () => {
  for (const preset of Object.values((nvdiffrec as unknown as Method).presets)) nvdiffrec.options.parse(preset);
  for (const option of Object.values(nvdiffrec.options.shape)) {
    expect(option.description!.length).toBeGreaterThan(10);
    expect(option.parse(undefined)).toBeDefined();
  }
});

function nothing(): { iteration: number; curves: Curves } {
  return { iteration: 0, curves: { loss: [], psnr: [] } };
}
