import { describe, expect, it } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { noise } from '../../../test/noise.js';
import { recordCompact } from './compact.js';
import { recordReduce } from './reduce.js';

const gpu = useGpu();

function randomFlags(count: number, share: number): Uint32Array {
  return noise(count, 2 ** 32, count + 1).map((x) => (x < share * 2 ** 32 ? x | 1 : 0));
}

function reference(flags: Uint32Array): number[] {
  const indices: number[] = [];
  flags.forEach((flag, i) => {
    if (flag !== 0) indices.push(i);
  });
  return indices;
}

describe('compact', () => {
  it('lists the indices of all set flags, ascending, and counts them, at every length and density', async () => {
    for (const count of [0, 1, 2, 1023, 1024, 1025, 70_001, 1_100_003]) {
      for (const share of count > 100_000 ? [0.3] : [0, 0.01, 0.5, 1]) {
        const flags = randomFlags(count, share);
        const buffer = gpu().upload(flags);
        const indices = gpu().createBuffer(count * 4);
        const total = gpu().upload(new Uint32Array([9, 9, 9]));
        gpu().run((batch) => recordCompact(batch, buffer, count, { indices, total, totalOffset: 4 }));
        const expected = reference(flags);
        expect([...(await gpu().readUint32(total, 3))]).toEqual([9, expected.length, 9]);
        expect(await gpu().readUint32(indices, expected.length), `${count} ${share}`).toEqual(
          Uint32Array.from(expected),
        );
        for (const b of [buffer, indices, total]) b.destroy();
      }
    }
  });

  it('drops indices beyond the output and still counts them', async () => {
    const buffer = gpu().upload(new Uint32Array(3000).fill(1));
    const indices = gpu().createBuffer(64);
    const total = gpu().createBuffer(4);
    gpu().run((batch) => recordCompact(batch, buffer, 3000, { indices, total }));
    expect([...(await gpu().readUint32(total, 1))]).toEqual([3000]);
    expect([...(await gpu().readUint32(indices, 16))]).toEqual(Array.from({ length: 16 }, (_, i) => i));
    for (const b of [buffer, indices, total]) b.destroy();
  });

  it('finds flags beyond the first binding and the first 65,535 workgroups', async () => {
    const count = 65536 * 1024 + 9;
    const wanted = [0, 2 ** 25 - 1, 2 ** 25, 65535 * 1024 - 1, 65535 * 1024, 65536 * 1024, count - 1];
    const buffer = gpu().createBuffer(count * 4);
    for (const i of wanted) gpu().write(buffer, new Uint32Array([1]), i * 4);
    const indices = gpu().createBuffer(64);
    const total = gpu().createBuffer(4);
    gpu().run((batch) => recordCompact(batch, buffer, count, { indices, total }));
    expect([...(await gpu().readUint32(total, 1))]).toEqual([wanted.length]);
    expect([...(await gpu().readUint32(indices, wanted.length))]).toEqual(wanted);
    for (const b of [buffer, indices, total]) b.destroy();
  });

  it('feeds later work of the same batch without read-back', async () => {
    const flags = randomFlags(10_000, 0.2);
    const buffer = gpu().upload(flags);
    const indices = gpu().createBuffer(10_000 * 4);
    const result = gpu().createBuffer(8);
    gpu().run((batch) => {
      recordCompact(batch, buffer, 10_000, { indices, total: result });
      recordReduce(batch, indices, 10_000, { operation: 'max', type: 'u32', result, resultOffset: 4 });
    });
    const expected = reference(flags);
    expect([...(await gpu().readUint32(result, 2))]).toEqual([expected.length, expected.at(-1)]);
    for (const b of [buffer, indices, result]) b.destroy();
  });
});
