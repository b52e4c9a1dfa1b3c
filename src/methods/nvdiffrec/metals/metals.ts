import type { Capture } from '../../../capture/capture.js';
import type { MethodContext } from '../../method.js';
import { trainingViews } from '../../shared/trainingViews.js';
import type { NvdiffrecOptions } from '../options.js';
import { findPalette, mergeColors, nearestColor, type Palette } from '../start/palette.js';
import { TEXEL_FLOATS } from '../start/spreadTexels.js';
import type { Start } from '../start/start.js';
import { mapTexels } from '../start/texelMap.js';
import { optimize } from '../step/optimize.js';
import { Optimizer } from '../step/optimizer/optimizer.js';
import type { OptimizerState } from '../step/optimizer/optimizerState.js';
import { loadWindows, WINDOW_MULTIPLE } from '../step/windows.js';

/** Tints that are told apart: at most so many, each of at least this share of the coloured surface, this far from the next in cube roots. */
const TINTS = 10;
const LEAST_SHARE = 0.01;
const SAME_TINT = 0.08;
/** A texel is of a tint within this distance. */
const REACH = 0.1;
/** Colours paler than this (difference of channels over the largest), or darker, have no tint to go by. */
const LEAST_SATURATION = 0.3;
const LEAST_BRIGHTNESS = 0.01;
/** A tint that takes up less than this share of the texture is not looked at. */
const LEAST_AREA = 0.005;
/** Standard deviation of the logarithm of brightness from which one tint may be a metal: paint that light was divided out of is more even. */
const LEAST_SPREAD = 0.34;
/** Candidates that are tried, at most: those of the greatest spread. */
const MOST_CANDIDATES = 3;
/** Texels that tints are found from, at most. */
const SAMPLES = 60_000;
/** Largest channels of a metal that are tried: the light is known up to a factor only. The others follow where the first comes close. */
const METAL_BRIGHTNESS = [0.45, 0.3, 0.7];
const CLOSE = 1.03;
const METAL_ROUGHNESS = 0.2;
const PAINT_ROUGHNESS = 0.3;
/** Steps after which the light has the details that a metal mirrors, steps of a trial from there, and pictures of both. */
const WARM_STEPS = 120;
const TRIAL_STEPS = 40;
const TRIAL_SIZE = 128;
/** Texture of a trial, in texels. */
const TRIAL_TEXTURE = 256;
/** Face of the light's cube map in a trial, in texels. */
const TRIAL_LIGHT = 16;
/** Reports at the end of a trial whose loss counts; there is one every ten steps. */
const LAST_REPORTS = 2;
/** A metal must explain the pictures better than what was there by this factor on the loss. */
const CLEAR = 0.993;

/** Texels of one tint that shine unevenly. */
export interface MetalCandidate {
  /** Its tint: a linear colour whose largest channel is 1. */
  tint: [number, number, number];
  /** Mean linear base colour of its texels. */
  mean: [number, number, number];
  /** Numbers of its texels. */
  texels: Uint32Array;
  /** Standard deviation of the logarithm of their brightness. */
  spread: number;
}

/**
 * Tints whose brightness varies much over the surface although the light was divided out. That is how a metal looks that was taken for paint: all it shows is
 * a mirror image, in one colour.
 * @param texels f32 [n × 8], base colour first
 * @param inside for each texel whether it is on the surface: 0 = in a gutter
 */
