/**
 * Does this GPU compute right? Scan, sort, atomics, a rasterisation and a large matrix product, each number of each
 * held against the CPU. A GPU with broken memory or a faulty driver often still answers every call without an error.
 */

import { PlinthError, throwIfCancelled, toPlinthError } from '../../core/errors.js';
import { pause } from '../../core/pause.js';
import { Random } from '../../core/random.js';
import { anyOf, option, type Remedy, step } from '../../core/remedy.js';
import { recordRadixSort } from '../primitives/radixSort.js';
import { recordScan } from '../primitives/scan.js';
import type { Gpu } from '../runtime/gpu.js';
import { defineKernel, linear } from '../runtime/kernel.js';
import {
  type CheckContext,
  type CheckWork,
  compare,
  randomWords,
  SELF_TEST_CHECKS,
  type SelfTestCheckName,
} from './selfTestCheck.js';
import { checkRasterisation } from './selfTestRaster.js';

/** One check of the self-test. */
export interface SelfTestCheck {
  name: SelfTestCheckName;
  ok: boolean;
  /** Not ok only because no answer came in time: nothing is known of the numbers. Absent otherwise. */
  late?: true;
  seconds: number;
  /** What was compared, or what was wrong. */
  message: string;
}

/** What the self-test found, by check. */
export interface SelfTestReport {
  ok: boolean;
  /** Name of the device that was tested. */
  device: string;
  seconds: number;
  checks: SelfTestCheck[];
}

export interface SelfTestOptions {
  /** Ends the test with `CANCELLED`. */
  signal?: AbortSignal;
  /** Small sizes, for probing a running service: a few milliseconds on a GPU. Default false. */
  quick?: boolean;
  /** Seconds after which a check that got no answer counts as failed, for being late. Default 60, quick 10. */
  timeout?: number;
  /** Further checks, which run after the others. Default none. */
  extra?: readonly CheckWork[];
  /** For tests of the self-test: changes what came back from the GPU. */
  tamper?: (check: SelfTestCheckName, words: Uint32Array) => void;
}

const uniforms = { count: 'u32', size: 'u32', bins: 'u32' } as const;
const bindings = { params: 'uniform', a: 'read', b: 'read', result: 'read_write' } as const;
const shader = new URL('./selfTest.wgsl', import.meta.url);
const atomics = defineKernel({ name: 'self-test-atomics', shader, entryPoint: 'atomics', bindings, uniforms });
const multiply = defineKernel({ name: 'self-test-matmul', shader, entryPoint: 'multiply', bindings, uniforms });

const CHECKS: Record<(typeof SELF_TEST_CHECKS)[number], CheckWork['run']> = {
  scan: checkScan,
  sort: checkSort,
  atomics: checkAtomics,
  rasterisation: checkRasterisation,
  matmul: checkMatmul,
};

/**
 * Runs all checks, one after the other. A wrong number, an error of the device and a check without an answer make the
 * report not `ok`; nothing but cancellation is thrown.
 */
export async function runSelfTest(gpu: Gpu, options: SelfTestOptions = {}): Promise<SelfTestReport> {
  const { signal, quick = false, timeout = quick ? 10 : 60, extra = [], tamper } = options;
  const start = performance.now();
  const checks: SelfTestCheck[] = [];
  const works = [...SELF_TEST_CHECKS.map((name): CheckWork => ({ name, run: CHECKS[name] })), ...extra];
  for (const [i, { name, run }] of works.entries()) {
    throwIfCancelled(signal);
    const from = performance.now();
    const limit = new AbortController();
    const context: CheckContext = {
      gpu,
      quick,
      random: new Random(1 + i),
      async read(buffer, count) {
        const words = await gpu.readUint32(buffer, count);
        tamper?.(name, words);
        return words;
      },
      seen(numbers) {
        tamper?.(name, new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length));
      },
      async pause() {
        await pause(signal);
        throwIfCancelled(limit.signal);
      },
    };
    const check: SelfTestCheck = { name, ok: false, seconds: 0, message: '' };
    try {
      gpu.check();
      check.message = await within(run(context), timeout, signal);
      check.ok = true;
    } catch (error) {
      throwIfCancelled(signal);
      const { code, found } = toPlinthError(error);
      check.message = found;
      if (code === 'GPU_NO_ANSWER') check.late = true;
    } finally {
      limit.abort();
    }
    check.seconds = (performance.now() - from) / 1000;
    checks.push(check);
  }
  const seconds = (performance.now() - start) / 1000;
  return { ok: checks.every((c) => c.ok), device: gpu.adapter.device, seconds, checks };
}

/** What helps where a GPU gave no answer in time. */
export const LATE_REMEDY: Remedy = anyOf(
  step`try again when the machine is less busy`,
  step`if it is late on an idle machine too, update the driver or choose another adapter with ${option('adapter')}`,
);

/**
 * Throws where the report is not ok, with the failed checks: `GPU_NO_ANSWER` if they were all only late,
 * `GPU_SELF_TEST_FAILED` otherwise.
 */
