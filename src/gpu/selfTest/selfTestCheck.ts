import { PlinthError } from '../../core/errors.js';
import type { Random } from '../../core/random.js';
import type { Gpu } from '../runtime/gpu.js';

/** What checks are called. `gemm` and `attention` are those of networks, which `plinth doctor` adds to the others. */
export type SelfTestCheckName = 'scan' | 'sort' | 'atomics' | 'rasterisation' | 'matmul' | 'gemm' | 'attention';

/** The checks of every self-test. */
export const SELF_TEST_CHECKS = [
  'scan',
  'sort',
  'atomics',
  'rasterisation',
  'matmul',
] as const satisfies readonly SelfTestCheckName[];

/** A check as it is given to the self-test. */
export interface CheckWork {
  name: SelfTestCheckName;
  /**
   * Computes on the device and holds the numbers against the CPU's.
   * @returns what was compared
   * @throws `GPU_SELF_TEST_FAILED` where a number is wrong
   */
  run(context: CheckContext): Promise<string>;
}

/** What a check of the self-test is given. */
export interface CheckContext {
  gpu: Gpu;
  quick: boolean;
  random: Random;
  /** Reads `count` u32 back. */
  read(buffer: GPUBuffer, count: number): Promise<Uint32Array>;
  /** Is shown what was read back by other means than `read`: tests of the self-test change it here. */
  seen(numbers: Float32Array): void;
  /** Lets others run, and ends a check that was cancelled or has run out of time. */
  pause(): Promise<void>;
}

/** Many words from few draws; the higher bits are the better ones. */
export const randomWords = (random: Random, count: number): Uint32Array => {
  // One draw for many words: the generator is made for quality, and here any mixture of bits will do.
  const base = random.uint32();
  return Uint32Array.from({ length: count }, (_, i) => {
    const x = Math.imul(i ^ base, 0x9e3779b1);
    return Math.imul(x ^ (x >>> 15), 0x85ebca6b) ^ i;
  });
};

/** Throws with the first difference and the number of them. */
export function compare(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  let wrong = 0;
  let first = -1;
  for (let i = 0; i < expected.length; i++) {
    if (actual[i] === expected[i]) continue;
    if (wrong === 0) first = i;
    wrong++;
  }
  if (wrong > 0) {
    throw new PlinthError(
      'GPU_SELF_TEST_FAILED',
      `${wrong} of ${expected.length} ${what} are wrong, the first at ${first}: ${actual[first]} instead of ` +
        `${expected[first]}`,
    );
  }
}
