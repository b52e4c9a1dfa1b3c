import { assignDefaults } from '../../../core/options.js';
import type { Batch } from '../../../gpu/runtime/batch.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import type { AdamOptions } from '../types.js';

const adam = defineKernel({
  name: 'adam',
  shader: new URL('./adam.wgsl', import.meta.url),
  bindings: { params: 'uniform', parameters: 'read_write', gradient: 'read', moments: 'read_write' },
  uniforms: {
    count: 'u32',
    scale: 'f32',
    learningRate: 'f32',
    beta1: 'f32',
    beta2: 'f32',
    epsilon: 'f32',
    correction1: 'f32',
    correction2: 'f32',
    minimum: 'f32',
    maximum: 'f32',
  },
});

/** A buffer of parameters with its gradient and the optimiser's memory. */
export interface AdamGroup {
  /** f32 [count]. */
  parameters: GPUBuffer;
  /** f32 [count], or fixed-point i32 [count] when `scale` is given. */
  gradient: GPUBuffer;
  /** f32 [count × 2], zero at the start. */
  moments: GPUBuffer;
  count: number;
  /** Units per 1.0 of a fixed-point gradient. */
  scale?: number;
  /** Parameters are kept within. Default: −3·10³⁸ … 3·10³⁸. */
  range?: readonly [number, number];
}

/** A group for a parameter buffer of `count` f32, with fresh moments. */
export function createAdamGroup(
  gpu: Gpu,
  parameters: GPUBuffer,
  gradient: GPUBuffer,
  count: number,
  rest: Pick<AdamGroup, 'scale' | 'range'> = {},
): AdamGroup {
  return { parameters, gradient, count, moments: gpu.createBuffer(count * 8, 'moments'), ...rest };
}

export const ADAM_DEFAULTS = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8 } as const;

/** Records one step of Adam on every element of the group. */
export function recordAdam(batch: Batch, group: AdamGroup, options: AdamOptions): void {
  const { beta1, beta2, epsilon, step } = assignDefaults(ADAM_DEFAULTS, options);
  adam.dispatch(
    batch,
    { parameters: group.parameters, gradient: group.gradient, moments: group.moments },
    {
      count: group.count,
      scale: group.scale ?? 0,
      learningRate: options.learningRate,
      beta1,
      beta2,
      epsilon,
      correction1: step ? 1 / (1 - beta1 ** step) : 1,
      correction2: step ? 1 / (1 - beta2 ** step) : 1,
      minimum: group.range?.[0] ?? -3e38,
      maximum: group.range?.[1] ?? 3e38,
    },
    linear(group.count, 64),
  );
}
