import type { Batch } from '../../../../gpu/runtime/batch.js';
import { recordBalance } from '../balance.js';
import { recordGlossStep } from '../glossStep.js';
import { isTurn, type Pace } from './pace.js';
import type { StepScene } from './pictures.js';

/** Steps between two of what many texels share. */
const SHARED_EVERY = 4;

/**
 * Records, now and then, the step of what many texels share: the balance between light and base colour, and gloss by
 * colour.
 * @returns whether texels were changed, so that mip levels are to be made anew
 */
export function recordMoveShared(batch: Batch, scene: StepScene, pace: Pace): boolean {
  const { material, light, options, gradients } = scene;
  if (!isTurn(pace, SHARED_EVERY)) return false;
  if (options.balanceRate > 0) {
    recordBalance(batch, material, light, gradients, scene.balance, pace.rate(options.balanceRate) * pace.warm);
  }
  if (options.glossRate > 0) {
    recordGlossStep(batch, material, gradients, scene.clusters, {
      roughness: pace.rate(options.glossRate) * pace.free,
      metallic: pace.rate(options.glossRate) * pace.free,
    });
  }
  return options.balanceRate > 0 || options.glossRate > 0;
}
