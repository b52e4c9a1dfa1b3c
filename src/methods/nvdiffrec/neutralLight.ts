import type { Batch } from '../../gpu/batch.js';
import type { Gpu } from '../../gpu/gpu.js';
import { defineKernel, linear } from '../../gpu/kernel.js';
import type { DiffLight } from '../../render/diff/index.js';

const kernel = defineKernel({
  name: 'neutral light',
  shader: new URL('./neutralLight.wgsl', import.meta.url),
  bindings: { params: 'uniform', parameters: 'read_write' },
  uniforms: { texels: 'u32', share: 'f32' },
});

/**
 * Records a pull of the light towards grey: its colour (differences between the logarithms of red, green and blue) shrinks by `share`,
 * 0…1. A decay apart from Adam, which would undo any weight of a loss term (Loshchilov & Hutter 2019): it acts the more, the less
 * the pictures say.
 */
export function recordNeutralLight(batch: Batch, gpu: Gpu, light: DiffLight, share: number): void {
  const texels = 6 * light.size ** 2;
  kernel.dispatch(batch, gpu, { parameters: light.parameters }, { texels, share }, linear(texels, 64));
}
