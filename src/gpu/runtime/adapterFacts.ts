/** What an adapter is; `software` computes on the CPU. */
export type AdapterKind = 'discrete' | 'integrated' | 'software' | 'unknown';

/** What is known about a WebGPU adapter. */
export interface AdapterFacts {
  /** Position in `listAdapters()`. */
  index: number;
  kind: AdapterKind;
  /** Lower-case vendor, such as `nvidia`, `amd`, `intel`, `apple`, `mesa`; `unknown` where the driver does not say. */
  vendor: string;
  architecture: string;
  /** Device name, such as "NVIDIA L4" or "llvmpipe (LLVM 19.1.7, 256 bits)". */
  device: string;
  /** Driver description. */
  description: string;
  /** `vulkan`, `metal`, `d3d12`. */
  backend: string;
  features: string[];
  limits: Record<string, number>;
  /**
   * Bytes of device-local memory, where the driver says. A software or integrated adapter names a share of the system's
   * memory.
   */
  memory?: number;
}
