import { describe, expect, it } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { openGpu } from '../adapter/openGpu.js';

const gpu = useGpu();

describe('buffers', () => {
  it('come back from the pool with at least the size asked for and at most an eighth more', () => {
    for (const bytes of [1, 255, 256, 257, 1000, 4096, 4097, 123_456, 1_000_001, 10_000_000]) {
      const buffer = gpu().acquire(bytes);
      expect(buffer.size).toBeGreaterThanOrEqual(bytes);
      expect(buffer.size).toBeLessThanOrEqual(Math.max(512, bytes * 1.126));
      gpu().release(buffer);
      expect(gpu().acquire(bytes)).toBe(buffer);
      gpu().release(buffer);
    }
  });

  it('are counted while in use, once when destroyed twice, and trimmed when nobody holds them', () => {
    gpu().trim();
    const before = gpu().bytesInUse;
    const kept = gpu().createBuffer(1000);
    expect(gpu().bytesInUse).toBe(before + 1008);
    kept.destroy();
    kept.destroy();
    expect(gpu().bytesInUse).toBe(before);
    const pooled = gpu().acquire(1 << 20);
    gpu().release(pooled);
    expect(gpu().bytesInUse).toBe(before + (1 << 20));
    gpu().trim();
    expect(gpu().bytesInUse).toBe(before);
    expect(gpu().peakBytes).toBeGreaterThanOrEqual(before + (1 << 20));
  });

  it('carry arrays of any type and length there and back', async () => {
    for (const data of [
      new Uint8Array([1, 2, 3, 4, 5]),
      new Uint16Array([1, 65535, 3]),
      new Float32Array([0.5, -1, 1e30]),
      new Int32Array([-1, 2 ** 30]),
      new Float32Array(0),
    ]) {
      const buffer = gpu().upload(data);
      expect(new Uint8Array(await gpu().read(buffer, 0, data.byteLength))).toEqual(
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      );
      buffer.destroy();
    }
  });

  it('beyond the limit are refused with a coded error before anything is allocated', () => {
    const before = gpu().bytesInUse;
    expect(() => gpu().createBuffer(1e15, 'absurd')).toThrow(
      expect.objectContaining({ code: 'GPU_LIMIT_TOO_LOW', message: expect.stringContaining('"absurd"') }),
    );
    expect(gpu().bytesInUse).toBe(before);
  });
});

describe('errors of the device', () => {
  it('out of memory is coded, can be cleared, and leaves the device usable', async () => {
    const own = await openGpu();
    own.device.createTexture({
      size: [own.limits.maxTextureDimension2D, own.limits.maxTextureDimension2D, own.limits.maxTextureArrayLayers],
      format: 'rgba32float',
      usage: GPUTextureUsage.RENDER_ATTACHMENT,
    });
    await expect(own.sync()).rejects.toMatchObject({ code: 'GPU_OUT_OF_MEMORY' });
    expect(() => own.check()).toThrow(expect.objectContaining({ code: 'GPU_OUT_OF_MEMORY' }));
    own.clearError();
    const buffer = own.upload(new Uint32Array([5]));
    expect([...(await own.readUint32(buffer, 1))]).toEqual([5]);
    own.dispose();
  });

  it('loss of the device is coded for work under way and for all work after it', async () => {
    const own = await openGpu();
    const buffer = own.createBuffer(1 << 20);
    const reading = own.read(buffer);
    own.device.destroy();
    await expect(reading).rejects.toMatchObject({ code: 'GPU_DEVICE_LOST' });
    await expect(own.read(buffer)).rejects.toMatchObject({ code: 'GPU_DEVICE_LOST' });
    await expect(own.sync()).rejects.toMatchObject({ code: 'GPU_DEVICE_LOST' });
    own.clearError();
    expect(() => own.check()).toThrow(expect.objectContaining({ code: 'GPU_DEVICE_LOST' }));
    own.dispose();
  });

  it('a refused command is coded as a defect', async () => {
    const own = await openGpu();
    const buffer = own.createBuffer(16);
    own.run((batch) => batch.copy(buffer, 0, buffer, 0, 4096));
    await expect(own.sync()).rejects.toMatchObject({ code: 'GPU_VALIDATION', kind: 'internal' });
    own.dispose();
  });
});
