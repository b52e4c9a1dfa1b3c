import { describe, expect, it } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { noise } from '../../../test/noise.js';
import type { TypedArray } from '../runtime/resources.js';
import { type ReduceOperation, type ReduceType, recordReduce } from './reduce.js';

const gpu = useGpu();

async function reduce(data: TypedArray, operation: ReduceOperation, type: ReduceType): Promise<number> {
  const buffer = gpu().upload(data);
  const result = gpu().upload(new Uint32Array([1, 2, 3]));
  gpu().run((batch) => recordReduce(batch, buffer, data.length, { operation, type, result, resultOffset: 4 }));
  const bytes = await gpu().read(result, 0, 12);
  expect([new Uint32Array(bytes)[0], new Uint32Array(bytes)[2]]).toEqual([1, 3]);
  buffer.destroy();
  result.destroy();
  const views = { u32: new Uint32Array(bytes), i32: new Int32Array(bytes), f32: new Float32Array(bytes) };
  return views[type][1];
}

const lengths = [1, 2, 3, 1023, 1024, 1025, 99_999, 1_048_577];

describe('reduce', () => {
  it('sums, and finds least and greatest, of u32 and i32 at every length', async () => {
    for (const count of lengths) {
      const words = noise(count, 2 ** 32, count);
      const signed = new Int32Array(words.buffer);
      const sum = words.reduce((a, b) => (a + b) >>> 0, 0);
      expect(await reduce(words, 'sum', 'u32')).toBe(sum);
      expect(await reduce(signed, 'sum', 'i32')).toBe(sum | 0);
      expect(await reduce(words, 'min', 'u32')).toBe(words.reduce((a, b) => Math.min(a, b)));
      expect(await reduce(words, 'max', 'u32')).toBe(words.reduce((a, b) => Math.max(a, b)));
      expect(await reduce(signed, 'min', 'i32')).toBe(signed.reduce((a, b) => Math.min(a, b)));
      expect(await reduce(signed, 'max', 'i32')).toBe(signed.reduce((a, b) => Math.max(a, b)));
    }
  });

  it('finds the least and greatest f32 exactly and sums within rounding', async () => {
    for (const count of lengths) {
      const items = Float32Array.from(noise(count, 2 ** 32, count), (x) => x / 2 ** 31 - 0.5);
      expect(await reduce(items, 'min', 'f32')).toBe(items.reduce((a, b) => Math.min(a, b)));
      expect(await reduce(items, 'max', 'f32')).toBe(items.reduce((a, b) => Math.max(a, b)));
      const exact = items.reduce((a, b) => a + b, 0);
      const magnitude = items.reduce((a, b) => a + Math.abs(b), 0);
      // At most about 50 roundings lie on the way of an item into the sum.
      expect(Math.abs((await reduce(items, 'sum', 'f32')) - exact)).toBeLessThanOrEqual(50 * 2 ** -24 * magnitude);
    }
  });

  it('gives the same bytes on every run', async () => {
    const items = Float32Array.from(noise(300_000), (x) => x / 2 ** 12 - 5e5);
    const first = await reduce(items, 'sum', 'f32');
    for (let i = 0; i < 5; i++) expect(await reduce(items, 'sum', 'f32')).toBe(first);
  });

  it('reduces nothing to the neutral value', async () => {
    const none = new Uint32Array(0);
    expect(await reduce(none, 'sum', 'f32')).toBe(0);
    expect(await reduce(none, 'min', 'f32')).toBe(Number.POSITIVE_INFINITY);
    expect(await reduce(none, 'max', 'f32')).toBe(Number.NEGATIVE_INFINITY);
    expect(await reduce(none, 'max', 'u32')).toBe(0);
    expect(await reduce(none, 'min', 'u32')).toBe(0xffffffff);
    expect(await reduce(none, 'max', 'i32')).toBe(-(2 ** 31));
  });

  it('spans several bindings and more than 65,535 workgroups', async () => {
    // No more than the least adapter holds in one buffer.
    const count = 65536 * 1024 - 5;
    const buffer = gpu().createBuffer(count * 4);
    const result = gpu().createBuffer(12);
    for (const [i, value] of [
      [0, 1],
      [2 ** 25, 10],
      [65535 * 1024, 100],
      [count - 1, 1000],
    ])
      gpu().write(buffer, new Uint32Array([value]), i * 4);
    gpu().run((batch) => {
      recordReduce(batch, buffer, count, { operation: 'sum', type: 'u32', result });
      recordReduce(batch, buffer, count, { operation: 'max', type: 'u32', result, resultOffset: 4 });
    });
    expect([...(await gpu().readUint32(result, 2))]).toEqual([1111, 1000]);
    buffer.destroy();
    result.destroy();
  });
});
