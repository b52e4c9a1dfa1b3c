import type { Bounds } from '../core/bounds.js';
import { type Base, feetOn, type GroundGrid, outlineOn } from './base.js';
import { boxMeans, type WorkPhoto } from './photo.js';

/** What the supporting plane looks like from above, where the object does not hide it. */
export interface Ground extends GroundGrid {
  /** Middle colour of all photos that see a texel. */
  colors: Uint8Array;
  /** Middle difference of the photos' colours from it, 255 where it is not known. */
  spread: Uint8Array;
  /** 1 where the object stands. */
  covered: Uint8Array;
}

/** Texels along the longer side of the box. */
const TEXELS = 150;
/** How far the ground is looked at around the box, in its longer sides. */
const AROUND = 1.1;
/** Photos of a texel that are compared. */
const MOST_SAMPLES = 24;
const LEAST_SAMPLES = 3;
/** Spread where nothing is known. */
const UNKNOWN = 255;

/**
 * The ground as the median of all photos: what stands on it is at another place of it in each, so that it goes, but
 * shadows that lie on it stay.
 *
 * @param masks of the photos' parts: what is known to be object hides the ground; none before the first cut
 * @param base what the object covers in all photos: nothing is known of the ground there
 */
export function medianGround(
  photos: readonly WorkPhoto[],
  box: Bounds,
  masks: readonly (Uint8Array | undefined)[],
  base: Base,
): Ground {
  const longest = Math.max(box.max[0] - box.min[0], box.max[2] - box.min[2]);
  const side = longest / TEXELS;
  const x = box.min[0] - AROUND * longest;
  const z = box.min[2] - AROUND * longest;
  const width = Math.ceil((box.max[0] - box.min[0] + 2 * AROUND * longest) / side);
  const height = Math.ceil((box.max[2] - box.min[2] + 2 * AROUND * longest) / side);
  const colors = new Uint8Array(width * height * 3);
  const spread = new Uint8Array(width * height).fill(UNKNOWN);
  const voting = photos.map((photo, i) => ({ photo, mask: masks[i] })).filter(({ photo }) => photo.votes);
  const step = Math.max(1, voting.length / MOST_SAMPLES);
  const chosen = voting.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
  const grid = { x, z, side, width, height };
  // Without masks the object itself shows in most photos wherever it bridges the ground.
  const { covered, doubtful } = masks.length === 0 ? outlineOn(base, grid) : feetOn(base, grid);
  const samples = [0, 0, 0].map(() => new Uint8Array(MOST_SAMPLES + 1));
  const sorted = new Uint8Array(MOST_SAMPLES + 1);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      if (doubtful[row * width + column]) continue;
      const [px, pz] = [x + (column + 0.5) * side, z + (row + 0.5) * side];
      let n = 0;
      for (const { photo, mask } of chosen) {
        const { projection: m, left, top, partWidth, partHeight, smooth: from } = photo;
        const w = m[8] * px + m[10] * pz + m[11];
        if (w <= 0) continue;
        const u = Math.floor((m[0] * px + m[2] * pz + m[3]) / w) - left;
        const v = Math.floor((m[4] * px + m[6] * pz + m[7]) / w) - top;
        if (u < 0 || v < 0 || u >= partWidth || v >= partHeight) continue;
        const i = v * partWidth + u;
        if (mask?.[i]) continue;
        for (let c = 0; c < 3; c++) samples[c][n] = from[i * 3 + c];
        n++;
      }
      if (n < LEAST_SAMPLES) continue;
      const o = row * width + column;
      for (let c = 0; c < 3; c++) colors[o * 3 + c] = middle(samples[c], n, sorted);
      for (let k = 0; k < n; k++) {
        let d = 0;
        for (let c = 0; c < 3; c++) d += Math.abs(samples[c][k] - colors[o * 3 + c]);
        samples[0][k] = Math.min(254, d / 3);
      }
      spread[o] = middle(samples[0], n, sorted);
    }
  return { ...grid, colors, spread, covered };
}

/** The median of the first `n` values. */
function middle(values: Uint8Array, n: number, sorted: Uint8Array): number {
  for (let i = 0; i < n; i++) {
    const v = values[i];
    let j = i;
    for (; j > 0 && sorted[j - 1] > v; j--) sorted[j] = sorted[j - 1];
    sorted[j] = v;
  }
  return sorted[n >> 1];
}

