/**
 * The networks at their published sizes, on a device that counts memory, holds every binding against the limits that
 * WebGPU promises everywhere, and computes nothing.
 */
import { describe, expect, it } from 'vitest';
import { countingGpu } from '../../../test/countingDevice.js';
import { fullSizeModel } from '../../../test/fullSizeModel.js';
import { shell, stagePeaks } from '../../../test/fullSizeStages.js';
import { openGpu } from '../../gpu/adapter/openGpu.js';
import type { AdapterFacts } from '../../gpu/runtime/adapterFacts.js';
import { GpuOps } from '../../nn/gpuOps.js';
import { chooseMemoryTier, MEMORY_TIERS, requiredBytes, stageBytes } from './memory.js';

const LARGEST = 8e9;

describe('networks of the published sizes', () => {
  for (const [tier, vision] of [
    [MEMORY_TIERS[0], 'F32'],
    [MEMORY_TIERS[2], 'F16'],
  ] as const) {
    it(`take what is stated, tier ${tier.name}, and no binding beyond WebGPU’s limits`, async () => {
      const gpu = countingGpu();
      const [photos, coords] = [3, shell(3000)];
      const model = await fullSizeModel(vision);
      const peaks = await stagePeaks(gpu, model, { photos, coords, kept: tier.keepsConditions });
      expect(gpu.bytesInUse).toBe(0);
      const stated = stageBytes({ photos, voxels: coords.length / 3 }, tier);
      for (const stage of ['encode', 'structure', 'latent', 'decode'] as const) {
        expect(peaks[stage], stage).toBeLessThanOrEqual(stated[stage]);
        expect(peaks[stage], stage).toBeGreaterThan(stated[stage] * 0.8);
        expect(peaks[stage], stage).toBeLessThanOrEqual(LARGEST);
      }
      expect(peaks.occupancy).toBeLessThan(peaks.structure);
    });
  }

  it('are counted as a true device counts', async () => {
    const gpu = await openGpu();
    const counting = countingGpu();
    const peaks: number[] = [];
    for (const device of [gpu, counting]) {
      // As on the counting device: no narrow subgroups, whose products keep weights in another form.
      const ops = new GpuOps(device, { pageBytes: 64 * 128 * 4 });
      ops.open();
      const x = ops.tensor(new Float32Array(500 * 128).fill(1), 500, 128);
      const y = ops.layerNorm(ops.concatColumns([x, x]), { eps: 1e-5 });
      await ops.read(
        ops.groupNorm(y, 4, 1e-5, {
          weight: ops.tensor(new Float32Array(256), 1, 256),
          bias: ops.tensor(new Float32Array(256), 1, 256),
        }),
      );
      ops.close();
      peaks.push(device.peakBytes);
    }
    expect(peaks[1]).toBe(peaks[0]);
    gpu.dispose();
  });
});

describe('the tier of a device', () => {
  const facts = (memory?: number, kind: AdapterFacts['kind'] = 'discrete') =>
    ({ kind, device: 'Some GPU', memory }) as AdapterFacts;
  const GIB = 2 ** 30;

  it('is the one that takes most of what fits', () => {
    const nameOf = (memory: number, photos: number) => chooseMemoryTier(facts(memory * GIB), { photos }).name;
    expect([8, 12, 16, 24].map((memory) => nameOf(memory, 6))).toEqual(['full', 'full', 'full', 'full']);
    expect([8, 12, 16, 24].map((memory) => nameOf(memory, 16))).toEqual(['lean', 'full', 'full', 'full']);
    expect(nameOf(7, 13)).toBe('lean');
  });

  it('is the one that takes least where the device does not tell its own memory', () => {
    expect(chooseMemoryTier(facts(), { photos: 6 }).name).toBe('lean');
    expect(chooseMemoryTier(facts(64 * GIB, 'integrated'), { photos: 6 }).name).toBe('lean');
  });

  it('is none where nothing fits, and says how much would', () => {
    const refuse = () => chooseMemoryTier(facts(4 * GIB), { photos: 16 });
    expect(refuse).toThrow(
      expect.objectContaining({
        code: 'METHOD_DEVICE_TOO_SMALL',
        found: 'Some GPU has 4.3 GB of memory',
        expected: expect.stringMatching(/^\d\.\d GB for 16 photos$/),
      }),
    );
  });

  it('takes no more than a larger one', () => {
    for (const photos of [1, 6, 16]) {
      const bytes = MEMORY_TIERS.map((tier) => requiredBytes({ photos }, tier));
      expect([...bytes].sort((a, b) => b - a)).toEqual(bytes);
    }
  });
});
