import type { Batch } from '../../../../gpu/runtime/batch.js';
import { LIGHT_RANGE } from '../../../../render/diff/light/light.js';
import { recordAdam } from '../../../../render/diff/step/adam.js';
import { recordLightPrior } from '../../priors/lightPrior.js';
import { type Pace, pulled } from './pace.js';
import type { StepScene } from './pictures.js';

/** Records the step of the light, and the pull of its prior. */
export function recordMoveLight(batch: Batch, scene: StepScene, { iteration, rate }: Pace): void {
  const { light, options, gradients } = scene;
  const group = {
    parameters: light.parameters,
    gradient: gradients.light!,
    moments: scene.lightMoments,
    count: 6 * light.size ** 2 * 3,
    range: LIGHT_RANGE,
  };
  recordAdam(batch, group, { learningRate: rate(options.lightRate), step: iteration + 1 });
  if (options.lightNeutrality > 0 || options.lightSmoothness > 0) {
    recordLightPrior(batch, light, scene.lightCopy, {
      neutral: pulled(options.lightNeutrality, 1),
      smooth: pulled(options.lightSmoothness, 1),
    });
  }
}
