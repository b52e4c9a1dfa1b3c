/**
 * A device that computes nothing: it holds what is recorded against the limits that WebGPU promises everywhere, so that
 * the memory of networks can be counted at sizes that no test has the time to run.
 */
import '../src/gpu/adapter/enumerate.js'; // gives WebGPU's constants
import { nodeHost } from '../src/gpu/adapter/nodeHost.js';
import { Gpu } from '../src/gpu/runtime/gpu.js';

const MIB = 2 ** 20;

/** Limits of every device (https://www.w3.org/TR/webgpu/#limits). */
const LIMITS = {
  maxStorageBufferBindingSize: 128 * MIB,
  maxBufferSize: 256 * MIB,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupsPerDimension: 65535,
  minStorageBufferOffsetAlignment: 256,
};

function broken(what: string): never {
  throw new RangeError(`beyond WebGPU's limits: ${what}`);
}

function buffer({ size, label }: GPUBufferDescriptor): GPUBuffer {
  if (size > LIMITS.maxBufferSize) broken(`buffer "${label}" of ${size} bytes`);
  const own = {
    size,
    label,
    destroy() {},
    mapAsync: async () => {},
    getMappedRange: () => new ArrayBuffer(size),
  };
  const properties = Object.getOwnPropertyDescriptors(own);
  return Object.create(GPUBuffer.prototype, properties) as GPUBuffer;
}

function checkBinding(type: string | undefined, resource: GPUBufferBinding, label: string | undefined): void {
  const { offset = 0, size = resource.buffer.size - offset } = resource;
  if (offset % LIMITS.minStorageBufferOffsetAlignment !== 0) broken(`${label} binds from byte ${offset} on`);
  if (offset + size > resource.buffer.size)
    broken(`${label} binds ${size} bytes from ${offset} of ${resource.buffer.size}`);
  if (type !== 'uniform' && size > LIMITS.maxStorageBufferBindingSize) broken(`${label} binds ${size} bytes`);
}

const computePass = () => ({
  setPipeline() {},
  setBindGroup() {},
  dispatchWorkgroups(...counts: number[]) {
    if (counts.some((n) => n > LIMITS.maxComputeWorkgroupsPerDimension)) broken(`${counts} workgroups`);
  },
  end() {},
});

/** The device. It has WebGPU's default limits and no optional feature. */
export function countingGpu(): Gpu {
  const device = {
    limits: LIMITS,
    features: new Set<string>(),
    lost: new Promise(() => {}),
    addEventListener() {},
    destroy() {},
    queue: { submit() {}, writeBuffer() {}, onSubmittedWorkDone: async () => {} },
    createBuffer: buffer,
    createShaderModule: () => ({}),
    createPipelineLayout: () => ({}),
    createComputePipeline: () => ({}),
    createBindGroupLayout({ label, entries }: { label?: string; entries: GPUBindGroupLayoutEntry[] }) {
      const types = [...entries].map((entry) => entry.buffer?.type);
      const storage = types.filter((type) => type !== 'uniform').length;
      if (storage > LIMITS.maxStorageBuffersPerShaderStage) broken(`${label} has ${storage} storage buffers`);
      return { types };
    },
    createBindGroup({ label, layout, entries }: GPUBindGroupDescriptor) {
      const { types } = layout as unknown as { types: (string | undefined)[] };
      for (const { binding, resource } of [...entries]) {
        const bound = resource instanceof GPUBuffer ? { buffer: resource } : (resource as GPUBufferBinding);
        checkBinding(types[binding], bound, label);
      }
      return {};
    },
    createCommandEncoder: () => ({
      beginComputePass: computePass,
      copyBufferToBuffer() {},
      clearBuffer() {},
      finish: () => ({}),
    }),
  };
  const facts = {
    ...{ index: 0, kind: 'unknown' as const, vendor: 'none', architecture: '', device: 'counting', description: '' },
    ...{ backend: 'none', features: [], limits: {} },
  };
  return new Gpu(device as unknown as GPUDevice, facts, nodeHost);
}
