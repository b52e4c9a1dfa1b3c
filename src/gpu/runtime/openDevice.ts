import { PlinthError } from '../../core/errors.js';
import { anyOf, command, option, step } from '../../core/remedy.js';
import type { AdapterFacts } from './adapterFacts.js';
import { Gpu } from './gpu.js';
import { Profiler } from './profiler.js';
import type { GpuHost } from './shader.js';

/** Limits raised to what the adapter offers, since the defaults are far below every adapter Plinth runs on. */
const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupsPerDimension',
  'maxTextureDimension2D',
  'maxTextureArrayLayers',
  'maxColorAttachmentBytesPerSample',
] as const;

/** Features that kernels have a faster variant for, and do without where they are missing. */
const WANTED_FEATURES: readonly GPUFeatureName[] = ['subgroups'];

/** Limits without which no method can work. */
const NEEDED_LIMITS: Partial<Record<(typeof WANTED_LIMITS)[number], number>> = {
  maxStorageBufferBindingSize: 128 * 1024 * 1024,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16384,
  maxTextureDimension2D: 8192,
};

/**
 * Opens a device on an adapter, with every limit raised to what the adapter offers.
 * @param options.profile keep the times of all work (`gpu.profiler`): by the GPU's timestamps where it has them,
 * otherwise those of submissions. Default false.
 * @param options.without features to do without although the adapter has them
 * @param options.defaultLimits leave every limit at WebGPU's default, the least that an adapter may offer. Default
 * false.
 * @throws `GPU_LIMIT_TOO_LOW` where the adapter offers less than any method can work with
 */
export async function openDevice(
  adapter: GPUAdapter,
  facts: AdapterFacts,
  host: GpuHost,
  options: { profile?: boolean; without?: readonly string[]; defaultLimits?: boolean } = {},
): Promise<Gpu> {
  const { profile = false, without = [], defaultLimits = false } = options;
  const wanted: GPUFeatureName[] = [...WANTED_FEATURES, ...(profile ? (['timestamp-query'] as const) : [])];
  const requiredFeatures = wanted.filter((name) => adapter.features.has(name) && !without.includes(name));
  const requiredLimits: Record<string, number> = {};
  for (const name of WANTED_LIMITS) {
    const offered = facts.limits[name];
    const needed = NEEDED_LIMITS[name] ?? 0;
    if (offered === undefined) continue;
    if (offered < needed) {
      throw new PlinthError('GPU_LIMIT_TOO_LOW', {
        found: `${facts.device} offers ${name} = ${offered}`,
        expected: `at least ${needed}`,
        remedy: anyOf(
          step`choose another adapter with ${option('adapter')} (${command('doctor')} lists them)`,
          step`update the driver`,
        ),
      });
    }
    if (!defaultLimits) requiredLimits[name] = offered;
  }
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ requiredFeatures, requiredLimits, label: 'plinth' });
  } catch (error) {
    throw new PlinthError('GPU_LIMIT_TOO_LOW', {
      found: `${facts.device} gave no device: ${(error as Error).message}`,
      cause: error,
    });
  }
  return new Gpu(device, facts, host, profile ? new Profiler(device, facts.device) : undefined);
}
