import type { Gpu } from '../runtime/gpu.js';
import { openDevice } from '../runtime/openDevice.js';
import { type AdapterChoice, chooseAdapter } from './adapter.js';
import { nodeHost } from './nodeHost.js';

/** Which adapter to open, and whether to keep times. */
export interface OpenGpuOptions extends AdapterChoice {
  /**
   * Keep the times of all kernels and passes: `await gpu.profiler.take()` gives them. Costs time itself, and changes no
   * result. Default false.
   */
  profile?: boolean;
}

/** Dawn rounds timestamps to 0.1 ms, against spying in a browser. */
const EXACT_TIMESTAMPS = 'disable-dawn-features=timestamp_quantization';

/**
 * Chooses an adapter and opens a device. The environment variable `PLINTH_DISABLE_FEATURES` names features, separated
 * by commas, to do without although the adapter has them, and `PLINTH_DEFAULT_LIMITS=1` leaves all limits at WebGPU's
 * defaults: for testing what happens on lesser adapters.
 * Plinth uses `timestamp-query` and `subgroups`.
 * @throws `GPU_NO_ADAPTER`, `GPU_ADAPTER_NOT_MATCHED` or `GPU_LIMIT_TOO_LOW`
 */
export async function openGpu(options: OpenGpuOptions = {}): Promise<Gpu> {
  const { profile = false } = options;
  const { adapter, facts } = await chooseAdapter(options, profile ? [EXACT_TIMESTAMPS] : []);
  const disabled = (process.env.PLINTH_DISABLE_FEATURES ?? '').split(',').map((f) => f.trim());
  const defaultLimits = process.env.PLINTH_DEFAULT_LIMITS === '1';
  return openDevice(adapter, facts, nodeHost, { profile, without: disabled, defaultLimits });
}
