import type { NvdiffrecOptions } from '../options.js';
import { type Level, planLevels } from './schedule.js';

/** Work on one texel of the material and of the light, and of a step of any size, in that on one pixel. */
const TEXEL_WORK = 0.4;
const LIGHT_TEXEL_WORK = 6;
const FIXED_WORK = 100_000;
/** Seconds of a unit on two cores. */
const UNIT_SECONDS = 0.4e-6;
/**
 * Seconds of the trials that tell metal from paint, with one candidate, and of a step of the search for holes at a
 * resolution of 96.
 */
const METALS_SECONDS = 20;
const TOPOLOGY_SECONDS = 0.25;

/**
 * Work of one step, in that on one pixel. Pictures are drawn, and their gradients taken back, pixel by pixel; material
 * and light are stepped as wholes whatever the size of the pictures; triangles and dispatches take their time as well.
 * So it is a constant and the pixels. Measured on two cores for the three sizes of pictures of a run: 276, 330 and 573
 * CPU ms for `draft`, 600, 800 and 1,340 for `standard`; this gives 230, 279 and 475, and 619, 808 and 1,566 thousand.
 * @param size of the pictures
 * @param pictures of a step
 */
export function stepWork(
  { textureSize, lightSize }: Pick<NvdiffrecOptions, 'textureSize' | 'lightSize'>,
  size: { width: number; height: number },
  pictures: number,
): number {
  const pixels = size.width * size.height * pictures;
  return FIXED_WORK + pixels + TEXEL_WORK * textureSize ** 2 + LIGHT_TEXEL_WORK * 6 * lightSize ** 2;
}

/**
 * Work of the first so many steps of a run: a share of it says what share of the time has passed, as the number of
 * steps does not, since the first ones look at small pictures.
 * @param size of the pictures at the end
 * @param views of the run
 */
export function workUntil(
  iterations: number,
  levels: readonly Level[],
  options: Pick<NvdiffrecOptions, 'textureSize' | 'lightSize' | 'batch'>,
  size: { width: number; height: number },
  views: number,
): number {
  const pictures = views / Math.ceil(views / options.batch);
  let left = iterations;
  let work = 0;
  for (const { divisor, iterations: most } of levels) {
    const steps = Math.min(left, most);
    work += steps * stepWork(options, { width: size.width / divisor, height: size.height / divisor }, pictures);
    left -= steps;
  }
  return work;
}

/**
 * Seconds on two cores of the stages that depend strongly on the options.
 * @param longest longer side of the largest picture
 */
export function expectedSeconds(
  options: NvdiffrecOptions,
  views: number,
  longest: number,
): { topology: number; metals: number; optimise: number } {
  const size = Math.min(options.imageSize, longest);
  const levels = planLevels(options.iterations, size);
  const work = workUntil(options.iterations, levels, options, { width: size, height: size }, views);
  return {
    topology: options.topology
      ? TOPOLOGY_SECONDS * (options.topologyResolution / 96) ** 2 * options.topologyIterations
      : 0,
    metals: options.metals ? METALS_SECONDS : 0,
    optimise: work * UNIT_SECONDS,
  };
}
