import type { Random } from '../core/random.js';
import { fitMixture, logDensities, TABLE_STEPS, tableIndex } from './mixture.js';
import type { WorkPhoto } from './photo.js';

/** 1 for the colours that occur; see `tableIndex`. */
export function usedColors(photos: readonly WorkPhoto[]): Uint8Array {
  const used = new Uint8Array(TABLE_STEPS ** 3);
  for (const { colors } of photos)
    for (let i = 0; i < colors.length; i += 3) used[tableIndex(colors[i], colors[i + 1], colors[i + 2])] = 1;
  return used;
}

const SAMPLES = 12_000;
const PARTS = 6;

/** What colours are gathered from in one photo's part. */
export interface ColorEvidence {
  mask: Uint8Array;
  /** 1 within the outline of the object's points. */
  guess: Uint8Array;
  /** As in `CutJob`. */
  ground?: Float32Array;
  others?: Uint8Array;
}

/** Pixels that are looked at in all photos together, about. */
const LOOKED_AT = 400_000;
/** Evidence of the ground, a logarithm, below which a pixel is no example of the object. */
const LIKE_GROUND = -0.5;
/** And above which a pixel of the box is no example of what is around it, before the photos were compared. */
const UNLIKE_GROUND = 0.5;
const HALF = 128;

const standsOut = ({ inBox }: WorkPhoto, ground: Float32Array | undefined, i: number): boolean =>
  inBox[i] === 1 && (ground?.[i] ?? 0) > UNLIKE_GROUND;

/**
 * How much likelier each colour is on the object than beside it, from all photos that may vote. What a mask lacks
 * though points, the other photos or at first the ground speak for it is no example of the background, else it would never come back.
 */
export function colorTable(
  photos: readonly WorkPhoto[],
  evidence: readonly ColorEvidence[],
  used: Uint8Array,
  random: Random,
): Float32Array {
  const object: number[] = [];
  const ground: number[] = [];
  const pixels = photos.reduce((sum, { votes, inBox }) => sum + (votes ? inBox.length : 0), 0);
  const step = Math.max(1, Math.round(pixels / LOOKED_AT));
  photos.forEach((photo, k) => {
    if (!photo.votes) return;
    const { mask, guess, ground: e, others } = evidence[k];
    for (let i = k % step; i < mask.length; i += step) {
      const likely = others === undefined || others[i] >= HALF;
      if ((mask[i] || guess[i]) && likely) {
        if ((e?.[i] ?? 0) > LIKE_GROUND) object.push(k, i);
      } else if (!mask[i] && !(others === undefined && (guess[i] || standsOut(photo, e, i)))) ground.push(k, i);
    }
  });
  const densities = (list: readonly number[]): Float32Array => {
    const count = list.length / 2;
    const take = Math.min(SAMPLES, count);
    const colors = new Uint8Array(take * 3);
    for (let n = 0; n < take; n++) {
      const at = 2 * Math.floor(((n + 0.5) * count) / take);
      const from = photos[list[at]].colors;
      colors.set(from.subarray(list[at + 1] * 3, list[at + 1] * 3 + 3), n * 3);
    }
    return logDensities(fitMixture(colors, PARTS, random), used);
  };
  const [on, beside] = [densities(object), densities(ground)];
  return on.map((v, i) => v - beside[i]);
}
