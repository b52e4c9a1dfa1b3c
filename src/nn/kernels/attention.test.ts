/** Both kernels of attention against the reference, where rows are no multiple of any tile and lie in many pages. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGpu } from '../../gpu/adapter/openGpu.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { GpuOps } from '../gpuOps.js';
import type { Attention, Ops } from '../ops.js';
import { ReferenceOps } from '../reference/referenceOps.js';
import { isNarrow } from './gemmNarrow.js';

const numbers = (count: number, seed: number, scale = 1): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => scale * (Math.sin(i * 0.7 + seed) + 0.25 * Math.cos(i * i * 0.013)));

/** Query, key and value, each beside columns that are none of them; queries and keys may be of other numbers. */
interface Case {
  queries: number;
  keys: number;
  heads: number;
  size?: number;
  segments?: number[];
  contexts?: number;
  /** Of the queries: scores are then so large that the softmax of most is a single key's. */
  scale?: number;
}

const CASES: Record<string, Case> = {
  'one key': { queries: 30, keys: 1, heads: 2 },
  'rows that fit no tile': { queries: 131, keys: 203, heads: 3 },
  'large scores': { queries: 70, keys: 150, heads: 2, scale: 200 },
  'the mean of three softmaxes': { queries: 65, keys: 3 * 37, heads: 3, contexts: 3 },
  // Segments that begin and end anywhere, one of a single row.
  'segments of rows': {
    queries: 140,
    keys: 160,
    heads: 2,
    segments: [0, 77, 0, 93, 77, 1, 93, 5, 78, 62, 98, 62],
  },
  'heads of 128': { queries: 70, keys: 90, heads: 2, size: 128 },
};

function attend(ops: Ops, { queries, keys, heads, size = 64, segments, contexts, scale = 1 }: Case) {
  const width = heads * size;
  const attention: Attention = {
    query: { of: ops.tensor(numbers(queries * (width + 4), 1, scale), queries, width + 4), column: 4 },
    key: { of: ops.tensor(numbers(keys * 2 * width, 2), keys, 2 * width), column: 0 },
    value: { of: ops.tensor(numbers(keys * 2 * width, 3), keys, 2 * width), column: width },
    heads,
    size,
    segments: segments && ops.index(Int32Array.from(segments)),
    contexts,
  };
  return ops.read(ops.attention(attention));
}

const TINY_PAGES = { pageBytes: 64 * 64 * 4 };
const PLACES: [string, { pageBytes?: number }][] = [
  ['', {}],
  ['', TINY_PAGES],
  ['subgroups', {}],
  ['subgroups', TINY_PAGES],
];
for (const [without, options] of PLACES) {
  describe(`attention${without && `, without ${without}`}${options.pageBytes ? ', in tiny pages' : ''}`, () => {
    let gpu: Gpu;
    beforeAll(async () => {
      process.env.PLINTH_DISABLE_FEATURES = without;
      gpu = await openGpu().finally(() => delete process.env.PLINTH_DISABLE_FEATURES);
      if (without) expect(isNarrow(gpu)).toBe(false);
    });
    afterAll(() => {
      gpu.trim();
      expect(gpu.bytesInUse).toBe(0);
      gpu.dispose();
    });
    for (const [what, given] of Object.entries(CASES)) {
      it(`is the reference’s: ${what}`, async () => {
        const wanted = await attend(new ReferenceOps(), given);
        const ops = new GpuOps(gpu, options);
        ops.open();
        const actual = await attend(ops, given);
        ops.close();
        expect(actual.length).toBe(wanted.length);
        const spread = Math.sqrt(wanted.reduce((sum, x) => sum + x * x, 0) / wanted.length);
        let worst = 0;
        for (let i = 0; i < wanted.length; i++) worst = Math.max(worst, Math.abs(wanted[i] - actual[i]) / spread);
        // Scores of thousands are wrong by some 1e-4 in f32, and so are their exponentials.
        expect(worst).toBeLessThan(given.scale ? 2e-3 : 1e-5);
      });
    }
  });
}
