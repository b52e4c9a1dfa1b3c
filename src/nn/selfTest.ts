/**
 * Checks of the kernels of networks for the self-test: a product and an attention at the sizes that networks have,
 * since some drivers compute small ones right and large ones silently wrong. Both are made so that the CPU can tell
 * every number of the result in far fewer steps than the GPU takes.
 */

import { PlinthError } from '../core/errors.js';
import { toHalf } from '../core/halfFloat.js';
import type { Random } from '../core/random.js';
import { type CheckContext, type CheckWork, randomWords } from '../gpu/selfTest/selfTestCheck.js';
import { GpuOps } from './gpuOps.js';

/** For `plinth doctor`; a service and its workers start without them. */
export const NETWORK_CHECKS: readonly CheckWork[] = [
  { name: 'gemm', run: checkGemm },
  { name: 'attention', run: checkAttention },
];

const HEADS = 16;
const SIZE = 64;
const WIDTH = HEADS * SIZE;

/** Of an attention whose results are 1…2: f32 sums and exponentials come well within it, a wrong bit in 1000 not. */
const TOLERANCE = 5e-5;

/**
 * Which of three sizes: that of networks, one for which a CPU in the place of a GPU needs no more than a second or two,
 * and that of the quick form.
 */
const choose = <T>({ gpu, quick }: CheckContext, [real, onCpu, small]: readonly [T, T, T]): T =>
  quick ? small : gpu.adapter.kind === 'software' ? onCpu : real;

/** Whole numbers −most…most. */
const wholes = (random: Random, count: number, most: number): Int16Array =>
  Int16Array.from(randomWords(random, count), (word) => Math.floor((word / 2 ** 32) * (2 * most + 1)) - most);

/** Numbers from…to. */
const between = (random: Random, count: number, from: number, to: number): Float32Array =>
  Float32Array.from(randomWords(random, count), (word) => from + (word / 2 ** 32) * (to - from));

/**
 * A product with halves as weights. The numbers are whole (weights in units of 2⁻¹⁰, which fills a half's bits) and
 * every sum stays below 2²⁴ units, so f32 holds it exactly in whatever order it is added.
 *
 * All rows are held against the CPU's by a weighted sum of their numbers (Freivalds 1979): Σₒ vₒ yᵣₒ = Σᵢ xᵣᵢ uᵢ with
 * u = vᵀ W. All of it stays below 2⁵³, so f64 is exact too, and a single wrong number always shows.
 */
async function checkGemm(context: CheckContext): Promise<string> {
  const { gpu, random, seen, pause } = context;
  const [rows, inputs, outputs] = choose(context, [
    [1374, 1024, 4096],
    [259, 1024, 768],
    [131, 512, 520],
  ]);
  const x = wholes(random, rows * inputs, 7);
  const weight = wholes(random, outputs * inputs, 2047);
  await pause();
  const data = new Uint16Array(weight.length);
  for (let i = 0; i < data.length; i++) data[i] = toHalf(weight[i] / 1024);
  await pause();

  const result = await computed(new GpuOps(gpu), (ops) =>
    ops.linear(ops.tensor(Float32Array.from(x), rows, inputs), {
      weight: ops.weight({ rows: outputs, columns: inputs, dtype: 'F16', data }),
    }),
  );
  seen(result);

  const factors = Float64Array.from({ length: outputs }, () => 1 + random.integer(2 ** 15));
  const sums = new Float64Array(inputs);
  for (let output = 0; output < outputs; output++) {
    if (output % 256 === 0) await pause();
    for (let i = 0; i < inputs; i++) sums[i] += factors[output] * weight[output * inputs + i];
  }
  const wrong: number[] = [];
  for (let row = 0; row < rows; row++) {
    if (row % 64 === 0) await pause();
    let expected = 0;
    for (let i = 0; i < inputs; i++) expected += x[row * inputs + i] * sums[i];
    let actual = 0;
    let whole = true;
    for (let output = 0; output < outputs; output++) {
      const units = result[row * outputs + output] * 1024;
      // A fraction of a unit could be lost in the sum.
      whole &&= Number.isInteger(units);
      actual += factors[output] * units;
    }
    if (!whole || actual !== expected) wrong.push(row);
  }
  if (wrong.length > 0) {
    const [row] = wrong;
    const first = firstWrong(x.subarray(row * inputs, (row + 1) * inputs), weight, result.subarray(row * outputs));
    throw new PlinthError(
      'GPU_SELF_TEST_FAILED',
      `${wrong.length} of ${rows} rows of the product are wrong, the first at row ${row}, ${first}`,
    );
  }
  return `${rows} × ${inputs} × ${outputs} product with half-precision weights, all ${rows * outputs} numbers`;
}

