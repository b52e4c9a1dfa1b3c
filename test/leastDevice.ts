import { openGpu } from '../src/gpu/adapter/openGpu.js';
import type { Gpu } from '../src/gpu/runtime/gpu.js';

/** What `work` gives on a device of WebGPU's default limits without optional features. */
export async function onLeastDevice<T>(work: (gpu: Gpu) => Promise<T>): Promise<T> {
  process.env.PLINTH_DEFAULT_LIMITS = '1';
  process.env.PLINTH_DISABLE_FEATURES = 'subgroups,shader-f16';
  const gpu = await openGpu().finally(() => {
    delete process.env.PLINTH_DEFAULT_LIMITS;
    delete process.env.PLINTH_DISABLE_FEATURES;
  });
  try {
    return await work(gpu);
  } finally {
    gpu.dispose();
  }
}
