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
      offset: 'u32',
      firstRow: 'u32',
      rows: 'u32',
      fromColumns: 'u32',
      fromColumn: 'u32',
      placed: 'u32',
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
  offset?: number;
  firstRow?: number;
  rows?: number;
  fromColumns?: number;
  fromColumn?: number;
  placed?: number;
  toColumn?: number;
  size?: readonly number[];
}

/** Records one of the operations that move numbers about. */
export function recordRows(batch: Batch, work: RowWork): void {
  const { operation, x, y = x, first, list, result, count, columns } = work;
  const { activation = 0, period = 1, offset = 0, firstRow = 0, rows = 0, size = [1, 1, 1] } = work;
  const { fromColumns = 1, fromColumn = 0, placed = 1, toColumn = 0 } = work;
  const args = { x, y, first: first ?? x, list: list ?? x, result };
  const added = { period, offset };
  const place = { firstRow, rows, fromColumns, fromColumn, placed, toColumn, size };
  const values = { count, columns, activation, ...added, ...place };
  kernels[operation].dispatch(batch, args, values, linear(count, 64));
}
