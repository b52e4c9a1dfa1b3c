import type { NvdiffrecOptions } from '../options.js';

/** From this many views on the options hold as they are. */
export const MANY_VIEWS = 24;
/** Steps that no run is cut below. */
const LEAST_STEPS = 300;

/**
 * The options for a capture of so many views. What few views see of a place is seen from one side, and anything can be
 * painted there that looks right from it: the fewer they are, the more outlines count, the stiffer the surface, the
 * smoother and the more of a few colours the material, the slower relief, gloss and occlusion move, the smoother is the
 * light, the less is believed of what pictures say faintly, and the sooner the run ends. What is turned off stays off.
 */
export function strengthened(options: NvdiffrecOptions, views: number): NvdiffrecOptions {
  const share = Math.min(1, views / MANY_VIEWS);
  if (share === 1) return options;
  const pull = (given: number, power: number) => (given === 0 ? 0 : 1 - (1 - given) * share ** power);
  return {
    ...options,
    iterations: Math.min(options.iterations, Math.max(LEAST_STEPS, Math.round(options.iterations * share))),
    silhouette: options.silhouette / Math.sqrt(share),
    smoothness: options.smoothness / share ** 1.5,
    positionRate: options.positionRate * share ** 1.7,
    baseColorRate: options.baseColorRate * share,
    normalRate: options.normalRate * share ** 2,
    occlusionRate: options.occlusionRate * share,
    materialRate: options.materialRate * Math.sqrt(share),
    glossRate: options.glossRate / share,
    materialSmoothness: pull(options.materialSmoothness, 1),
    glossByColor: pull(options.glossByColor, 2.5),
    palette: pull(options.palette, 1.4),
    lightSmoothness: options.lightSmoothness + 0.2 * (1 - share) * (1 - options.lightSmoothness),
    doubt: options.doubt + 0.4 * (1 - share) * (1 - options.doubt),
  };
}