export function metalCandidates(texels: Float32Array, inside: ArrayLike<number>): MetalCandidate[] {
  const count = texels.length / TEXEL_FLOATS;
  const brightness = new Float32Array(count);
  const tints: number[] = [];
  const tinted: number[] = [];
  for (let i = 0; i < count; i++) {
    if (inside[i] === 0) continue;
    const c = texels.subarray(i * TEXEL_FLOATS, i * TEXEL_FLOATS + 3);
    const most = Math.max(c[0], c[1], c[2]);
    if (most < LEAST_BRIGHTNESS || most - Math.min(c[0], c[1], c[2]) < LEAST_SATURATION * most) continue;
    brightness[i] = most;
    tinted.push(i);
    tints.push(c[0] / most, c[1] / most, c[2] / most);
  }
  const samples = Float32Array.from(tints);
  const stride = Math.max(1, Math.ceil(tinted.length / SAMPLES));
  const few = samples.filter((_, i) => Math.floor(i / 3) % stride === 0);
  const palette: Palette = mergeColors(findPalette(few, TINTS, LEAST_SHARE), SAME_TINT);
  const members: number[][] = palette.shares.map(() => []);
  tinted.forEach((texel, at) => {
    const { index, distance } = nearestColor(palette, samples, at * 3);
    if (distance < REACH) members[index].push(texel);
  });
  const candidates = members.flatMap((list, k): MetalCandidate[] => {
    if (list.length < LEAST_AREA * count) return [];
    const logs = list.map((texel) => Math.log(brightness[texel]));
    const middle = logs.reduce((sum, v) => sum + v, 0) / logs.length;
    const spread = Math.sqrt(logs.reduce((sum, v) => sum + (v - middle) ** 2, 0) / logs.length);
    if (spread < LEAST_SPREAD) return [];
    const tint = palette.colors.subarray(k * 3, k * 3 + 3);
    const most = Math.max(...tint);
    const mean = (c: number) => list.reduce((sum, texel) => sum + texels[texel * TEXEL_FLOATS + c] / list.length, 0);
    return [
      {
        tint: [tint[0] / most, tint[1] / most, tint[2] / most],
        mean: [mean(0), mean(1), mean(2)],
        texels: Uint32Array.from(list),
        spread,
      },
    ];
  });
  return candidates.sort((a, b) => b.spread - a.spread).slice(0, MOST_CANDIDATES);
}

/** Texels of a texture a few times smaller on either side, each the mean of those it stands for. */
function shrunk(texels: Float32Array, size: number, factor: number): Float32Array {
  const small = size / factor;
  const out = new Float32Array(small * small * TEXEL_FLOATS);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const to = (Math.floor(y / factor) * small + Math.floor(x / factor)) * TEXEL_FLOATS;
      const from = (y * size + x) * TEXEL_FLOATS;
      for (let c = 0; c < TEXEL_FLOATS; c++) out[to + c] += texels[from + c] / (factor * factor);
    }
  }
  return out;
}

/** Of one colour and one gloss throughout. */
interface Stuff {
  color: readonly number[];
  roughness: number;
  metallic: number;
}

/** A start in which the candidate's texels are of one stuff. */
function madeOf(start: Start, own: Uint32Array, { color, roughness, metallic }: Stuff): Start {
  const texels = start.texels.slice();
  for (const texel of own) {
    texels.set(color, texel * TEXEL_FLOATS);
    texels[texel * TEXEL_FLOATS + 4] = roughness;
    texels[texel * TEXEL_FLOATS + 5] = metallic;
  }
  return { ...start, texels, palette: Float64Array.of(...color, ...start.palette) };
}

/** The optimiser's state with texels of one stuff and without a past: those of the smaller texture that are the candidate's for the greater part. */
function stateOf(
  state: OptimizerState,
  own: Uint32Array,
  { color, roughness, metallic }: Stuff,
  size: number,
  factor: number,
): OptimizerState {
  const small = size / factor;
  const parts = new Float32Array(small * small);
  for (const texel of own) {
    parts[Math.floor(texel / size / factor) * small + Math.floor((texel % size) / factor)] += 1 / (factor * factor);
  }
  const [texels, moment1, moment2] = [state.texels.slice(), state.moment1.slice(), state.moment2.slice()];
  parts.forEach((part, i) => {
    if (part < 0.5) return;
    const at = i * TEXEL_FLOATS;
    texels.set([...color, texels[at + 3], roughness, metallic], at);
    moment1.fill(0, at, at + TEXEL_FLOATS);
    moment2.fill(0, at, at + TEXEL_FLOATS);
  });
  return { ...state, texels, moment1, moment2 };
}

