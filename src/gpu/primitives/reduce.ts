import type { Batch } from '../runtime/batch.js';
import { defineKernel } from '../runtime/kernel.js';
import { pages } from '../runtime/pages.js';

/** Items that one workgroup reduces to one. */
const BLOCK = 1024;

export type ReduceType = 'u32' | 'i32' | 'f32';
export type ReduceOperation = 'sum' | 'min' | 'max';

/** Bits of the result of reducing nothing. */
const IDENTITY: Record<ReduceOperation, Record<ReduceType, number>> = {
  sum: { u32: 0, i32: 0, f32: 0 },
  min: { u32: 0xffffffff, i32: 0x7fffffff, f32: 0x7f800000 },
  max: { u32: 0, i32: 0x80000000, f32: 0xff800000 },
};

const TYPES: ReduceType[] = ['u32', 'i32', 'f32'];
const OPERATIONS: ReduceOperation[] = ['sum', 'min', 'max'];
const define = (type: ReduceType, operation: ReduceOperation) =>
  defineKernel({
    name: `reduce-${operation}-${type}`,
    shader: new URL('./reduce.wgsl', import.meta.url),
    bindings: { params: 'uniform', data: 'read', result: 'read_write' },
    uniforms: { count: 'u32', firstBlock: 'u32', identity: 'u32' },
    constants: { TYPE: TYPES.indexOf(type), OPERATION: OPERATIONS.indexOf(operation) },
  });
const variants = new Map(TYPES.flatMap((t) => OPERATIONS.map((o) => [`${o} ${t}`, define(t, o)] as const)));

export interface ReduceOptions {
  operation: ReduceOperation;
  /** Type of the items and of the result. Default `f32`. */
  type?: ReduceType;
  /** Receives the result, 4 bytes. */
  result: GPUBuffer;
  /** Byte offset in `result`, a multiple of 4. Default 0. */
  resultOffset?: number;
}

/**
 * Records a reduction of the first `count` items of `buffer`, which is left as it is. Integer sums wrap modulo 2³²; f32
 * sums are added in a fixed order, in runs of 16, 8 and 8, so the same input gives the same bytes. Nothing reduces to
 * 0 (sum), the greatest value or +∞ (min), the least value or −∞ (max). With NaN among the items the result is
 * unspecified.
 */
export function recordReduce(batch: Batch, buffer: GPUBuffer, count: number, options: ReduceOptions): void {
  const { gpu } = batch;
  const { operation, type = 'f32', result, resultOffset = 0 } = options;
  const kernel = variants.get(`${operation} ${type}`);
  if (!kernel) throw new RangeError(`no reduction "${operation} ${type}"`);
  const identity = IDENTITY[operation][type];
  let from = buffer;
  let left = count;
  do {
    const blocks = Math.max(1, Math.ceil(left / BLOCK));
    const to = batch.scratch(blocks * 4, 'reduce');
    const parts =
      left > 0
        ? pages(gpu, from, left, BLOCK)
        : [{ binding: { buffer: from, size: 4 }, count: 0, blocks: 1, firstBlock: 0 }];
    for (const part of parts) {
      const values = { count: part.count, firstBlock: part.firstBlock, identity };
      kernel.dispatch(batch, { data: part.binding, result: to }, values, [part.blocks]);
    }
    from = to;
    left = blocks;
  } while (left > 1);
  batch.copy(from, 0, result, resultOffset, 4);
}
