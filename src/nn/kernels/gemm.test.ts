import { describe, expect, it } from 'vitest';
import { toHalf } from '../../core/halfFloat.js';
import { openGpu } from '../../gpu/adapter/openGpu.js';
import { GpuOps } from '../gpuOps.js';
import type { HostMatrix, Ops, Tensor } from '../ops.js';
import { ReferenceOps } from '../reference/referenceOps.js';
import { isNarrow } from './gemmNarrow.js';

const numbers = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * 0.7 + seed) + 0.25 * Math.cos(i * 0.013));

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);
const toBf16 = (x: number): number => {
  float[0] = x;
  return bits[0] >>> 16;
};

function matrix(rows: number, columns: number, dtype: HostMatrix['dtype']): HostMatrix {
  const data = numbers(rows * columns, 3);
  if (dtype === 'F32') return { rows, columns, dtype, data };
  return { rows, columns, dtype, data: Uint16Array.from(data, dtype === 'F16' ? toHalf : toBf16) };
}

/** The same product in two places. */
async function compare(places: [Ops, Ops], run: (ops: Ops) => Tensor): Promise<void> {
  const [wanted, actual] = await Promise.all(places.map(async (ops) => ops.read(run(ops))));
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) worst = Math.max(worst, Math.abs(wanted[i] - actual[i]));
  const spread = Math.sqrt(wanted.reduce((sum, x) => sum + x * x, 0) / wanted.length);
  expect(actual.length).toBe(wanted.length);
  expect(worst / spread).toBeLessThan(2e-5);
}

describe('the product', () => {
  it('is the reference’s for every kind of weight, with all that follows it, at sizes that fit no tile', async () => {
    for (const without of ['', 'subgroups']) {
      process.env.PLINTH_DISABLE_FEATURES = without;
      const gpu = await openGpu().finally(() => delete process.env.PLINTH_DISABLE_FEATURES);
      if (without) expect(isNarrow(gpu)).toBe(false);
      const ops = new GpuOps(gpu);
      ops.open();
      for (const dtype of ['F32', 'F16', 'BF16'] as const) {
        const [rows, inputs, outputs] = dtype === 'F32' ? [131, 1003, 259] : [131, 1002, 259];
        await compare([new ReferenceOps(), ops], (place) =>
          place.linear(
            place.tensor(numbers(rows * inputs, 1), rows, inputs),
            {
              weight: place.weight(matrix(outputs, inputs, dtype)),
              bias: place.tensor(numbers(outputs, 5), 1, outputs),
            },
            {
              activation: 'gelu',
              gate: { of: place.tensor(numbers(outputs + 7, 7), 1, outputs + 7), column: 7 },
              residual: place.tensor(numbers(rows * outputs, 9), rows, outputs),
            },
          ),
        );
      }
      const map = Int32Array.from({ length: 401 * 27 }, (_, i) => ((i * 7919) % 450) - 49).map((x) => Math.max(-1, x));
      await compare([new ReferenceOps(), ops], (place) =>
        place.convolution(place.tensor(numbers(401 * 12, 1), 401, 12), place.index(map), {
          weight: place.weight(matrix(260, 27 * 12, 'F16')),
        }),
      );
      ops.close();
      gpu.trim();
      expect(gpu.bytesInUse).toBe(0);
      gpu.dispose();
    }
  });

  it('takes weights of f32 as halves where it is told to, save those that no half can be', async () => {
    const gpu = await openGpu();
    const ops = new GpuOps(gpu, { halves: true });
    ops.open();
    const given = matrix(70, 40, 'F32');
    const beyond = { ...given, data: (given.data as Float32Array).map((x, i) => (i === 7 ? 1e5 : x)) };
    for (const [weight, same] of [
      [given, matrix(70, 40, 'F16')],
      [beyond, beyond],
    ]) {
      const [actual, wanted] = await Promise.all(
        [ops, new GpuOps(gpu)].map(async (place, i) => {
          const x = place.tensor(numbers(50 * 40, 1), 50, 40);
          return place.read(place.linear(x, { weight: place.weight(i === 0 ? weight : same) }));
        }),
      );
      expect([...actual]).toEqual([...wanted]);
    }
    gpu.dispose();
  });
});
