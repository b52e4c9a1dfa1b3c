import type { Batch } from '../../gpu/runtime/batch.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { pyramidLayout } from './shade/material.js';
import type { DiffScene, GradientScales, Gradients } from './types.js';

export const GRADIENT_SCALES: GradientScales = { texel: 2 ** 18, clip: 2 ** 12, normal: 2 ** 14, light: 2 ** 12 };

/**
 * Gradient buffers of a scene, zero.
 * @param capacity views of the largest frame that they are used with
 */
export function createGradients(
  gpu: Gpu,
  scene: DiffScene,
  capacity: number,
  scales: Partial<GradientScales> = {},
): Gradients {
  const { mesh, material, light, cameras } = scene;
  const lightOffset = capacity * mesh.positionCount * 8;
  const flagOffset = lightOffset + (light?.texelCount ?? 0) * 4;
  const overflowOffset = flagOffset + pyramidLayout(material.width, material.height).tileCount;
  return {
    scales: { ...GRADIENT_SCALES, ...scales },
    texels: gpu.createBuffer(material.texelCount * 32, 'texel gradients'),
    scatter: gpu.createBuffer((overflowOffset + 1) * 4, 'gradients'),
    lightOffset,
    flagOffset,
    overflowOffset,
    positions: gpu.createBuffer(mesh.positionCount * 12, 'position gradients'),
    ...(light && { light: gpu.createBuffer(6 * light.size ** 2 * 12, 'light gradients') }),
    cameras: gpu.createBuffer(cameras.count * 64, 'camera gradients'),
  };
}

/** Frees the buffers. */
export function destroyGradients(gradients: Gradients): void {
  for (const buffer of [gradients.texels, gradients.scatter, gradients.positions, gradients.cameras]) buffer.destroy();
  gradients.light?.destroy();
}

/**
 * Records the clearing of everything that the next iteration adds to. The gradients of the material's level 0 are
 * cleared by `recordMaterialStep` already; pass `all` where no such step was recorded. The count of overflows stays.
 */
export function recordClearGradients(batch: Batch, scene: DiffScene, gradients: Gradients, all = false): void {
  const { width, height } = scene.material;
  const first = all ? 0 : width * height * 32;
  const size = scene.material.texelCount * 32 - first;
  if (size > 0) batch.clear(gradients.texels, first, size);
  batch.clear(gradients.scatter, 0, gradients.overflowOffset * 4);
}

/**
 * Whether any gradient came close to the end of its fixed-point range since the buffers were made: then choose lower
 * scales.
 */
export async function readOverflow(gpu: Gpu, gradients: Gradients): Promise<boolean> {
  const [flag] = await gpu.readInt32(gradients.scatter, 1, gradients.overflowOffset * 4);
  return flag !== 0;
}
