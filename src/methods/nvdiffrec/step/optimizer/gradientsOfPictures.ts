import type { Batch } from '../../../../gpu/runtime/batch.js';
import { recordAntialiasBackward } from '../../../../render/diff/geometry/antialias.js';
import { recordLightBackward } from '../../../../render/diff/light/light.js';
import { recordDepthLoss } from '../../../../render/diff/loss/depthLoss.js';
import { recordLoss } from '../../../../render/diff/loss/loss.js';
import { recordShadeBackward } from '../../../../render/diff/shade/shadeBackward.js';
import type { Pace } from './pace.js';
import type { StepScene } from './pictures.js';

/** The light has few texels for many pixels: its gradient is taken from a part of them, in turns. */
const LIGHT_STRIDE = 5;

/** Records the loss of what was rendered, and its gradients down to texels, light and clip space. */
export function recordGradientsOfPictures(batch: Batch, scene: StepScene, { iteration }: Pace): void {
  const { mesh, light, options, pictures, frame, gradients, moving } = scene;
  recordLoss(batch, frame, pictures.targets, { silhouette: options.silhouette, space: 'srgb', background: 1 });
  if (pictures.depths && options.depth > 0) {
    recordDepthLoss(batch, mesh, frame, pictures.depths, gradients, {
      weight: options.depth,
      unit: pictures.depths.unit,
    });
  }
  recordAntialiasBackward(batch, mesh, frame, gradients);
  recordShadeBackward(batch, scene, frame, gradients, {
    geometry: options.geometry || moving !== undefined,
    mips: 'nearest',
    lightStride: LIGHT_STRIDE,
    lightFirst: iteration,
  });
  recordLightBackward(batch, light, gradients);
}
