import type { Batch } from '../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../gpu/runtime/kernel.js';

const define = (entryPoint: string) =>
  defineKernel({
    name: `heads-${entryPoint}`,
    shader: new URL('./heads.wgsl', import.meta.url),
    entryPoint,
    bindings: { params: 'uniform', weight: 'read', bias: 'read', positions: 'read', x: 'read_write' },
    uniforms: { rows: 'u32', stride: 'u32', column: 'u32', heads: 'u32', size: 'u32', eps: 'f32', base: 'f32' },
  });
const [rms, layerNorm, rope] = ['rms', 'layerNorm', 'rope2d'].map(define);

/** Heads in the columns of a tensor on the device. */
export interface DeviceHeads {
  x: GPUBufferBinding;
  rows: number;
  /** Columns of the tensor. */
  stride: number;
  /** First column of the first head. */
  column: number;
  heads: number;
  size: number;
}

/** See `Ops.headRms`. */
export function recordHeadRms(batch: Batch, { x, ...place }: DeviceHeads, gamma: GPUBuffer): void {
  const args = { x, weight: gamma, bias: gamma, positions: gamma };
  rms.dispatch(batch, args, { ...place, eps: 0, base: 0 }, linear(place.rows * place.heads, 64));
}

/** See `Ops.headLayerNorm`. */
export function recordHeadLayerNorm(
  batch: Batch,
  { x, ...place }: DeviceHeads,
  eps: number,
  affine: { weight: GPUBuffer; bias: GPUBuffer },
): void {
  const args = { x, ...affine, positions: affine.weight };
  layerNorm.dispatch(batch, args, { ...place, eps, base: 0 }, linear(place.rows * place.heads, 64));
}

/** See `Ops.rope2d`. `positions` holds y and x of each row. */
export function recordRope2d(
  batch: Batch,
  { x, ...place }: DeviceHeads,
  positions: GPUBufferBinding,
  base: number,
): void {
  const args = { x, weight: positions, bias: positions, positions };
  rope.dispatch(batch, args, { ...place, eps: 0, base }, linear((place.rows * place.heads * place.size) / 2, 64));
}
