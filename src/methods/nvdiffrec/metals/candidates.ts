import { findPalette, mergeColors, nearestColor, type Palette } from '../start/palette.js';
import { TEXEL_FLOATS } from '../start/spreadTexels.js';

/**
 * Tints that are told apart: at most so many, each of at least this share of the coloured surface, this far from the
 * next in cube roots.
 */
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
/**
 * Standard deviation of the logarithm of brightness from which one tint may be a metal: paint that light was divided
 * out of is more even.
 */
const LEAST_SPREAD = 0.34;
/** Candidates that are tried, at most: those of the greatest spread. */
const MOST_CANDIDATES = 3;
/** Texels that tints are found from, at most. */
const SAMPLES = 60_000;

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
 * Tints whose brightness varies much over the surface although the light was divided out. That is how a metal looks
 * that was taken for paint: all it shows is a mirror image, in one colour.
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
