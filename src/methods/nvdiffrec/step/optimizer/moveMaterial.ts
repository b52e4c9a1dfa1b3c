import type { Batch } from '../../../../gpu/runtime/batch.js';
import { recordMaterialStep } from '../../../../render/diff/shade/material.js';
import type { Pace } from './pace.js';
import type { StepScene } from './pictures.js';

/** Beneath any gradient that counts. */
const LEAST_GRADIENT = 1e-8;

/** Records the step of the texels. It clears the gradients of the material's level 0. */
export function recordMoveMaterial(batch: Batch, scene: StepScene, { rate, free }: Pace): void {
  const { material, options, frame, gradients } = scene;
  const pixels = frame.width * frame.height;
  recordMaterialStep(batch, material, gradients, {
    baseColor: rate(options.baseColorRate) * free,
    occlusion: rate(options.occlusionRate),
    roughness: rate(options.materialRate) * free,
    metallic: rate(options.materialRate),
    normal: rate(options.normalRate),
    epsilon: LEAST_GRADIENT + (options.doubt * pixels) / (material.width * material.height),
  });
}
