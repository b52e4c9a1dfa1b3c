import type { Batch } from '../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../gpu/runtime/kernel.js';

const layerNorm = defineKernel({
  name: 'layer-norm',
  shader: new URL('./norms.wgsl', import.meta.url),
  entryPoint: 'layerNorm',
  bindings: { params: 'uniform', x: 'read', scale: 'read', shift: 'read', result: 'read_write' },
  uniforms: {
    rows: 'u32',
    columns: 'u32',
    eps: 'f32',
    activation: 'u32',
    kind: 'u32',
    scaleColumn: 'u32',
    shiftColumn: 'u32',
  },
});

/** See `Ops.layerNorm`. Scale and shift are weight and bias of an affine norm, or a modulation's. */
export interface DeviceLayerNorm {
  x: GPUBufferBinding;
  rows: number;
  columns: number;
  eps: number;
  kind: 'plain' | 'affine' | 'modulated';
  scale?: { buffer: GPUBuffer; column: number };
  shift?: { buffer: GPUBuffer; column: number };
  activation: number;
  result: GPUBufferBinding;
}

const KINDS = ['plain', 'affine', 'modulated'];

/** Rows of a workgroup that sums. */
const BLOCK = 64;

/** Records a layer norm, one workgroup a row. */
export function recordLayerNorm(batch: Batch, norm: DeviceLayerNorm): void {
  const { x, rows, columns, eps, kind, scale, shift, activation, result } = norm;
  const args = { x, scale: scale?.buffer ?? x, shift: shift?.buffer ?? x, result };
  const values = {
    rows,
    columns,
    eps,
    activation,
    kind: KINDS.indexOf(kind),
    scaleColumn: scale?.column ?? 0,
    shiftColumn: shift?.column ?? 0,
  };
  layerNorm.dispatch(batch, args, values, linear(rows, 1));
}

const define = (entryPoint: string) =>
  defineKernel({
    name: `group-norm-${entryPoint}`,
    shader: new URL('./groupNorm.wgsl', import.meta.url),
    entryPoint,
    bindings: { params: 'uniform', x: 'read', weight: 'read', bias: 'read', sums: 'read_write', result: 'read_write' },
    uniforms: {
      rows: 'u32',
      columns: 'u32',
      groups: 'u32',
      blocks: 'u32',
      firstBlock: 'u32',
      allRows: 'u32',
      eps: 'f32',
      activation: 'u32',
      squares: 'u32',
    },
  });
const [sumBlocks, finish, apply] = ['sumBlocks', 'finish', 'apply'].map(define);

/** See `Ops.groupNorm`. */
export interface DeviceGroupNorm {
  /** Runs of rows, each beginning at a multiple of 64. */
  parts: readonly { x: GPUBufferBinding; result: GPUBufferBinding; first: number; count: number }[];
  rows: number;
  columns: number;
  groups: number;
  eps: number;
  weight: GPUBuffer;
  bias: GPUBuffer;
  activation: number;
}

/** Records a group norm: two sums over all rows, then the result. */
export function recordGroupNorm(batch: Batch, norm: DeviceGroupNorm): void {
  const { parts, rows, columns, groups, eps, weight, bias, activation } = norm;
  const blocks = Math.ceil(rows / BLOCK);
  const sums = batch.scratch((blocks + 2) * groups * 4, 'group-norm');
  const common = { allRows: rows, columns, groups, blocks, eps, activation };
  const dispatch = (kernel: typeof apply, squares: number, dispatched: 'blocks' | 'groups' | 'numbers') => {
    for (const { x, result, first, count } of dispatched === 'groups' ? parts.slice(0, 1) : parts) {
      const values = { ...common, rows: count, firstBlock: first / BLOCK, squares };
      const workgroups = {
        blocks: [Math.ceil(count / BLOCK), groups] as [number, number],
        groups: [groups] as [number],
        numbers: linear(count * columns, 64),
      }[dispatched];
      kernel.dispatch(batch, { x, weight, bias, sums, result }, values, workgroups);
    }
  };
  for (const squares of [0, 1]) {
    dispatch(sumBlocks, squares, 'blocks');
    dispatch(finish, squares, 'groups');
  }
  dispatch(apply, 0, 'numbers');
}
