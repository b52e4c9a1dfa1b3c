import { describe, expect, it } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { noise } from '../../../test/noise.js';
import { PlinthError } from '../../core/errors.js';
import { recordRadixSort } from './radixSort.js';

const gpu = useGpu();

const same = (a: Uint32Array, b: Uint32Array): boolean =>
  Buffer.compare(
    Buffer.from(a.buffer, a.byteOffset, a.byteLength),
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  ) === 0;

async function sort(
  keys: Uint32Array,
  bits?: number,
  count = keys.length,
): Promise<{ keys: Uint32Array; values: Uint32Array }> {
  const keyBuffer = gpu().upload(keys);
  const valueBuffer = gpu().upload(keys.map((_, i) => i));
  gpu().run((batch) => recordRadixSort(batch, keyBuffer, count, { values: valueBuffer, bits }));
  const result = {
    keys: await gpu().readUint32(keyBuffer, keys.length),
    values: await gpu().readUint32(valueBuffer, keys.length),
  };
  keyBuffer.destroy();
  valueBuffer.destroy();
  return result;
}

/** Indices in the order of a stable sort. */
function reference(keys: Uint32Array): Uint32Array {
  return Uint32Array.from(keys, (_, i) => i).sort((a, b) => keys[a] - keys[b] || a - b);
}

describe('radixSort', () => {
  it('sorts keys with their values at every length', async () => {
    for (const count of [0, 1, 2, 3, 7, 8, 9, 127, 1023, 1024, 1025, 9001, 300_007]) {
      const keys = noise(count);
      const order = reference(keys);
      const sorted = await sort(keys);
      expect(same(sorted.keys, keys.slice().sort()), `${count}`).toBe(true);
      expect(same(sorted.values, order), `${count}`).toBe(true);
    }
  });

  it('keeps the order of equal keys', async () => {
    for (const bound of [1, 2, 5, 17]) {
      const keys = noise(20_011, bound);
      expect(same((await sort(keys)).values, reference(keys)), `${bound}`).toBe(true);
    }
  });

  it('sorts the extremes: 0, 2³¹ and 2³² − 1, ascending and descending input', async () => {
    const extremes = Uint32Array.from({ length: 4000 }, (_, i) => [0, 0x80000000, 0xffffffff, 0x7fffffff][i % 4]);
    expect(same((await sort(extremes)).keys, extremes.slice().sort())).toBe(true);
    const descending = Uint32Array.from({ length: 5000 }, (_, i) => 5000 - i);
    expect(same((await sort(descending)).keys, descending.slice().sort())).toBe(true);
  });

  it('looks at the low bits alone when told so, with an even or odd number of passes', async () => {
    for (const bits of [1, 4, 5, 12, 13, 20]) {
      const keys = noise(3000, 2 ** bits);
      const sorted = await sort(keys, bits);
      expect(same(sorted.keys, keys.slice().sort()), `${bits}`).toBe(true);
      expect(same(sorted.values, reference(keys)), `${bits}`).toBe(true);
    }
  });

  it('sorts keys alone and leaves what lies behind the given length untouched', async () => {
    const keys = noise(5000);
    const buffer = gpu().upload(keys);
    gpu().run((batch) => recordRadixSort(batch, buffer, 4097));
    const sorted = await gpu().readUint32(buffer, 5000);
    expect(same(sorted.slice(0, 4097), keys.slice(0, 4097).sort())).toBe(true);
    expect(same(sorted.slice(4097), keys.slice(4097))).toBe(true);
    buffer.destroy();
  });

  it('sorts millions of keys', async () => {
    const count = 2 ** 22 + 5;
    const keys = noise(count);
    const buffer = gpu().upload(keys);
    gpu().run((batch) => recordRadixSort(batch, buffer, count));
    expect(same(await gpu().readUint32(buffer, count), keys.sort())).toBe(true);
    buffer.destroy();
  });

  it('refuses more keys than a binding holds with a coded error, and bits out of range', () => {
    const buffer = gpu().upload(new Uint32Array(4));
    const count = gpu().limits.maxStorageBufferBindingSize / 4 + 1;
    gpu().run((batch) => {
      expect(() => recordRadixSort(batch, buffer, count)).toThrow(PlinthError);
      expect(() => recordRadixSort(batch, buffer, 4, { bits: 33 })).toThrow(RangeError);
    });
    buffer.destroy();
  });
});
