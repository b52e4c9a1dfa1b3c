import { describe, expect, it } from 'vitest';
import { useGpu } from '../../test/gpu.js';
import { openGpu } from '../gpu/adapter/openGpu.js';
import { checkAllocation } from './allocation.js';
import { readinessProbe } from './readiness.js';

const gpu = useGpu();

describe('readiness probe', () => {
  it('is ok on a GPU that computes right, as often as it is asked', async () => {
    for (let i = 0; i < 3; i++) expect(await readinessProbe(gpu())).toMatchObject({ ok: true });
  });

  it('is not ok when a single number is wrong', async () => {
    const own = await openGpu();
    const { readUint32 } = own;
    own.readUint32 = async (...args) => {
      const words = await readUint32.apply(own, args);
      words[4000] ^= 1;
      return words;
    };
    const result = await readinessProbe(own);
    expect(result.ok).toBe(false);
    expect(result.message).toMatch(/computes wrong: sum 4000/);
    own.dispose();
  });

  it('is not ok when the answer is that of an earlier probe', async () => {
    const own = await openGpu();
    const { readUint32 } = own;
    let stale: Uint32Array | undefined;
    own.readUint32 = async (...args) => {
      stale ??= await readUint32.apply(own, args);
      return stale;
    };
    expect((await readinessProbe(own)).ok).toBe(true);
    expect((await readinessProbe(own)).ok).toBe(false);
    own.dispose();
  });

  it('is not ok after the device was lost', async () => {
    const own = await openGpu();
    own.device.destroy();
    const result = await readinessProbe(own);
    expect(result.ok).toBe(false);
    expect(result.message).toContain('lost');
    own.dispose();
  });

  it('gives up on a GPU that hangs, and does not pile up jobs on it', async () => {
    const own = await openGpu();
    let reads = 0;
    let answer: ((words: Uint32Array) => void) | undefined;
    own.readUint32 = () => {
      reads++;
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    expect((await readinessProbe(own, { timeout: 0.05 })).message).toContain('did not answer within 0.05 s');
    expect((await readinessProbe(own)).message).toContain('has not answered a probe');
    expect(reads).toBe(1);
    answer?.(new Uint32Array(4096)); // it comes back, too late
    await new Promise((resolve) => setImmediate(resolve));
    await readinessProbe(own, { timeout: 0.05 });
    expect(reads).toBe(2);
    own.dispose();
  });
});

describe('allocation check', () => {
  it('passes where there is enough memory, and frees all of it', async () => {
    const before = gpu().bytesInUse;
    const peak = gpu().peakBytes;
    await checkAllocation(gpu(), 160 * 2 ** 20);
    expect(gpu().bytesInUse).toBe(before);
    expect(gpu().peakBytes - Math.max(before, peak)).toBeGreaterThan(100 * 2 ** 20);
  });

  it('says how much there was when memory runs out', async () => {
    const own = await openGpu();
    const { createBuffer } = own;
    let made = 0;
    // After the first piece, ask the driver for what it cannot give.
    own.createBuffer = (bytes, label, usage) => {
      if (++made > 1) {
        own.device.createTexture({
          size: [own.limits.maxTextureDimension2D, own.limits.maxTextureDimension2D, own.limits.maxTextureArrayLayers],
          format: 'rgba32float',
          usage: GPUTextureUsage.RENDER_ATTACHMENT,
        });
      }
      return createBuffer.call(own, bytes, label, usage);
    };
    await expect(checkAllocation(own, 300 * 2 ** 20)).rejects.toMatchObject({
      code: 'GPU_ALLOCATION_FAILED',
      exitCode: 15,
      found: expect.stringContaining('gave 128 MiB'),
    });
    own.dispose();
  });

  it('notices memory that does not keep what was written', async () => {
    const own = await openGpu();
    own.write = () => {};
    await expect(checkAllocation(own, 2 ** 20)).rejects.toThrow('does not keep what was written');
    own.dispose();
  });
});
