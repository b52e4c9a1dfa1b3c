import type { Logger } from '../../core/context.js';
import { type ValidationOptions, type ValidationReport, validateGpu } from '../../health/validate.js';
import type { Settings } from '../settings.js';
import { gpuHealth } from './gpuHealth.js';
import type { HealthSource } from './healthSource.js';

export interface CheckedGpu {
  /** The settings, with the adapters that were validated in the place of `auto` and the like. */
  settings: Settings;
  health: HealthSource;
}

/**
 * Validates every adapter that workers of this process are to use, before anything listens. Where the policy makes do
 * with the software adapter, the workers are bound to it, so that none takes up a GPU that was found unfit.
 * @throws what `validateGpu` throws
 */
export async function checkGpu(
  settings: Settings,
  log: Logger,
  options: Omit<ValidationOptions, 'log'> = {},
): Promise<CheckedGpu> {
  const { policy, minimumMemoryBytes, vendors, allowSoftware, skipSlowChecks } = settings.gpu;
  const wanted = settings.worker.adapters;
  if (wanted.length === 0 && policy !== 'required') {
    log.info({ policy }, 'GPU validation left out: this process runs no jobs');
    return { settings, health: gpuHealth([], options.probe) };
  }
  if (skipSlowChecks) log.warn({}, 'SLOW GPU CHECKS SKIPPED: no memory is allocated, and the self-test is a short one');
  const reports = new Map<string, ValidationReport>();
  for (const adapter of wanted.length === 0 ? ['auto'] : wanted) {
    if (reports.has(adapter)) continue;
    const demand = { gpu: policy, minimumMemory: minimumMemoryBytes, vendors, allowSoftware, skipSlowChecks, adapter };
    reports.set(adapter, await validateGpu(demand, { ...options, log }));
  }
  const bound = (adapter: string): string => {
    const report = reports.get(adapter)!;
    return report.mode === 'software' ? 'software' : String(report.adapter.index);
  };
  return {
    settings: { ...settings, worker: { ...settings.worker, adapters: wanted.map(bound) } },
    health: gpuHealth([...reports.values()], options.probe),
  };
}
