import { PlinthError } from '../../core/errors.js';
import type { Batch } from '../runtime/batch.js';
import { defineKernel } from '../runtime/kernel.js';
import { pages } from '../runtime/pages.js';
import { recordScan } from './scan.js';

/** Flags that one workgroup handles. */
const BLOCK = 1024;

const shader = new URL('./compact.wgsl', import.meta.url);
const uniforms = { count: 'u32', firstBlock: 'u32', capacity: 'u32' } as const;
const countFlags = defineKernel({
  name: 'compact-count',
  shader,
  entryPoint: 'countFlags',
  bindings: { params: 'uniform', flags: 'read', offsets: 'read_write' },
  uniforms,
});
const writeIndices = defineKernel({
  name: 'compact-write',
  shader,
  entryPoint: 'writeIndices',
  bindings: { params: 'uniform', flags: 'read', offsets: 'read_write', indices: 'read_write' },
  uniforms,
});

export interface CompactOutput {
  /** Receives the indices of the set flags as u32, ascending. Indices beyond its size are dropped. */
  indices: GPUBuffer;
  /** Receives the number of set flags as one u32, also where `indices` is too small for them. */
  total: GPUBuffer;
  /** Byte offset in `total`, a multiple of 4. Default 0. */
  totalOffset?: number;
}

/**
 * Records the compaction of the first `count` u32 of `flags`: which of them are not zero. The number of them stays on the GPU, so that
 * later work in the same batch can use it.
 * @throws `GPU_LIMIT_TOO_LOW` where `indices` is larger than one storage binding.
 */
export function recordCompact(batch: Batch, flags: GPUBuffer, count: number, output: CompactOutput): void {
  const { gpu } = batch;
  const { indices, total, totalOffset = 0 } = output;
  if (count === 0) {
    batch.clear(total, totalOffset, 4);
    return;
  }
  const size = Math.min(indices.size, count * 4);
  if (size > gpu.limits.maxStorageBufferBindingSize) {
    throw new PlinthError('GPU_LIMIT_TOO_LOW', {
      found: `The indices of ${count} flags need a binding of ${size} bytes; the device allows ${gpu.limits.maxStorageBufferBindingSize}`,
      remedy: 'Use a smaller preset or resolution',
    });
  }
  const blocks = Math.ceil(count / BLOCK);
  const offsets = batch.scratch(blocks * 4, 'compact offsets');
  const each = pages(gpu, flags, count, BLOCK).map((page) => ({
    page,
    values: { count: page.count, firstBlock: page.firstBlock, capacity: size / 4 },
  }));
  for (const { page, values } of each)
    countFlags.dispatch(batch, { flags: page.binding, offsets }, values, [page.blocks]);
  recordScan(batch, offsets, blocks, { total, totalOffset });
  for (const { page, values } of each) {
    const args = { flags: page.binding, offsets, indices: { buffer: indices, size } };
    writeIndices.dispatch(batch, args, values, [page.blocks]);
  }
}
