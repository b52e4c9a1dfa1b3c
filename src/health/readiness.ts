import { toPlinthError } from '../core/errors.js';
import { recordScan } from '../gpu/primitives/scan.js';
import type { Gpu } from '../gpu/runtime/gpu.js';

export interface Readiness {
  ok: boolean;
  /** Not ok because no answer came in time. */
  late: boolean;
  seconds: number;
  /** What was computed, or what was wrong. */
  message: string;
}

export interface ReadinessOptions {
  /** Seconds. Default 5. */
  timeout?: number;
}

const ITEMS = 4096;

/** Counts the probes, so that no answer of an earlier one can pass for this one's. */
let serial = 0;
const waiting = new WeakMap<Gpu, number>();

/**
 * Runs a small job on the GPU and checks each number of it. Never throws. A GPU that hangs is asked once: until that
 * job comes back, every further probe fails at once.
 */
export async function readinessProbe(gpu: Gpu, options: ReadinessOptions = {}): Promise<Readiness> {
  const { timeout = 5 } = options;
  const start = performance.now();
  const since = waiting.get(gpu);
  if (since !== undefined) {
    const age = Math.round((start - since) / 1000);
    return { ok: false, late: true, seconds: 0, message: `The GPU has not answered a probe for ${age} s` };
  }
  waiting.set(gpu, start);
  const job = compute(gpu).finally(() => waiting.delete(gpu));
  let timer: NodeJS.Timeout | undefined;
  let late = false;
  const tooLong = new Promise<string>((resolve) => {
    timer = setTimeout(() => {
      late = true;
      resolve(`The GPU did not answer within ${timeout} s`);
    }, timeout * 1000);
  });
  const wrong = await Promise.race([job.catch((error: unknown) => toPlinthError(error).message), tooLong]);
  clearTimeout(timer);
  const seconds = (performance.now() - start) / 1000;
  return { ok: wrong === undefined, late, seconds, message: wrong ?? `${ITEMS} prefix sums` };
}

/** What is wrong, if anything. */
async function compute(gpu: Gpu): Promise<string | undefined> {
  serial++;
  const items = Uint32Array.from({ length: ITEMS }, (_, i) => Math.imul(i + 1, 2654435761 + 2 * serial) >>> 8);
  const buffer = gpu.upload(items, 'readiness');
  try {
    gpu.run((batch) => recordScan(batch, buffer, ITEMS, { inclusive: true }));
    const sums = await gpu.readUint32(buffer, ITEMS);
    let sum = 0;
    for (let i = 0; i < ITEMS; i++) {
      sum = (sum + items[i]) >>> 0;
      if (sums[i] !== sum) return `The GPU computes wrong: sum ${i} is ${sums[i]} instead of ${sum}`;
    }
    return undefined;
  } finally {
    buffer.destroy();
  }
}
