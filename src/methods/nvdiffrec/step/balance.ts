import type { Batch } from '../../../gpu/runtime/batch.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import type { DiffLight, DiffMaterial, Gradients } from '../../../render/diff/types.js';

const GROUPS = 64;
const shader = new URL('./balance.wgsl', import.meta.url);
const uniforms = { texels: 'u32', lightTexels: 'u32', scale: 'f32', rate: 'f32' } as const;

const sum = defineKernel({
  name: 'balance sum',
  shader,
  entryPoint: 'sum',
  bindings: {
    params: 'uniform',
    texels: 'read_write',
    light: 'read_write',
    state: 'read_write',
    texelGradients: 'read',
    lightGradient: 'read',
  },
  uniforms,
});

const step = defineKernel({
  name: 'balance step',
  shader,
  entryPoint: 'step',
  bindings: { params: 'uniform', texels: 'read_write', light: 'read_write', state: 'read_write' },
  uniforms,
});

const apply = defineKernel({
  name: 'balance apply',
  shader,
  entryPoint: 'apply',
  bindings: { params: 'uniform', texels: 'read_write', light: 'read_write', state: 'read_write' },
  uniforms,
});

/** Numbers of the state that outlast a step: moments, the last step and all steps so far. */
export const BALANCE_FLOATS = 16;

/** Fresh moments. */
export const createBalance = (gpu: Gpu): GPUBuffer => gpu.createBuffer((4 + GROUPS) * 16, 'balance');

/**
 * Records one step of Adam on the one factor per channel that light and base colour share: the light is multiplied by
 * it and the base colour divided by it, on level 0: all mip levels are to be made anew after it. What is matt looks the
 * same for any such factor, so neither parameter moves along it by itself; reflections, whose strength does not depend
 * on the base colour, tell it. Comes after the gradients of texels and light and before steps that clear them.
 * @param rate of the factor's logarithm, which stays in −0.25…0.75
 */
export function recordBalance(
  batch: Batch,
  material: DiffMaterial,
  light: DiffLight,
  gradients: Gradients,
  state: GPUBuffer,
  rate: number,
): void {
  if (!gradients.light) throw new RangeError('these gradients were made for a scene without light');
  const lightTexels = 6 * light.size ** 2;
  const values = { texels: material.texelCount, lightTexels, scale: gradients.scales.texel, rate };
  const base = material.width * material.height;
  const parameters = { texels: material.texels, light: light.parameters, state };
  sum.dispatch(batch, { ...parameters, texelGradients: gradients.texels, lightGradient: gradients.light }, values, [
    GROUPS,
  ]);
  step.dispatch(batch, parameters, values, [1]);
  apply.dispatch(batch, parameters, { ...values, texels: base }, linear(Math.max(base, lightTexels), 64));
}
