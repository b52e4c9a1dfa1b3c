import { PlinthError } from '../../core/errors.js';
import type { Batch } from '../runtime/batch.js';
import { defineKernel, linear } from '../runtime/kernel.js';
import { recordScan } from './scan.js';

/** Keys that one workgroup ranks. */
const BLOCK = 1024;
const DIGIT_BITS = 4;

const shader = new URL('./radixSort.wgsl', import.meta.url);
const uniforms = { count: 'u32', blocks: 'u32', shift: 'u32' } as const;
const histogram = defineKernel({
  name: 'radix-sort-histogram',
  shader,
  entryPoint: 'histogram',
  bindings: { params: 'uniform', keys: 'read', table: 'read_write' },
  uniforms,
});
const scatterKeys = defineKernel({
  name: 'radix-sort-keys',
  shader,
  entryPoint: 'scatterKeys',
  bindings: { params: 'uniform', keys: 'read', table: 'read_write', sortedKeys: 'read_write' },
  uniforms,
});
const scatterPairs = defineKernel({
  name: 'radix-sort-pairs',
  shader,
  entryPoint: 'scatterPairs',
  bindings: {
    params: 'uniform',
    keys: 'read',
    table: 'read_write',
    sortedKeys: 'read_write',
    values: 'read',
    sortedValues: 'read_write',
  },
  uniforms,
});

export interface RadixSortOptions {
  /** One u32 per key that moves with it, such as an index. */
  values?: GPUBuffer;
  /**
   * The lowest bits of the keys that differ, 1…32; the others are not looked at. Fewer bits sort faster. Default 32.
   */
  bits?: number;
}

/**
 * Records an ascending, stable sort of the first `count` u32 of `keys`, in place, together with `values`.
 * @throws `GPU_LIMIT_TOO_LOW` for more keys than one storage binding holds.
 */
export function recordRadixSort(batch: Batch, keys: GPUBuffer, count: number, options: RadixSortOptions = {}): void {
  const { gpu } = batch;
  const { values, bits = 32 } = options;
  if (!(bits >= 1 && bits <= 32)) throw new RangeError(`bits is ${bits}, not 1…32`);
  if (count <= 1) return;
  if (count * 4 > gpu.limits.maxStorageBufferBindingSize) {
    throw new PlinthError('GPU_LIMIT_TOO_LOW', {
      found:
        `${count} keys to sort need a binding of ${count * 4} bytes; the device allows ` +
        `${gpu.limits.maxStorageBufferBindingSize}`,
      remedy: 'Use a smaller preset or resolution',
    });
  }
  const blocks = Math.ceil(count / BLOCK);
  const size = count * 4;
  const bind = (buffer: GPUBuffer): GPUBufferBinding => ({ buffer, size });
  const table = batch.scratch(blocks * (1 << DIGIT_BITS) * 4, 'radix sort table');
  let from = { keys, values };
  let to = {
    keys: batch.scratch(size, 'radix sort keys'),
    values: values && batch.scratch(size, 'radix sort values'),
  };
  for (let shift = 0; shift < bits; shift += DIGIT_BITS) {
    const params = { count, blocks, shift };
    const groups = linear(blocks, 1);
    histogram.dispatch(batch, { keys: bind(from.keys), table }, params, groups);
    recordScan(batch, table, blocks * (1 << DIGIT_BITS));
    const args = { keys: bind(from.keys), table, sortedKeys: bind(to.keys) };
    if (from.values && to.values) {
      const pairs = { ...args, values: bind(from.values), sortedValues: bind(to.values) };
      scatterPairs.dispatch(batch, pairs, params, groups);
    } else {
      scatterKeys.dispatch(batch, args, params, groups);
    }
    [from, to] = [to, from];
  }
  if (from.keys !== keys) {
    batch.copy(from.keys, 0, keys, 0, size);
    if (from.values && values) batch.copy(from.values, 0, values, 0, size);
  }
}
