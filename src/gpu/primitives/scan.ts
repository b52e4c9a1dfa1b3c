import type { Batch } from '../runtime/batch.js';
import { defineKernel } from '../runtime/kernel.js';
import { pages } from '../runtime/pages.js';

/** Items that one workgroup scans. */
const BLOCK = 1024;

const definition = {
  shader: new URL('./scan.wgsl', import.meta.url),
  bindings: { params: 'uniform', data: 'read_write', sums: 'read_write' },
  uniforms: { count: 'u32', firstBlock: 'u32', inclusive: 'u32', top: 'u32' },
} as const;
const blockSums = defineKernel({ ...definition, name: 'scan-block-sums', entryPoint: 'blockSums' });
const scanBlocks = defineKernel({ ...definition, name: 'scan-blocks', entryPoint: 'scanBlocks' });

export interface ScanOptions {
  /** Each item includes itself: `[1, 2, 3] → [1, 3, 6]`. Default false: `[0, 1, 3]`. */
  inclusive?: boolean;
  /** Receives the sum of all items as one u32. */
  total?: GPUBuffer;
  /** Byte offset in `total`, a multiple of 4. Default 0. */
  totalOffset?: number;
}

/**
 * Records a prefix sum of the first `count` u32 of `buffer`, in place. Sums wrap modulo 2³². Any length, also above
 * what one binding may hold.
 */
export function recordScan(batch: Batch, buffer: GPUBuffer, count: number, options: ScanOptions = {}): void {
  const { gpu } = batch;
  const { inclusive = false, total, totalOffset = 0 } = options;
  if (count === 0) {
    if (total) batch.clear(total, totalOffset, 4);
    return;
  }
  const blocks = Math.ceil(count / BLOCK);
  const top = blocks === 1;
  const sums = batch.scratch(blocks * 4, 'scan sums');
  const uniforms = { inclusive: inclusive ? 1 : 0, top: top ? 1 : 0 };
  if (!top) {
    for (const page of pages(gpu, buffer, count, BLOCK)) {
      const values = { ...uniforms, count: page.count, firstBlock: page.firstBlock };
      blockSums.dispatch(batch, { data: page.binding, sums }, values, [page.blocks]);
    }
    recordScan(batch, sums, blocks, { total, totalOffset });
  }
  for (const page of pages(gpu, buffer, count, BLOCK)) {
    const values = { ...uniforms, count: page.count, firstBlock: page.firstBlock };
    scanBlocks.dispatch(batch, { data: page.binding, sums }, values, [page.blocks]);
  }
  if (top && total) batch.copy(sums, 0, total, totalOffset, 4);
}