/**
 * Tells which tints of the first guess are metal. By itself the optimisation does not come to it: a metal that was taken for paint needs another colour, another
 * gloss and none of its shading at once. So, on small pictures, light and material are found as if all were paint, and from there short runs, all with the same
 * pictures in the same order, try each candidate as paint and as metal, of one colour throughout, for with a colour of its own in each texel paint explains
 * any mirror image that is seen from one side. What explains the pictures better is kept.
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
  const inside =
    options.metals && (await mapTexels(start.mesh, options.textureSize, options.textureSize, context.signal));
  const candidates = inside ? metalCandidates(start.texels, inside.triangle) : [];
  const facts: object[] = [];
  const found: Uint32Array[] = [];
  if (candidates.length === 0) return { start, texels: found, facts };
  const windows = await loadWindows(
    trainingViews(capture),
    { maxSize: Math.min(TRIAL_SIZE, options.imageSize), multiple: WINDOW_MULTIPLE },
    { signal: context.signal },
  );
  const trial: NvdiffrecOptions = {
    ...options,
    textureSize: Math.min(TRIAL_TEXTURE, options.textureSize) as NvdiffrecOptions['textureSize'],
    lightSize: TRIAL_LIGHT,
    geometry: false,
    refineCameras: false,
    glossRate: Math.max(options.glossRate, 0.03),
  };
  const factor = options.textureSize / trial.textureSize;
  const small = { ...start, texels: shrunk(start.texels, options.textureSize, factor) };
  const optimizer = await Optimizer.create(context.gpu, small, trial);
  const steps = WARM_STEPS + candidates.length * (1 + METAL_BRIGHTNESS.length) * TRIAL_STEPS;
  let done = 0;
  const frozen = { baseColorRate: 0, materialRate: 0, normalRate: 0, occlusionRate: 0, balanceRate: 0, palette: 0 };
  const lossAfter = async (iterations: number, given: NvdiffrecOptions): Promise<number> => {
    const { loss } = await optimize(
      optimizer,
      windows,
      { ...given, iterations },
      seed,
      { iteration: 0, curves: { loss: [], psnr: [] } },
      {
        context: { ...context, showPreview: undefined, stopping: undefined },
        report: (fraction) => report((done + fraction * iterations) / steps),
      },
    );
    done += iterations;
    return loss.slice(-LAST_REPORTS).reduce((sum, [, v]) => sum + v / LAST_REPORTS, 0);
  };
  let best = start;
  try {
    await lossAfter(WARM_STEPS, trial);
    let warm = await optimizer.state();
    for (const [i, candidate] of candidates.entries()) {
      const { tint, mean, texels, spread } = candidate;
      const lossOf = async (stuff: Stuff): Promise<number> => {
        optimizer.restore(stateOf(warm, texels, stuff, options.textureSize, factor));
        return await lossAfter(TRIAL_STEPS, { ...trial, ...frozen });
      };
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
      done = WARM_STEPS + (i + 1) * (1 + METAL_BRIGHTNESS.length) * TRIAL_STEPS;
      const isMetal = stuff !== undefined && least < CLEAR * paint;
      facts.push({
        tint: tint.map((v) => Number(v.toFixed(3))),
        share: texels.length / (start.texels.length / TEXEL_FLOATS),
        spread,
        lossAsPaint: paint,
        lossAsMetal: least,
        metal: isMetal,
      });
      if (!stuff || !isMetal) continue;
      best = madeOf(best, texels, stuff);
      warm = stateOf(warm, texels, stuff, options.textureSize, factor);
      found.push(texels);
    }
  } finally {
    optimizer.dispose();
  }
  return { start: best, texels: found, facts };
}