/** Visits the pixels of a photo's part behind which there is a texel that is not at the rim. */
function eachOnGround(photo: WorkPhoto, ground: Ground, visit: (pixel: number, texel: number) => void): void {
  const { left, top, partWidth, partHeight, projection: m } = photo;
  const inverse = invert3([m[0], m[2], m[3], m[4], m[6], m[7], m[8], m[10], m[11]]);
  if (!inverse) return;
  const { width, height, side } = ground;
  const [a, b, c, d, e, f, g, h, k] = inverse;
  for (let y = 0; y < partHeight; y++)
    for (let x = 0; x < partWidth; x++) {
      const [u, v] = [left + x + 0.5, top + y + 0.5];
      const s = g * u + h * v + k;
      const [px, pz] = [(a * u + b * v + c) / s, (d * u + e * v + f) / s];
      // In front of the camera, not above the horizon.
      if (m[8] * px + m[10] * pz + m[11] <= 0) continue;
      const column = Math.floor((px - ground.x) / side);
      const row = Math.floor((pz - ground.z) / side);
      if (column < 1 || row < 1 || column >= width - 1 || row >= height - 1) continue;
      visit(y * partWidth + x, row * width + column);
    }
}

/** Mean difference of a colour of the object from what lies behind it. */
const OBJECT_SCALE = 45;
const MOST_EVIDENCE = 3.5;
/**
 * Where a ray would meet the ground among the points of the object's base, it has most likely met the object before.
 */
const STANDS = 1.2;

/**
 * For each pixel of a photo's part how much likelier its colour is if something stands before the ground than if it is
 * the ground (logarithm of the ratio, positive: something stands there). 0 where the ground is not known.
 */
export function groundEvidence(photo: WorkPhoto, ground: Ground): Float32Array {
  const { partWidth, partHeight, smooth: colors } = photo;
  const out = new Float32Array(partWidth * partHeight);
  const { width, spread, covered } = ground;
  eachOnGround(photo, ground, (i, centre) => {
    if (covered[centre]) out[i] = STANDS;
    if (spread[centre] === UNKNOWN) return;
    let least = Infinity;
    for (let dr = -width; dr <= width; dr += width)
      for (let dc = -1; dc <= 1; dc++) {
        const o = centre + dr + dc;
        if (spread[o] === UNKNOWN) continue;
        const difference =
          (Math.abs(colors[i * 3] - ground.colors[o * 3]) +
            Math.abs(colors[i * 3 + 1] - ground.colors[o * 3 + 1]) +
            Math.abs(colors[i * 3 + 2] - ground.colors[o * 3 + 2])) /
          3;
        if (difference < least) least = difference;
      }
    const scale = Math.min(OBJECT_SCALE, Math.max(5, 1.5 * spread[centre]));
    const l = least * (1 / scale - 1 / OBJECT_SCALE) - Math.log(OBJECT_SCALE / scale);
    out[i] = Math.max(-MOST_EVIDENCE, Math.min(MOST_EVIDENCE, l));
  });
  return out;
}

/** Steps of the logarithm of a gain. */
const GAIN_STEP = 0.01;
const MOST_GAIN = 0.6;
/** Spread above which a texel is no measure of brightness, and fewest pixels that are one together. */
const EVEN = 24;
const LEAST_PIXELS = 400;

/** Brings a photo's exposure and white balance to those of the ground, which is common to all. */
export function evenOut(photo: WorkPhoto, ground: Ground): WorkPhoto {
  const bins = Math.round((2 * MOST_GAIN) / GAIN_STEP) + 1;
  const counts = [0, 0, 0].map(() => new Uint32Array(bins));
  let pixels = 0;
  eachOnGround(photo, ground, (i, texel) => {
    if (ground.spread[texel] > EVEN) return;
    for (let c = 0; c < 3; c++) {
      const [own, other] = [photo.smooth[i * 3 + c], ground.colors[texel * 3 + c]];
      if (own < 8 || own > 247 || other < 8 || other > 247) return;
      const log = Math.max(-MOST_GAIN, Math.min(MOST_GAIN, Math.log(other / own)));
      counts[c][Math.round((log + MOST_GAIN) / GAIN_STEP)]++;
    }
    pixels++;
  });
  if (pixels < LEAST_PIXELS) return photo;
  const gains = counts.map((count) => {
    let [left, bin] = [pixels / 2, 0];
    while (bin < bins - 1 && left > count[bin]) left -= count[bin++];
    return Math.exp(bin * GAIN_STEP - MOST_GAIN);
  });
  const colors = new Uint8Array(new SharedArrayBuffer(photo.colors.length));
  for (let i = 0; i < colors.length; i++) colors[i] = Math.min(255, Math.round(photo.colors[i] * gains[i % 3]));
  return { ...photo, colors, smooth: boxMeans(colors, photo.partWidth, photo.partHeight) };
}

function invert3(m: readonly number[]): number[] | undefined {
  const [a, b, c, d, e, f, g, h, k] = m;
  const det = a * (e * k - f * h) - b * (d * k - f * g) + c * (d * h - e * g);
  if (!(Math.abs(det) > 1e-12)) return undefined;
  return [
    e * k - f * h,
    c * h - b * k,
    b * f - c * e,
    f * g - d * k,
    a * k - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ].map((v) => v / det);
}
