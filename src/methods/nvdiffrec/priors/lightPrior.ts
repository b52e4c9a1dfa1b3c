import type { Batch } from '../../../gpu/runtime/batch.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import type { DiffLight } from '../../../render/diff/types.js';

const shader = new URL('./lightPrior.wgsl', import.meta.url);
const bindings = { params: 'uniform', parameters: 'read_write', before: 'read_write' } as const;
const uniforms = { size: 'u32', neutral: 'f32', smoothShare: 'f32' } as const;
const keep = defineKernel({ name: 'light prior keep', shader, entryPoint: 'keep', bindings, uniforms });
const pull = defineKernel({ name: 'light prior pull', shader, entryPoint: 'pull', bindings, uniforms });

/** A copy of the light's parameters as they were before the pull: its neighbours are read there. */
export const createLightCopy = (gpu: Gpu, light: DiffLight): GPUBuffer =>
  gpu.createBuffer(6 * light.size ** 2 * 12, 'light before the pull');

/**
 * Records a pull of the light towards what lights are usually like. It acts apart from Adam, which would undo any
 * weight of a loss term (Loshchilov & Hutter 2019), and so the more, the less the pictures say.
 * - `neutral`, 0…1: the share by which its colour (differences between the logarithms of red, green and blue) shrinks.
 * - `smooth`, 0…1: the share by which the logarithm of a texel goes to the mean of its four neighbours: what no picture
 * shows is like what lies around.
 */
export function recordLightPrior(
  batch: Batch,
  light: DiffLight,
  copy: GPUBuffer,
  shares: { neutral: number; smooth: number },
): void {
  const texels = 6 * light.size ** 2;
  const buffers = { parameters: light.parameters, before: copy };
  const values = { size: light.size, neutral: shares.neutral, smoothShare: shares.smooth };
  keep.dispatch(batch, buffers, values, linear(texels * 3, 64));
  pull.dispatch(batch, buffers, values, linear(texels, 64));
}
