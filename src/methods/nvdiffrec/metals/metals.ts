import type { Capture } from '../../../capture/capture.js';
import type { MethodContext } from '../../method.js';
import { mapTexels } from '../../shared/texelMap.js';
import type { NvdiffrecOptions } from '../options.js';
import { TEXEL_FLOATS } from '../start/spreadTexels.js';
import type { Start } from '../start/start.js';
import { metalCandidates } from './candidates.js';
import { madeOf, type Stuff, stateOf } from './stuff.js';
import { createTrial } from './trial.js';

/**
 * Largest channels of a metal that are tried: the light is known up to a factor only. The others follow where the first
 * comes close.
 */
const METAL_BRIGHTNESS = [0.45, 0.3, 0.7];
const CLOSE = 1.03;
const METAL_ROUGHNESS = 0.2;
const PAINT_ROUGHNESS = 0.3;
/** Steps after which the light has the details that a metal mirrors, and steps of a trial from there. */
const WARM_STEPS = 120;
const TRIAL_STEPS = 40;
/** Steps that a candidate takes at most: as paint, and as each of the metals. */
const CANDIDATE_STEPS = (1 + METAL_BRIGHTNESS.length) * TRIAL_STEPS;
/** A metal must explain the pictures better than what was there by this factor on the loss. */
const CLEAR = 0.993;
/**
 * Meant to stand still while a candidate is tried. The optimiser keeps the options that it was made with, so that these
 * have no effect yet.
 */
const FROZEN = { baseColorRate: 0, materialRate: 0, normalRate: 0, occlusionRate: 0, balanceRate: 0, palette: 0 };

/**
 * Tells which tints of the first guess are metal. By itself the optimisation does not come to it: a metal that was
 * taken for paint needs another colour, another gloss and none of its shading at once. So, on small pictures, light and
 * material are found as if all were paint, and from there short runs, all with the same pictures in the same order, try
 * each candidate as paint and as metal, of one colour throughout, for with a colour of its own in each texel paint
 * explains any mirror image that is seen from one side. What explains the pictures better is kept.
 * @returns the start with metals put in, their texels, and facts of the trials
 */
export async function tellMetals(
  capture: Capture,
  start: Start,
  options: NvdiffrecOptions,
  seed: number,
  context: MethodContext,
  report: (fraction: number) => void,
): Promise<{ start: Start; texels: Uint32Array[]; facts: object[] }> {
  const size = options.textureSize;
  const inside = options.metals && (await mapTexels(start.mesh, size, size, context.signal));
  const candidates = inside ? metalCandidates(start.texels, inside.triangle) : [];
  const facts: object[] = [];
  const found: Uint32Array[] = [];
  if (candidates.length === 0) return { start, texels: found, facts };
  const trial = await createTrial(capture, start, options, seed, context);
  const steps = WARM_STEPS + candidates.length * CANDIDATE_STEPS;
  let done = 0;
  const lossAfter = async (iterations: number, given: NvdiffrecOptions): Promise<number> => {
    const loss = await trial.lossAfter(iterations, given, (fraction) => report((done + fraction * iterations) / steps));
    done += iterations;
    return loss;
  };
  let best = start;
  try {
    await lossAfter(WARM_STEPS, trial.options);
    let warm = await trial.optimizer.state();
    for (const [i, { tint, mean, texels, spread }] of candidates.entries()) {
      const { paint, least, stuff } = await compare(tint, mean, async (tried) => {
        trial.optimizer.restore(stateOf(warm, texels, tried, size, trial.factor));
        return await lossAfter(TRIAL_STEPS, { ...trial.options, ...FROZEN });
      });
      done = WARM_STEPS + (i + 1) * CANDIDATE_STEPS;
      const isMetal = stuff !== undefined && least < CLEAR * paint;
      facts.push({
        tint: tint.map((v) => Number(v.toFixed(3))),
        share: texels.length / (start.texels.length / TEXEL_FLOATS),
        spread,
        lossAsPaint: paint,
        lossAsMetal: least,
        metal: isMetal,
      });
      if (!isMetal) continue;
      best = madeOf(best, texels, stuff);
      warm = stateOf(warm, texels, stuff, size, trial.factor);
      found.push(texels);
    }
  } finally {
    trial.dispose();
  }
  return { start: best, texels: found, facts };
}

/** Losses of a candidate as paint of its mean colour, and as the metal of its tint that explains the pictures best. */
async function compare(
  tint: readonly number[],
  mean: readonly number[],
  lossOf: (stuff: Stuff) => Promise<number>,
): Promise<{ paint: number; least: number; stuff?: Stuff }> {
  const paint = await lossOf({ color: mean, roughness: PAINT_ROUGHNESS, metallic: 0 });
  let stuff: Stuff | undefined;
  let least = Infinity;
  for (const brightness of METAL_BRIGHTNESS) {
    const metal = { color: tint.map((v) => v * brightness), roughness: METAL_ROUGHNESS, metallic: 1 };
    const loss = await lossOf(metal);
    if (loss < least) {
      least = loss;
      stuff = metal;
    }
    if (least > CLOSE * paint) break;
  }
  return { paint, least, stuff };
}
