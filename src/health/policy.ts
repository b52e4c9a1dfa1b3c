import { PlinthError } from '../core/errors.js';
import { anyOf, command, setting, step } from '../core/remedy.js';
import type { MachineFacts } from '../gpu/adapter/system.js';
import { findings } from '../gpu/doctor/findings.js';
import type { AdapterFacts } from '../gpu/runtime/adapterFacts.js';
import type { GpuFacts } from './figures.js';
import { failuresOf, gpusOf } from './live.js';
import type { VendorAnswer } from './vendorProbe.js';

const GIB = 2 ** 30;

/** What an installation demands of its GPU. */
export interface GpuPolicy {
  /**
   * `required`: start on a GPU or not at all. `preferred`: a GPU where one is fit, else the software adapter, with a
   * warning. `off`: the software adapter.
   */
  gpu: 'required' | 'preferred' | 'off';
  /** Bytes of GPU memory, used and free. Default 12 GiB with `required`, else 0. */
  minimumMemory?: number;
  /** Vendors allowed, such as `['nvidia', 'amd']`. Default: all. */
  vendors?: readonly string[];
  /**
   * Accept the software adapter: with `required` in place of a GPU, for trials. Default false with `required`, else
   * true.
   */
  allowSoftware?: boolean;
  /** Leave out the allocation and shorten the self-test. Default false. */
  skipSlowChecks?: boolean;
  /** Which adapter, as for `--adapter`. Default: the fastest that the policy allows. */
  adapter?: string;
}

export interface GpuSituation {
  machine: MachineFacts;
  adapters: readonly AdapterFacts[];
  vendors: VendorAnswer<GpuFacts>;
}

export const demandedMemory = (policy: GpuPolicy): number =>
  policy.minimumMemory ?? (policy.gpu === 'required' ? 12 * GIB : 0);

export const softwareAllowed = (policy: GpuPolicy): boolean => policy.allowSoftware ?? policy.gpu !== 'required';

/** The vendor's facts about an adapter: WebGPU knows it by name alone. */
export function factsOf(adapter: AdapterFacts, situation: GpuSituation): GpuFacts | undefined {
  const same = gpusOf(situation.vendors).filter((g) => g.vendor === adapter.vendor);
  const name = adapter.device.toLowerCase();
  return same.find((g) => name.includes(g.name.toLowerCase())) ?? (same.length === 1 ? same[0] : undefined);
}

/** Throws `GPU_MEMORY_TOO_SMALL` unless the adapter is known to have the memory that the policy demands. */
export function checkMemory(policy: GpuPolicy, adapter: AdapterFacts, situation: GpuSituation): void {
  const needed = demandedMemory(policy);
  if (needed === 0) return;
  // The software adapter works in the machine's own memory.
  const own = adapter.kind === 'software' ? situation.machine.memory : adapter.memory;
  const memory = factsOf(adapter, situation)?.memoryTotal ?? own;
  // Cards sold with 12 GiB report a few per cent less, which the driver keeps for itself.
  if (memory !== undefined && memory >= needed * 0.95) return;
  throw new PlinthError('GPU_MEMORY_TOO_SMALL', {
    found:
      memory === undefined
        ? `${adapter.device} does not say how much memory it has`
        : `${adapter.device} has ${(memory / GIB).toFixed(1)} GiB of memory`,
    expected: `at least ${(needed / GIB).toFixed(1)} GiB`,
    remedy: anyOf(
      step`use a GPU with more memory`,
      step`lower ${setting('gpu.minimumMemoryBytes')} (0 demands nothing)`,
    ),
    subject: adapter.device,
  });
}

/** The hardware adapters that the policy allows, or the reason why there is none. */
export function allowedHardware(policy: GpuPolicy, situation: GpuSituation): AdapterFacts[] {
  const hardware = situation.adapters.filter((a) => a.kind !== 'software');
  if (hardware.length === 0) throw missing(situation);
  const { vendors } = policy;
  if (!vendors || vendors.length === 0) return hardware;
  const allowed = hardware.filter((a) => vendors.some((v) => v.toLowerCase() === a.vendor.toLowerCase()));
  if (allowed.length > 0) return allowed;
  throw new PlinthError('GPU_VENDOR_REFUSED', {
    found: `The GPUs here are ${hardware.map((a) => `${a.device} (${a.vendor})`).join(', ')}`,
    expected: `a GPU of ${vendors.join(' or ')}`,
    remedy: anyOf(step`allow the vendor in ${setting('gpu.vendors')}`, step`use another GPU`),
  });
}

function missing(situation: GpuSituation): PlinthError {
  const { machine, adapters, vendors } = situation;
  const software = adapters.map((a) => a.device).join(', ');
  const found = [software ? `Only the software adapter ${software} answers` : 'No adapter answers'];
  const seen = gpusOf(vendors);
  if (seen.length > 0) {
    const { name, driver, vendor } = seen[0];
    const other = seen.length > 1 ? ` and ${seen.length - 1} more` : '';
    found.push(
      `the driver sees ${name}${other}${driver ? ` (driver ${driver})` : ''}, but Vulkan offers no GPU of ${vendor}`,
    );
  }
  found.push(...failuresOf(vendors));
  const advice = findings({ machine, adapters }).find((f) => /^(nvidia|amd|intel)-/.test(f.code));
  let remedy = advice?.remedy;
  if (!remedy && seen.some((g) => g.vendor === 'nvidia')) {
    remedy = machine.container
      ? 'Start the container with NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics, and have libvulkan1 ' +
        'libegl1 libglvnd0 libx11-6 libxext6 in the image'
      : 'Install the Vulkan part of the NVIDIA driver and libvulkan1';
  }
  remedy ??= machine.container
    ? 'Give the container a GPU: NVIDIA: --gpus all with the NVIDIA Container Toolkit and ' +
      'NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics; AMD and Intel: --device /dev/dri'
    : anyOf(
        step`install a GPU and its driver (NVIDIA 535 or newer; AMD and Intel: Mesa 24 or newer)`,
        step`set ${setting('gpu.policy', 'preferred')}; ${command('doctor')} shows what is there`,
      );
  return new PlinthError('GPU_REQUIRED_MISSING', {
    found: found.join('; '),
    expected: 'a GPU with a working Vulkan, Metal or Direct3D 12 driver',
    remedy,
  });
}
