import type { GpuResources } from './resources.js';

/** A run of whole blocks of an array of u32 or f32 that fits one storage binding and one dispatch along x. */
export interface Page {
  binding: GPUBufferBinding;
  /** Items in the page. */
  count: number;
  /** Blocks in the page; the last may be partial. */
  blocks: number;
  /** Number of its first block within the whole array. */
  firstBlock: number;
}

/**
 * Splits the first `count` items (4 bytes each) of `buffer` into pages of whole blocks of `block` items (a multiple of
 * 64, so that every page starts at an offset that a binding may have).
 */
export function pages(gpu: GpuResources, buffer: GPUBuffer, count: number, block: number): Page[] {
  const blocksPerPage = Math.min(65535, Math.floor(gpu.limits.maxStorageBufferBindingSize / 4 / block));
  const result: Page[] = [];
  for (let first = 0; first < count; first += blocksPerPage * block) {
    const items = Math.min(count - first, blocksPerPage * block);
    result.push({
      binding: { buffer, offset: first * 4, size: items * 4 },
      count: items,
      blocks: Math.ceil(items / block),
      firstBlock: first / block,
    });
  }
  return result;
}
