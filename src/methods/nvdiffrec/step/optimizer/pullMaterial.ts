import type { Batch } from '../../../../gpu/runtime/batch.js';
import { recordMaterialMips } from '../../../../render/diff/shade/material.js';
import { recordMaterialPrior } from '../../priors/materialPrior.js';
import { isTurn, type Pace, pulled } from './pace.js';
import type { Parameters } from './parameters.js';

/** Steps between two pulls of the material. */
const PRIOR_EVERY = 8;

/** Records, now and then, the pull of the material's priors, and the mip levels of what it leaves. */
export function recordPullMaterial(batch: Batch, { material, options, clusters }: Parameters, pace: Pace): void {
  if (!isTurn(pace, PRIOR_EVERY)) return;
  const smooth = pulled(options.materialSmoothness, PRIOR_EVERY);
  const palette = pulled(options.palette, PRIOR_EVERY);
  const gloss = pulled(options.glossByColor, PRIOR_EVERY);
  if (smooth === 0 && palette === 0 && gloss === 0) return;
  recordMaterialPrior(batch, material, clusters, { smooth, gloss, palette });
  recordMaterialMips(batch, material);
}
