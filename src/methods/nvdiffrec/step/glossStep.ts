import type { Batch } from '../../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import { MINIMUM_ROUGHNESS } from '../../../render/diff/shade/material.js';
import type { DiffMaterial, Gradients } from '../../../render/diff/types.js';
import { CLUSTER_GROUPS, type Clusters, MAX_COLORS } from './clusters.js';

const shader = new URL('./glossStep.wgsl', import.meta.url);
const uniforms = {
  texels: 'u32',
  base: 'u32',
  colors: 'u32',
  scale: 'f32',
  roughness: 'f32',
  metallic: 'f32',
  minimumRoughness: 'f32',
} as const;
const buffers = { params: 'uniform', texels: 'read_write', clusters: 'read_write' } as const;

const sum = defineKernel({
  name: 'gloss sum',
  shader,
  entryPoint: 'sum',
  bindings: { ...buffers, texelGradients: 'read' },
  uniforms,
});
const step = defineKernel({ name: 'gloss step', shader, entryPoint: 'step', bindings: buffers, uniforms });
const apply = defineKernel({ name: 'gloss apply', shader, entryPoint: 'apply', bindings: buffers, uniforms });

/**
 * Records one step of Adam on roughness and metallic that all texels of like colour share: they move by one amount per
 * colour, against the sum of their gradients over all levels. A highlight covers few texels and asks loudly, all others
 * ask for a little of the contrary: steps of each texel by itself, all of one length, would follow the many. Level 0
 * alone is moved: all mip levels are to be made anew after it. Comes after the gradients of texels and before the step
 * that clears them.
 * @param rates steps of roughness and metallic
 */
export function recordGlossStep(
  batch: Batch,
  material: DiffMaterial,
  gradients: Pick<Gradients, 'texels' | 'scales'>,
  clusters: Clusters,
  rates: { roughness: number; metallic: number },
): void {
  const base = material.width * material.height;
  const bound = { texels: material.texels, clusters: clusters.buffer };
  const values = {
    texels: material.texelCount,
    base,
    scale: gradients.scales.texel,
    ...rates,
    minimumRoughness: MINIMUM_ROUGHNESS,
    colors: clusters.count,
  };
  sum.dispatch(batch, { ...bound, texelGradients: gradients.texels }, values, [CLUSTER_GROUPS]);
  step.dispatch(batch, bound, values, [MAX_COLORS]);
  apply.dispatch(batch, bound, values, linear(base, 64));
}
