/** Where networks run in tests: on the reference, on devices with all they offer, and on one with WebGPU's defaults. */
import { afterAll, beforeAll, describe } from 'vitest';
import { chooseAdapter } from '../src/gpu/adapter/adapter.js';
import { nodeHost } from '../src/gpu/adapter/nodeHost.js';
import { openGpu } from '../src/gpu/adapter/openGpu.js';
import { Gpu } from '../src/gpu/runtime/gpu.js';
import { GpuOps } from '../src/nn/gpuOps.js';
import type { Ops } from '../src/nn/ops.js';
import { ReferenceOps } from '../src/nn/reference/referenceOps.js';

/** The places, by name. */
export const PLACES = ['reference', 'device', 'plain device', 'device with tiny pages'] as const;

/** Bytes of a tiny page: 64 rows of 128 numbers, so that tensors of miniature networks have several. */
const TINY_PAGE = 64 * 128 * 4;

/** One of them. */
export type Place = (typeof PLACES)[number];

/** A device with no optional feature and no limit above the least that WebGPU promises. */
export async function openPlainGpu(): Promise<Gpu> {
  const { adapter, facts } = await chooseAdapter({});
  return new Gpu(await adapter.requestDevice(), facts, nodeHost);
}

/** Runs the tests once in each place. */
export function describeOps(
  name: string,
  tests: (ops: () => Ops, place: Place) => void,
  places: readonly Place[] = PLACES,
): void {
  for (const place of places) {
    describe(`${name}, on the ${place}`, () => {
      let gpu: Gpu | undefined;
      let ops: Ops | undefined;
      beforeAll(async () => {
        if (place !== 'reference') gpu = await (place === 'plain device' ? openPlainGpu() : openGpu());
        const pageBytes = place === 'device with tiny pages' ? TINY_PAGE : undefined;
        ops = gpu ? new GpuOps(gpu, { pageBytes }) : new ReferenceOps();
      });
      afterAll(() => gpu?.dispose());
      tests(() => {
        if (!ops) throw new Error('describeOps(): call inside a test');
        return ops;
      }, place);
    });
  }
}
