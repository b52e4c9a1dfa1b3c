import { describe, expect, it } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { noise } from '../../../test/noise.js';
import { recordScan } from './scan.js';

const gpu = useGpu();

function reference(items: Uint32Array, inclusive: boolean): { scanned: Uint32Array; total: number } {
  const scanned = new Uint32Array(items.length);
  let sum = 0;
  for (let i = 0; i < items.length; i++) {
    const after = (sum + items[i]) >>> 0;
    scanned[i] = inclusive ? after : sum;
    sum = after;
  }
  return { scanned, total: sum };
}

const lengths = [0, 1, 2, 3, 255, 1023, 1024, 1025, 4097, 1024 * 1024, 1024 * 1024 + 1, 2_345_679];

describe('scan', () => {
  for (const inclusive of [false, true]) {
    it(`gives the ${inclusive ? 'inclusive' : 'exclusive'} prefix sums and the total at every length`, async () => {
      for (const count of lengths) {
        const items = noise(count, 1000, count);
        const buffer = gpu().upload(items);
        const total = gpu().upload(new Uint32Array([7, 7, 7]));
        gpu().run((batch) => recordScan(batch, buffer, count, { inclusive, total, totalOffset: 4 }));
        const expected = reference(items, inclusive);
        const scanned = await gpu().readUint32(buffer, count);
        expect(Buffer.compare(Buffer.from(scanned.buffer), Buffer.from(expected.scanned.buffer)), `${count}`).toBe(0);
        expect([...(await gpu().readUint32(total, 3))], `${count}`).toEqual([7, expected.total, 7]);
        buffer.destroy();
        total.destroy();
      }
    });
  }

  it('leaves what lies behind the given length untouched', async () => {
    const buffer = gpu().upload(new Uint32Array(2000).fill(1));
    gpu().run((batch) => recordScan(batch, buffer, 1500, { inclusive: true }));
    const scanned = await gpu().readUint32(buffer, 2000);
    expect(scanned[1499]).toBe(1500);
    expect([...scanned.subarray(1500)].every((x) => x === 1)).toBe(true);
    buffer.destroy();
  });

  it('wraps modulo 2³² instead of saturating', async () => {
    const items = noise(5000);
    const buffer = gpu().upload(items);
    gpu().run((batch) => recordScan(batch, buffer, items.length));
    expect(await gpu().readUint32(buffer, items.length)).toEqual(reference(items, false).scanned);
    buffer.destroy();
  });

  it('spans several bindings and more than 65,535 workgroups', async () => {
    // No more than the least adapter holds in one buffer.
    const count = 65536 * 1024 - 3;
    const items = new Uint32Array(count);
    for (let i = 0; i < count; i++) items[i] = (i * 2654435761) & 3;
    const buffer = gpu().upload(items);
    gpu().run((batch) => recordScan(batch, buffer, count, { inclusive: true }));
    const scanned = await gpu().readUint32(buffer, count);
    let sum = 0;
    let wrong = 0;
    for (let i = 0; i < count; i++) {
      sum += items[i];
      if (scanned[i] !== sum) wrong++;
    }
    expect(wrong).toBe(0);
    buffer.destroy();
  });

  it('chains in one batch without read-back and gives its scratch buffers back', async () => {
    const buffer = gpu().upload(new Uint32Array(100_000).fill(1));
    const record = (): void =>
      gpu().run((batch) => {
        recordScan(batch, buffer, 100_000, { inclusive: true }); // 1 2 3 …
        recordScan(batch, buffer, 1000, { inclusive: true }); // triangular numbers
      });
    record();
    const scanned = await gpu().readUint32(buffer, 1001);
    expect(scanned[999]).toBe((1000 * 1001) / 2);
    expect(scanned[1000]).toBe(1001);
    const bytes = gpu().bytesInUse;
    for (let i = 0; i < 10; i++) record();
    await gpu().sync();
    expect(gpu().bytesInUse).toBe(bytes);
    buffer.destroy();
  });
});
