import { PlinthError } from '../../core/errors.js';
import { command, option, remedy } from '../../core/remedy.js';
import { installedSoftwareDriver, preloadSoftwareDriver } from '../driver/softwareDriver.js';
import { hasVulkanLoader, type VulkanDevice, vulkanDevices } from '../driver/vulkan.js';
import type { AdapterFacts, AdapterKind } from '../runtime/adapterFacts.js';
import { kindFromNames } from './adapterKind.js';
import { enumerateAdapters, forgetInstances } from './enumerate.js';

/** Which adapter to open. */
export interface AdapterChoice {
  /**
   * Which adapter: `auto` (discrete, then integrated, then software), `discrete`, `integrated`, `software`, an index
   * into `listAdapters()` or a part of the device name. Default: environment variable `PLINTH_ADAPTER`, else `auto`.
   */
  adapter?: string | number;
}

interface FoundAdapter {
  adapter: GPUAdapter;
  facts: AdapterFacts;
}

/** All adapters that this process can reach now, with their facts. */
async function find(flags: readonly string[]): Promise<FoundAdapter[]> {
  const found = await enumerateAdapters(flags);
  const devices = vulkanDevices();
  return found.map(({ adapter, name, backend }, index) => {
    const device = backend === 'vulkan' ? devices.find((d) => d.name === name) : undefined;
    return { adapter, facts: describe(adapter, name, backend, index, device) };
  });
}

const VULKAN_KINDS: Record<VulkanDevice['type'], AdapterKind | undefined> = {
  cpu: 'software',
  discrete: 'discrete',
  integrated: 'integrated',
  virtual: 'discrete', // a share of a card that a hypervisor passes through
  other: undefined,
};

function describe(
  adapter: GPUAdapter,
  name: string,
  backend: string,
  index: number,
  vulkan: VulkanDevice | undefined,
): AdapterFacts {
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
  const fromNames = isFallbackAdapter ? 'software' : kindFromNames({ vendor, architecture, device: name, description });
  const limits: Record<string, number> = {};
  for (const key in adapter.limits) {
    const value = (adapter.limits as unknown as Record<string, unknown>)[key];
    if (typeof value === 'number') limits[key] = value;
  }
  return {
    index,
    kind: (vulkan && VULKAN_KINDS[vulkan.type]) ?? fromNames,
    vendor: vendor || 'unknown',
    architecture,
    device: name,
    description,
    backend,
    features: [...adapter.features].sort(),
    limits,
    memory: vulkan?.memory,
  };
}

/**
 * All adapters that this process can reach. Where none is found and Plinth's own software driver is installed, that
 * driver is loaded into the process first.
 */
export async function listAdapters(): Promise<AdapterFacts[]> {
  return (await findWithDriver()).map((f) => f.facts);
}

async function findWithDriver(wanted = 'auto', flags: readonly string[] = []): Promise<FoundAdapter[]> {
  const installed = process.platform === 'linux' && installedSoftwareDriver() !== undefined;
  // Without a loader there cannot be a driver either, and asking for one would only make noise.
  if (installed && !hasVulkanLoader() && preloadSoftwareDriver()) forgetInstances();
  let found = await find(flags);
  const missing = found.length === 0 || (wanted === 'software' && !found.some((f) => f.facts.kind === 'software'));
  if (missing && installed && preloadSoftwareDriver()) {
    forgetInstances();
    found = await find(flags);
  }
  return found;
}

/**
 * Chooses an adapter. Throws `GPU_NO_ADAPTER` where there is none, `GPU_ADAPTER_NOT_MATCHED` where none fits the
 * choice.
 * @param flags further flags for Dawn
 */
export async function chooseAdapter(choice: AdapterChoice = {}, flags: readonly string[] = []): Promise<FoundAdapter> {
  const wanted = String(choice.adapter ?? (process.env.PLINTH_ADAPTER || 'auto'));
  const found = await findWithDriver(wanted, flags);
  if (found.length === 0) {
    throw new PlinthError('GPU_NO_ADAPTER', {
      found: 'No WebGPU adapter answered on this machine',
      expected: 'a GPU with a Vulkan 1.1, Metal or Direct3D 12 driver, or the software driver (Mesa 24 or newer)',
      remedy: remedy`Run ${command('doctor --fix')}: it sets up a software driver without root, or prints the command for your system`,
    });
  }
  const match = matchAdapter(
    wanted,
    found.map((f) => f.facts),
  );
  if (!match) {
    throw new PlinthError('GPU_ADAPTER_NOT_MATCHED', {
      found:
        `No adapter matches "${wanted}"; this machine has ` +
        `${found.map((f) => `${f.facts.index}: ${f.facts.device} (${f.facts.kind})`).join(', ')}`,
      expected: '`auto`, `discrete`, `integrated`, `software`, an index or a part of a device name',
      remedy: remedy`Choose one of those with ${option('adapter')} or the variable PLINTH_ADAPTER`,
    });
  }
  return found.find((f) => f.facts === match)!;
}

const ORDER: AdapterKind[] = ['discrete', 'integrated', 'unknown', 'software'];

/**
 * The adapter that a choice means: `auto` takes the fastest kind, then the one with the most memory, then the first.
 */
export function matchAdapter(wanted: string, adapters: readonly AdapterFacts[]): AdapterFacts | undefined {
  const sorted = [...adapters].sort(
    (a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || (b.memory ?? 0) - (a.memory ?? 0) || a.index - b.index,
  );
  const name = wanted.trim().toLowerCase();
  if (name === 'auto') return sorted[0];
  if (/^\d+$/.test(name)) return adapters.find((a) => a.index === Number(name));
  return (
    sorted.find((a) => a.kind === name) ??
    (ORDER.includes(name as AdapterKind) ? undefined : sorted.find((a) => a.device.toLowerCase().includes(name)))
  );
}
