import { describe, expect, it } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { recordScan } from '../primitives/scan.js';

const gpu = useGpu();

describe('batch', () => {
  it('takes more uniform blocks than one arena holds', async () => {
    const items = gpu().upload(new Uint32Array([1, 1, 1, 1]));
    gpu().run((batch) => {
      // Each scan takes one block; an inclusive scan of [1, n] makes it [1, n + 1].
      for (let i = 0; i < 5000; i++) recordScan(batch, items, 2, { inclusive: true });
    });
    expect([...(await gpu().readUint32(items, 4))]).toEqual([1, 5001, 1, 1]);
    items.destroy();
  });

  it('keeps the order of dispatches, clears and copies', async () => {
    const a = gpu().upload(new Uint32Array([1, 2, 3, 4]));
    const b = gpu().createBuffer(16);
    gpu().run((batch) => {
      batch.copy(a, 0, b, 0, 16);
      recordScan(batch, a, 4, { inclusive: true });
      batch.copy(a, 8, b, 0, 8);
      batch.clear(a, 0, 8);
    });
    expect([...(await gpu().readUint32(b, 4))]).toEqual([6, 10, 3, 4]);
    expect([...(await gpu().readUint32(a, 4))]).toEqual([0, 0, 6, 10]);
    a.destroy();
    b.destroy();
  });

  it('gives scratch buffers back on submission, not before', () => {
    const batch = gpu().batch();
    const first = batch.scratch(1000);
    expect(batch.scratch(1000)).not.toBe(first);
    batch.submit();
    const again = [gpu().acquire(1000), gpu().acquire(1000)];
    expect(again).toContain(first);
    gpu().release(...again);
  });

  it('refuses a uniform block larger than an arena', () => {
    expect(() =>
      gpu()
        .batch()
        .uniform(new ArrayBuffer(2 ** 20 + 1)),
    ).toThrow(RangeError);
  });
});
