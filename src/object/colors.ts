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

/** How much likelier each colour is on the object than beside it, from all photos that may vote. */
export function colorTable(
  photos: readonly WorkPhoto[],
  masks: readonly Uint8Array[],
  evidence: readonly (Float32Array | undefined)[],
  used: Uint8Array,
  random: Random,
): Float32Array {
  const object: number[] = [];
  const ground: number[] = [];
  photos.forEach((photo, k) => {
    if (!photo.votes) return;
    for (let i = 0; i < masks[k].length; i++) {
      const e = evidence[k]?.[i] ?? 0;
      if (masks[k][i]) {
        if (e > -1) object.push(k, i);
      } else ground.push(k, i);
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
