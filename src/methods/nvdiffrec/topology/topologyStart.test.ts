import { expect, test } from 'vitest';
import { useGpu } from '../../../../test/gpu.js';
import { sphere } from '../../../../test/shapes.js';
import { sphere as ballSolid, cameraAt, directions, view } from '../../../../test/solids.js';
import { captureFromViews } from '../../../capture/captureFromViews.js';
import { type ProgressEvent, silentLogger } from '../../../core/context.js';
import type { Vec3 } from '../../../core/math.js';
import { Random } from '../../../core/random.js';
import { meshHealth } from '../../../geometry/mesh/measure/health.js';
import { runInThread } from '../../../platform/runInThread.js';
import { nvdiffrecOptions } from '../options.js';
import { topologyStart } from './topologyStart.js';

const gpu = useGpu();
const SIZE = 48;

test('the pass works on a capture where it is asked for, and leaves the start alone where it is not', async () => {
  const views = directions(6).map((d) => {
    const camera = cameraAt(d.map((v) => v * 3.4) as Vec3, SIZE);
    const data = new Uint8ClampedArray(SIZE * SIZE * 4);
    view(ballSolid(0.6), camera).mask.data.forEach((coverage, k) => {
      data.set([90, 160, 200, coverage * 255], k * 4);
    });
    return { color: { width: SIZE, height: SIZE, data }, camera };
  });
  const capture = await captureFromViews(views);
  const start = sphere(3, 0.9);
  const events: { stage: string; fraction: number; more?: Partial<ProgressEvent> }[] = [];
  const run = (topology: boolean) =>
    topologyStart(
      capture,
      start,
      nvdiffrecOptions.parse({
        topology,
        topologyIterations: 50,
        topologyResolution: 16,
        imageSize: 64,
        triangles: 900,
      }),
      {
        gpu: gpu(),
        progress() {},
        signal: new AbortController().signal,
        log: silentLogger,
        random: new Random(1),
        seed: 1,
        runInThread,
        warn() {},
      },
      (stage, fraction, _, more) => events.push({ stage, fraction, more }),
    );
  expect(await run(false)).toEqual({ mesh: start });
  const { mesh, facts } = await run(true);
  expect(facts).toMatchObject({ resolution: 16, iterations: 50, after: { components: 1, holes: 0, genus: 0 } });
  expect(meshHealth(mesh).volume).toBeLessThan(0.8 * meshHealth(start).volume);
  expect(mesh.indices.length / 3).toBeLessThanOrEqual(900);
  expect(events.at(-1)).toMatchObject({ stage: 'topology', fraction: 1 });
  expect(events.at(-1)!.more!.metrics!.loss).toBeGreaterThan(0);
});
