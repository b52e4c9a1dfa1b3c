import type { Batch } from '../../gpu/runtime/batch.js';
import { defineKernel } from '../../gpu/runtime/kernel.js';

const TILE = 64;

/** Work of one dispatch at most, in multiplications: drivers stop what holds a GPU for long. */
const MULTIPLICATIONS = 2e10;

/** How numbers of a weight are stored, by number as `gemm.wgsl` has it. */
export const WEIGHT_KINDS = { F32: 0, F16: 1, BF16: 2 } as const;

const define = (weight: number, gather: boolean, whole: boolean) =>
  defineKernel({
    name: `gemm-${['f32', 'f16', 'bf16'][weight]}${gather ? '-gather' : ''}${whole ? '' : '-odd'}`,
    shader: new URL('./gemm.wgsl', import.meta.url),
    bindings: {
      params: 'uniform',
      x: 'read',
      weight: 'read',
      bias: 'read',
      gate: 'read',
      residual: 'read',
      neighbours: 'read',
      result: 'read_write',
    },
    uniforms: {
      rows: 'u32',
      inputs: 'u32',
      outputs: 'u32',
      channels: 'u32',
      activation: 'u32',
      parts: 'u32',
      gateColumn: 'u32',
      groupRow: 'u32',
    },
    constants: { WEIGHT: weight, GATHER: Number(gather), WHOLE: Number(whole) },
  });
const variants = [0, 1, 2].map((weight) =>
  [false, true].map((gather) => [false, true].map((whole) => define(weight, gather, whole))),
);

/** A product x Wᵀ and what follows it; see `Ops.linear` and `Ops.convolution`. */
export interface Gemm {
  /** `rows` × `inputs`; with `neighbours` any number of rows of `channels`. */
  x: GPUBufferBinding;
  weight: GPUBuffer;
  weightKind: keyof typeof WEIGHT_KINDS;
  rows: number;
  inputs: number;
  outputs: number;
  neighbours?: GPUBufferBinding;
  bias?: GPUBuffer;
  gate?: { buffer: GPUBuffer; column: number };
  residual?: GPUBufferBinding;
  /** By number, as `ACTIVATIONS` has them. */
  activation: number;
  /** `rows` × `outputs`. */
  result: GPUBufferBinding;
}

/** Records a product. Sums are f32, in the order of the inputs, so the same input gives the same bytes. */
export function recordGemm(batch: Batch, gemm: Gemm): void {
  const { x, weight, weightKind, rows, inputs, outputs, neighbours, bias, gate, residual, activation, result } = gemm;
  const channels = neighbours ? inputs / 27 : inputs;
  const kernel = variants[WEIGHT_KINDS[weightKind]][neighbours ? 1 : 0][channels % 4 === 0 ? 1 : 0];
  const args = {
    x,
    weight,
    bias: bias ?? weight,
    gate: gate?.buffer ?? weight,
    residual: residual ?? weight,
    neighbours: neighbours ?? weight,
    result,
  };
  const parts = (bias ? 1 : 0) | (gate ? 2 : 0) | (residual ? 4 : 0);
  const groups = Math.ceil(rows / TILE);
  const step = Math.max(1, Math.floor(MULTIPLICATIONS / (TILE * inputs * outputs)));
  for (let groupRow = 0; groupRow < groups; groupRow += step) {
    const gateColumn = gate?.column ?? 0;
    const values = { rows, inputs, outputs, channels, activation, parts, gateColumn, groupRow };
    kernel.dispatch(batch, args, values, [Math.ceil(outputs / TILE), Math.min(step, groups - groupRow)]);
  }
}
