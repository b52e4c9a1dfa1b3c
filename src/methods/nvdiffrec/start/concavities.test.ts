import { expect, test } from 'vitest';
import { useGpu } from '../../../../test/gpu.js';
import { cup, pictureOf } from '../../../../test/pictures.js';
import { cameraAt, directions } from '../../../../test/solids.js';
import type { Capture } from '../../../capture/capture.js';
import { captureFromViews } from '../../../capture/captureFromViews.js';
import { silentLogger } from '../../../core/context.js';
import type { Vec3 } from '../../../core/math.js';
import { Random } from '../../../core/random.js';
import { meshHealth } from '../../../geometry/mesh/measure/health.js';
import { runInThread } from '../../../platform/runInThread.js';
import { nvdiffrecOptions } from '../options.js';
import { startSurface } from './start.js';

const gpu = useGpu();

const captureOf = (count: number) =>
  captureFromViews(
    directions(count).map((d) => {
      const camera = cameraAt(d.map((v) => v * 3.2) as Vec3, 112);
      return { camera, color: pictureOf(cup, camera) };
    }),
  );

test(
  'the first surface of a cup is open where enough pictures show its inside, and has a lid where the option is ' +
    'off or pictures are few',
  async () => {
    const many = await captureOf(36);
    const surfaceOf = async (capture: Capture, concavities: boolean) => {
      const stages: string[] = [];
      const { mesh, facts } = await startSurface(
        capture,
        nvdiffrecOptions.parse({ concavities, stereo: 'off', triangles: 6000, resolution: 64, imageSize: 112 }),
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
        (stage) => stages.push(stage),
      );
      expect(stages).toContain('concavities');
      return { health: meshHealth(mesh), facts };
    };
    const closed = Math.PI * 0.7 ** 2 * 0.7;
    const hollow = Math.PI * 0.58 ** 2 * 0.55;
    const open = await surfaceOf(many, true);
    expect(open.facts.concavities).toMatchObject({ opened: 1 });
    expect(open.health).toMatchObject({ components: 1, watertight: true, innerShells: 0, inwardTriangles: 0 });
    expect(open.health.volume).toBeLessThan(closed - 0.75 * hollow);
    expect(open.health.volume).toBeGreaterThan(closed - 1.15 * hollow);
    for (const lid of [await surfaceOf(many, false), await surfaceOf(await captureOf(8), true)]) {
      expect(lid.facts.concavities).toBeUndefined();
      expect(lid.health.volume).toBeGreaterThan(0.95 * closed);
    }
  },
);