/** Where a row of the product is wrong first, and by what. */
function firstWrong(x: Int16Array, weight: Int16Array, actual: Float32Array): string {
  for (let output = 0; output * x.length < weight.length; output++) {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += x[i] * weight[output * x.length + i];
    const expected = sum / 1024;
    if (actual[output] !== expected) return `column ${output}: ${actual[output]} instead of ${expected}`;
  }
  throw new RangeError('no number of the row is wrong');
}

/**
 * An attention of 16 heads with values that all differ and keys of few kinds. Keys of one kind get the same weight, so
 * the CPU needs a score for each kind only, and the sum of the values of each.
 */
async function checkAttention(context: CheckContext): Promise<string> {
  const { gpu, random, seen, pause } = context;
  const tokens = choose(context, [1374, 331, 71]);
  const kinds = 32;
  const stride = 3 * WIDTH;
  const table = between(random, kinds * WIDTH, -1, 1);
  const kindOf = Array.from({ length: tokens }, () => random.integer(kinds));
  const queries = between(random, tokens * WIDTH, -6, 6); // for scores of about −6…6
  const values = between(random, tokens * WIDTH, 1, 2);
  const qkv = new Float32Array(tokens * stride);
  for (let token = 0; token < tokens; token++) {
    const row = qkv.subarray(token * stride, (token + 1) * stride);
    row.set(queries.subarray(token * WIDTH, (token + 1) * WIDTH));
    row.set(table.subarray(kindOf[token] * WIDTH, (kindOf[token] + 1) * WIDTH), WIDTH);
    row.set(values.subarray(token * WIDTH, (token + 1) * WIDTH), 2 * WIDTH);
  }
  await pause();

  const result = await computed(new GpuOps(gpu), (ops) => {
    const of = ops.tensor(qkv, tokens, stride);
    const [query, key, value] = [0, 1, 2].map((i) => ({ of, column: i * WIDTH }));
    return ops.attention({ query, key, value, heads: HEADS, size: SIZE });
  });
  seen(result);

  let wrong = 0;
  let first = '';
  for (let head = 0; head < HEADS; head++) {
    const counts = new Float64Array(kinds);
    const sums = new Float64Array(kinds * SIZE);
    for (let token = 0; token < tokens; token++) {
      const kind = kindOf[token];
      counts[kind]++;
      const from = token * WIDTH + head * SIZE;
      for (let i = 0; i < SIZE; i++) sums[kind * SIZE + i] += values[from + i];
    }
    const expected = new Float64Array(SIZE);
    for (let token = 0; token < tokens; token++) {
      if (token % 256 === 0) await pause();
      const query = queries.subarray(token * WIDTH + head * SIZE, token * WIDTH + (head + 1) * SIZE);
      expected.fill(0);
      let total = 0;
      for (let kind = 0; kind < kinds; kind++) {
        let score = 0;
        for (let i = 0; i < SIZE; i++) score += query[i] * table[kind * WIDTH + head * SIZE + i];
        const weight = Math.exp(score / Math.sqrt(SIZE)); // scores are small: f64 needs no greatest one
        total += weight * counts[kind];
        for (let i = 0; i < SIZE; i++) expected[i] += weight * sums[kind * SIZE + i];
      }
      for (let i = 0; i < SIZE; i++) {
        const at = token * WIDTH + head * SIZE + i;
        if (Math.abs(result[at] - expected[i] / total) <= TOLERANCE) continue;
        const place = `query ${token}, column ${head * SIZE + i}`;
        first ||= `${place}: ${result[at]} instead of ${(expected[i] / total).toFixed(6)}`;
        wrong++;
      }
    }
  }
  if (wrong > 0) {
    throw new PlinthError(
      'GPU_SELF_TEST_FAILED',
      `${wrong} of ${result.length} numbers of the attention are wrong, the first at ${first}`,
    );
  }
  return `attention of ${HEADS} heads over ${tokens} tokens, all ${result.length} numbers`;
}

/** The numbers of what is recorded; everything that was made for it is freed. */
async function computed(ops: GpuOps, record: (ops: GpuOps) => ReturnType<GpuOps['linear']>): Promise<Float32Array> {
  ops.open();
  try {
    return await ops.read(record(ops));
  } finally {
    ops.close();
  }
}
