import { PlinthError } from '../../core/errors.js';
import { quietStderr } from './quietStderr.js';

// The native part is missing for some systems; a library that is only imported should not fail for that.
const dawn = await import('webgpu').catch((error: Error) => error);
if (!(dawn instanceof Error)) Object.assign(globalThis, dawn.globals);

/**
 * One per set of flags, kept for good: collected objects of `create()` abort the process while anything of theirs is in
 * use. Made anew after a driver was loaded into the process, since an instance looks for drivers once.
 */
const instances = new Map<string, GPU>();
const discarded: GPU[] = [];

const BACKENDS = ['vulkan', 'metal', 'd3d12'];

export interface EnumeratedAdapter {
  adapter: GPUAdapter;
  /** The driver's name for the device. */
  name: string;
  /** `vulkan`, `metal` or `d3d12`. */
  backend: string;
}

function instance(flags: readonly string[]): GPU {
  const key = flags.join(' ');
  let gpu = instances.get(key);
  if (!gpu) {
    if (dawn instanceof Error) {
      throw new PlinthError('GPU_NO_ADAPTER', {
        found:
          `The WebGPU runtime does not load on ${process.platform}-${process.arch}: ` +
          `${dawn.message.split('\n')[0]}`,
        expected: 'Linux with glibc 2.34 or newer on x64 or arm64, macOS or Windows',
        remedy: 'Use such a system or the container image, and install the packages there with npm',
        cause: dawn,
      });
    }
    const { create } = dawn;
    gpu = quietStderr(() => create([...flags]));
    instances.set(key, gpu);
  }
  return gpu;
}

/** Makes the next enumeration look for drivers again. */
export function forgetInstances(): void {
  discarded.push(...instances.values());
  instances.clear();
}

/** Asks quietly. Dawn answers within the call, so that noise on the standard error is caught. */
async function request(gpu: GPU, options?: GPURequestAdapterOptions): Promise<GPUAdapter | undefined> {
  return (await quietStderr(() => gpu.requestAdapter(options))) ?? undefined;
}

/**
 * Every adapter of the machine. WebGPU itself offers one at a time, by preference; dawn.node also lists them by name
 * when it is asked for one that does not exist. Of several devices with the same name one is listed.
 * @param flags further flags for Dawn
 */
export async function enumerateAdapters(flags: readonly string[] = []): Promise<EnumeratedAdapter[]> {
  const found: EnumeratedAdapter[] = [];
  for (const { backend, name } of await adapterNames()) {
    const adapter = await request(instance([`backend=${backend}`, `adapter=${name}`, ...flags])).catch(() => undefined);
    if (adapter) found.push({ adapter, name, backend });
  }
  if (found.length > 0) return found;
  const gpu = instance(flags);
  const backend = process.platform === 'darwin' ? 'metal' : process.platform === 'win32' ? 'd3d12' : 'vulkan';
  const requests: GPURequestAdapterOptions[] = [
    { powerPreference: 'high-performance' },
    { powerPreference: 'low-power' },
    { forceFallbackAdapter: true },
  ];
  for (const options of requests) {
    const adapter = await request(gpu, options);
    const name = adapter && (adapter.info.device || adapter.info.description || 'unknown');
    if (name && !found.some((f) => f.name === name)) found.push({ adapter, name, backend });
  }
  return found;
}

async function adapterNames(): Promise<{ backend: string; name: string }[]> {
  try {
    await request(instance(['adapter=(none of them)']));
    return [];
  } catch (error) {
    if (error instanceof PlinthError) throw error;
    return parseAdapterList((error as Error).message);
  }
}

/**
 * Reads dawn.node's list, such as ` * backend: 'vulkan', name: 'llvmpipe (LLVM 15.0.6, 256 bits)'`, without
 * repetitions.
 */
export function parseAdapterList(message: string): { backend: string; name: string }[] {
  const all = [...message.matchAll(/backend: '([^']*)', name: '(.*)'$/gm)].map(([, backend, name]) => ({
    backend,
    name,
  }));
  return all.filter(
    (a, i) => BACKENDS.includes(a.backend) && all.findIndex((b) => b.backend === a.backend && b.name === a.name) === i,
  );
}
