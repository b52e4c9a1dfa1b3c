import type { Gpu } from '../runtime/gpu.js';
import { openDevice } from '../runtime/openDevice.js';
import { type AdapterChoice, chooseAdapter } from './adapter.js';
import { nodeHost } from './nodeHost.js';

/** Optional features that are asked for wherever the adapter has them; code must work without. */
const WANTED_FEATURES: GPUFeatureName[] = ['timestamp-query'];

/**
 * Chooses an adapter and opens a device. The environment variable `PLINTH_DISABLE_FEATURES` names features, separated by commas, to do
 * without although the adapter has them: for testing what happens on lesser adapters. Throws `GPU_NO_ADAPTER`, `GPU_ADAPTER_NOT_MATCHED` or `GPU_LIMIT_TOO_LOW`.
 */
export async function openGpu(choice: AdapterChoice = {}): Promise<Gpu> {
  const { adapter, facts } = await chooseAdapter(choice);
  const disabled = (process.env.PLINTH_DISABLE_FEATURES ?? '').split(',').map((f) => f.trim());
  const features = WANTED_FEATURES.filter((f) => !disabled.includes(f));
  return openDevice(adapter, facts, nodeHost, features);
}
