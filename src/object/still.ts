import type { WorkPhoto } from './photo.js';

/** Longest side of the small pictures that are compared. */
export const STILL_SIZE = 160;
/** Fewest photos that tell what stays at its place. */
const LEAST_PHOTOS = 5;
/** Middle difference of the photos from their median, 0 … 255, up to which a pixel stays the same. */
const SAME = 7;
/** Share of the picture that stays the same where the camera stood still. */
const LEAST_STILL = 0.3;
/** Share of what lies within the outline of the object's points that may stay the same: gaps, but no object. */
const MOST_SAME = 0.3;
/** How much likelier what stays the same is background, a logarithm. */
const EVIDENCE = -3;

/**
 * Where the camera stood still and the object turned, the median of all photos is what is around it. For each photo
 * evidence for each pixel of its part, as of the ground: negative where the photo shows what all show there. A thing that
 * looks alike from all sides stays the same as well: nothing is said then within the outline of its points.
 *
 * @returns undefined where the camera moved
 */
export function stillEvidence(
  photos: readonly WorkPhoto[],
  guesses: readonly Uint8Array[],
): Float32Array[] | undefined {
  const voting = photos.filter(({ votes }) => votes);
  const [first] = voting;
  if (voting.length < LEAST_PHOTOS) return undefined;
  if (photos.some(({ small }) => small.width !== first.small.width || small.height !== first.small.height)) {
    return undefined;
  }
  const rough = medians(voting.map(({ small }) => small.colors));
  const evened = voting.map(({ small }) => evenedTo(small.colors, rough));
  const median = medians(evened);
  const spread = medians(evened.map((colors) => differences(colors, median)));
  const still = spread.reduce((count, v) => count + Number(v <= SAME), 0);
  if (still < LEAST_STILL * spread.length) return undefined;
  const evidence = photos.map(({ small, width, height, left, top, partWidth, partHeight }) => {
    const difference = differences(evenedTo(small.colors, rough), median);
    return Float32Array.from({ length: partWidth * partHeight }, (_, i) => {
      const x = Math.floor(((left + (i % partWidth) + 0.5) * small.width) / width);
      const y = Math.floor(((top + Math.floor(i / partWidth) + 0.5) * small.height) / height);
      const at = y * small.width + x;
      return spread[at] <= SAME && difference[at] <= 2 * SAME ? EVIDENCE : 0;
    });
  });
  let [inside, same] = [0, 0];
  guesses.forEach((guess, k) => {
    for (let i = 0; i < guess.length; i++) {
      inside += guess[i];
      if (guess[i] && evidence[k][i] < 0) same++;
    }
  });
  if (same <= MOST_SAME * inside) return evidence;
  return evidence.map((values, k) => values.map((v, i) => (guesses[k][i] ? 0 : v)));
}

/** The median of each byte over some pictures. */
function medians(pictures: readonly Uint8Array[]): Uint8Array {
  const values = new Uint8Array(pictures.length);
  return pictures[0].map((_, i) => {
    pictures.forEach((picture, k) => {
      values[k] = picture[i];
    });
    return values.sort()[values.length >> 1];
  });
}

/** Mean difference of the three channels of each pixel. */
function differences(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: a.length / 3 }, (_, i) => {
    let sum = 0;
    for (let c = i * 3; c < i * 3 + 3; c++) sum += Math.abs(a[c] - b[c]);
    return sum / 3;
  });
}

/** A picture brought to the exposure and white balance of another by the median ratio of each channel. */
function evenedTo(colors: Uint8Array, to: Uint8Array): Uint8Array {
  const gains = [0, 1, 2].map((c) => {
    const ratios: number[] = [];
    for (let i = c; i < colors.length; i += 3) {
      if (colors[i] > 12 && colors[i] < 243 && to[i] > 12 && to[i] < 243) ratios.push(to[i] / colors[i]);
    }
    return ratios.sort((a, b) => a - b)[ratios.length >> 1] ?? 1;
  });
  return colors.map((v, i) => Math.min(255, Math.round(v * gains[i % 3])));
}
