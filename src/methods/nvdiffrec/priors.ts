import type { NvdiffrecOptions } from './options.js';

/** From this many views on the options hold as they are. */
const MANY_VIEWS = 24;

/**
 * The options for a capture of so many views. What few views see of a place is seen from one side, and anything can be painted there that looks right from it:
 * the fewer they are, the stiffer the surface, the smoother the material and the slower relief, gloss and occlusion move.
 */
export function strengthened(options: NvdiffrecOptions, views: number): NvdiffrecOptions {
  const share = Math.min(1, views / MANY_VIEWS);
  if (share === 1) return options;
  return {
    ...options,
    smoothness: options.smoothness / share,
    positionRate: options.positionRate * Math.sqrt(share),
    normalRate: options.normalRate * share,
    occlusionRate: options.occlusionRate * share,
    materialRate: options.materialRate * Math.sqrt(share),
    materialSmoothness: options.materialSmoothness === 0 ? 0 : 1 - (1 - options.materialSmoothness) * share,
  };
}
