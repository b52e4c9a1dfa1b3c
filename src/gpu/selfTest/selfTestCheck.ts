import { PlinthError } from '../../core/errors.js';
import type { Random } from '../../core/random.js';
import type { Gpu } from '../runtime/gpu.js';

/** What a check of the self-test is given. */
export interface CheckContext {
  gpu: Gpu;
  quick: boolean;
  random: Random;
  /** Reads `count` u32 back. */
  read(buffer: GPUBuffer, count: number): Promise<Uint32Array>;
  /** Lets others run, and ends a check that was cancelled or has run out of time. */
  pause(): Promise<void>;
}

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
