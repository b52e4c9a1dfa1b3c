/** Where networks run in tests: on the reference, on a device with all it offers, and on one with WebGPU's defaults. */
import { afterAll, beforeAll, describe } from 'vitest';
import { openGpu } from '../src/gpu/adapter/openGpu.js';
import type { Gpu } from '../src/gpu/runtime/gpu.js';
import { GpuOps } from '../src/nn/gpuOps.js';
import type { Ops } from '../src/nn/ops.js';
import { ReferenceOps } from '../src/nn/reference/referenceOps.js';

/** The places, by name. */
export const PLACES = ['reference', 'device'] as const;

/** Runs the tests once in each place. */
export function describeOps(name: string, tests: (ops: () => Ops, place: (typeof PLACES)[number]) => void): void {
  for (const place of PLACES) {
    describe(`${name}, on the ${place}`, () => {
      let gpu: Gpu | undefined;
      let ops: Ops | undefined;
      beforeAll(async () => {
        if (place === 'device') gpu = await openGpu();
        ops = gpu ? new GpuOps(gpu) : new ReferenceOps();
      });
      afterAll(() => gpu?.dispose());
      tests(() => {
        if (!ops) throw new Error('describeOps(): call inside a test');
        return ops;
      }, place);
    });
  }
}
