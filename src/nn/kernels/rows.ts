import type { Batch } from '../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../gpu/runtime/kernel.js';

const define = (entryPoint: string) =>
  defineKernel({
    name: `rows-${entryPoint}`,
    shader: new URL('./rows.wgsl', import.meta.url),
    entryPoint,
    bindings: { params: 'uniform', x: 'read', y: 'read', first: 'read', list: 'read', result: 'read_write' },
    uniforms: {
      count: 'u32',
      columns: 'u32',
      activation: 'u32',
      period: 'u32',
      fromColumns: 'u32',
      toColumn: 'u32',
      size: 'vec3u',
    },
  });
const kernels = {
  activate: define('activateAll'),
  add: define('add'),
  gather: define('gather'),
  placeColumns: define('placeColumns'),
  pool: define('pool'),
  pixelShuffle: define('pixelShuffle'),
};

/** Which operation, what it reads, and how many numbers it writes; the rest as its comment in `rows.wgsl` says. */
export interface RowWork {
  operation: keyof typeof kernels;
  x: GPUBufferBinding;
  y?: GPUBufferBinding;
  first?: GPUBuffer;
  list?: GPUBufferBinding;
  result: GPUBufferBinding;
  count: number;
  columns: number;
  activation?: number;
  period?: number;
  fromColumns?: number;
  toColumn?: number;
  size?: readonly number[];
}

/** Records one of the operations that move numbers about. */
export function recordRows(batch: Batch, work: RowWork): void {
  const { operation, x, y = x, first, list, result, count, columns } = work;
  const { activation = 0, period = 1, fromColumns = 1, toColumn = 0, size = [1, 1, 1] } = work;
  const args = { x, y, first: first ?? x, list: list ?? x, result };
  const values = { count, columns, activation, period, fromColumns, toColumn, size };
  kernels[operation].dispatch(batch, args, values, linear(count, 64));
}
