import { afterAll, beforeAll } from 'vitest';
import { openGpu } from '../src/gpu/adapter/openGpu.js';
import type { Gpu } from '../src/gpu/runtime/gpu.js';

/**
 * A device for the tests of one file, opened before and disposed after them: `const gpu = useGpu(); … gpu().run(…)`.
 */
export function useGpu(): () => Gpu {
  let gpu: Gpu | undefined;
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu?.dispose());
  return () => {
    if (!gpu) throw new Error('useGpu(): call inside a test');
    return gpu;
  };
}