export function assertSelfTest(report: SelfTestReport): void {
  if (report.ok) return;
  const bad = report.checks.filter((c) => !c.ok);
  const failed = bad.map((c) => `${c.name}: ${c.message}`);
  if (bad.every((c) => c.late)) {
    throw new PlinthError('GPU_NO_ANSWER', {
      found: `${report.device} did not finish its self-test in time (${failed.join('; ')})`,
      expected: 'an answer in time, whose numbers can be checked',
      remedy: LATE_REMEDY,
      subject: report.device,
    });
  }
  throw new PlinthError('GPU_SELF_TEST_FAILED', {
    found: `${report.device} failed its self-test (${failed.join('; ')})`,
    expected: 'the same numbers as the CPU computes',
    remedy: anyOf(
      step`update the driver`,
      step`choose another adapter with ${option('adapter')}; if a GPU fails with a current driver, its memory may be broken`,
    ),
    subject: report.device,
  });
}

/**
 * The result of the work, unless time runs out or the signal is given first; then the work is left to end by itself.
 */
function within<T>(work: Promise<T>, seconds: number, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new PlinthError('GPU_NO_ANSWER', `There was no answer within ${seconds} s`)),
      seconds * 1000,
    );
    const cancel = (): void => reject(new PlinthError('CANCELLED', 'The work was cancelled'));
    signal?.addEventListener('abort', cancel, { once: true });
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    });
  });
}

async function checkScan({ gpu, quick, random, read }: CheckContext): Promise<string> {
  const count = quick ? 20_000 : 1_100_000; // the larger needs three levels
  const items = randomWords(random, count);
  const buffer = gpu.upload(items);
  try {
    gpu.run((batch) => recordScan(batch, buffer, count));
    let sum = 0;
    const expected = items.map((item) => {
      const before = sum;
      sum = (sum + item) >>> 0;
      return before;
    });
    compare(await read(buffer, count), expected, 'prefix sums');
    return `${count} prefix sums`;
  } finally {
    buffer.destroy();
  }
}

async function checkSort({ gpu, quick, random, read, pause }: CheckContext): Promise<string> {
  const count = quick ? 10_000 : 400_000;
  const keys = randomWords(random, count);
  const buffer = gpu.upload(keys);
  const values = gpu.upload(keys.map((_, i) => i));
  try {
    gpu.run((batch) => recordRadixSort(batch, buffer, count, { values }));
    const sortedKeys = await read(buffer, count);
    await pause();
    compare(sortedKeys, keys.slice().sort(), 'sorted keys');
    await pause();
    const order = await read(values, count);
    compare(
      order.map((i) => keys[i]),
      sortedKeys,
      'values of sorted keys',
    );
    return `${count} keys with values`;
  } finally {
    buffer.destroy();
    values.destroy();
  }
}

async function checkAtomics({ gpu, quick, random, read }: CheckContext): Promise<string> {
  const count = quick ? 20_000 : 1_000_000;
  const bins = 61;
  const items = randomWords(random, count);
  const a = gpu.upload(items);
  const b = gpu.createBuffer(16);
  const result = gpu.createBuffer(bins * 3 * 4);
  try {
    gpu.run((batch) => atomics.dispatch(batch, { a, b, result }, { count, size: 0, bins }, linear(count, 64)));
    const expected = new Uint32Array(bins * 3);
    for (const item of items) {
      const bin = item % bins;
      expected[bin]++;
      expected[bins + bin] += item;
      expected[2 * bins + bin] = Math.max(expected[2 * bins + bin], item);
    }
    compare(await read(result, bins * 3), expected, 'atomic results');
    return `${count * 3} atomic operations on ${bins * 3} numbers`;
  } finally {
    for (const buffer of [a, b, result]) buffer.destroy();
  }
}

async function checkMatmul({ gpu, quick, random, read, pause }: CheckContext): Promise<string> {
  const size = quick ? 64 : 512;
  // Whole numbers 0…15: all sums stay below 2²⁴, so f32 holds them exactly in whatever order they are added.
  const [left, right] = [0, 1].map(() => Float32Array.from(randomWords(random, size * size), (x) => x & 15));
  const a = gpu.upload(left);
  const b = gpu.upload(right);
  const result = gpu.createBuffer(size * size * 4);
  try {
    const values = { count: 0, size, bins: 0 };
    gpu.run((batch) => multiply.dispatch(batch, { a, b, result }, values, linear(size * size, 64)));
    const expected = new Float32Array(size * size);
    for (let row = 0; row < size; row++) {
      if (row % 64 === 0) await pause();
      const out = expected.subarray(row * size, (row + 1) * size);
      for (let k = 0; k < size; k++) {
        const factor = left[row * size + k];
        for (let column = 0; column < size; column++) out[column] += factor * right[k * size + column];
      }
    }
    const words = await read(result, size * size);
    compare(new Float32Array(words.buffer), expected, 'elements of the product');
    return `${size} × ${size} matrix product`;
  } finally {
    for (const buffer of [a, b, result]) buffer.destroy();
  }
}
