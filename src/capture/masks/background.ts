import type { ColorImage } from '../../core/image.js';
import { type BackgroundModel, backgroundRow, fitBackground } from './backgroundModel.js';
import { components } from './components.js';
import { chamferDistance, dilate, inverse, threshold } from './morphology.js';
import { softEdge } from './softEdge.js';

export interface BackgroundMaskOptions {
  /**
   * Whether the picture comes from a lossy file, whose edges ring: then means of 5 × 5 pixels are compared with the
   * background. Default: false.
   */
  compressed?: boolean;
  /**
   * Where the object is known to be, 1 inside, of any size with the picture's frame (a depth map's outline, say):
   * decides everywhere except within `priorMargin` of its outline, and there where the picture has no contrast.
   */
  prior?: { inside: Uint8Array; width: number; height: number };
  /** Share of the picture's longer side. Default: 0.006. */
  priorMargin?: number;
}

export interface BackgroundMask {
  /** 0 (background) … 255 (object), one byte per pixel of the picture. */
  mask: Uint8Array;
  /**
   * 0…1: how much the picture looks like an object before a plain background. Below 0.5 the mask should not be used.
   */
  confidence: number;
  kind: 'bright' | 'dark';
}

/** Longer side at which regions are told apart; the edge is then drawn at full size. */
const WORK_SIZE = 1024;
/** A shadow keeps at least this share of the background's light. */
const DARKEST_SHADOW = 0.4;
/** Pixels beside an edge ring a little above the background in compressed pictures. */
const BRIGHTEST = 1.006;
/** Noise of the background from which it is compared in means of 5 × 5 pixels. */
const NOISY = 0.8;
/** Steepest shadow, in brightness steps per pixel at work size; what is steeper is an edge of the object. */
const STEEPEST_SHADOW = 6;
/** Parts of the object smaller than this share of the picture are specks, unless they are a good part of the object. */
const SPECK_SHARE = 2e-4;
/**
 * Share of an opening's rim that must be a hard edge; a highlight that reaches the background's colour has a soft one.
 */
const HARD_SHARE = 0.4;
/** Pixels from an edge over which compressed pictures ring: a block of JPEG. */
const RINGING = 8;
/** Error of a compressed picture near an edge, as a share of the step there. */
const RINGING_SHARE = 0.04;
/** Openings in the object smaller than this share of the picture are filled. */
const HOLE_SHARE = 5e-5;

/**
 * Tells an object from a plain bright or dark background. The background is modelled as a smooth colour; it spreads
 * from the picture's border over what is like it, soft shadows included (darker, same hue, no steep step), and stops at
 * the object's edge. Enclosed regions count as openings where they match the background as closely as its own noise and
 * have a hard edge; so a white glaze or a highlight stays inside. The edge is soft: its values are the share of the
 * object's colour in the pixel.
 */
export function maskFromBackground(image: ColorImage, options: BackgroundMaskOptions = {}): BackgroundMask {
  return new BackgroundMasker(image, options.compressed).mask(options);
}

/** The same in two steps, for a caller who needs the object's region to find the prior. */
export class BackgroundMasker {
  private readonly work: ColorImage;
  private readonly model: BackgroundModel;
  private readonly likeness: Likeness;

  constructor(
    private readonly image: ColorImage,
    compressed = false,
  ) {
    this.work = shrink(image);
    this.model = fitBackground(this.work);
    // Grain and ringing would stop the background from spreading: their means over a few pixels do not.
    const quiet = compressed || this.model.noise > NOISY ? blur(this.work, 2) : this.work;
    this.likeness = compareToBackground(
      quiet,
      this.model,
      compressed ? contrastAround(this.work, this.model) : undefined,
    );
  }

  /**
   * The object's region, 1 inside, at a longer side of about 1024 pixels; its outline runs where half a pixel is
   * covered.
   */
  region(): { inside: Uint8Array; width: number; height: number } {
    const { work } = this;
    const { width, height } = work;
    const rough = insideOf(this.likeness, work, this.model);
    const soft = softEdge(work, work, rough, chamferDistance(rough, width, height));
    return { inside: threshold(soft, 128), width, height };
  }

  mask({ prior, priorMargin = 0.006 }: BackgroundMaskOptions = {}): BackgroundMask {
    const { image, work, model, likeness } = this;
    const { width, height } = work;
    const known = prior && {
      distance: chamferDistance(resample(prior, width, height), width, height),
      margin: priorMargin * Math.max(width, height),
    };
    const inside = insideOf(likeness, work, model, known);
    const distance = chamferDistance(inside, width, height);
    const mask = softEdge(image, work, inside, distance, known);
    return { mask, confidence: confidenceOf(model, inside), kind: model.kind };
  }
}

/** Averages whole blocks of encoded values: noise shrinks, and no filter rings at the edges. */
function shrink(image: ColorImage): ColorImage {
  const factor = Math.max(1, Math.round(Math.max(image.width, image.height) / WORK_SIZE));
  if (factor === 1) return image;
  const width = Math.floor(image.width / factor);
  const height = Math.floor(image.height / factor);
  const data = new Uint8ClampedArray(width * height * 4);
  const count = factor * factor;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let r = 0;
      let g = 0;
      let b = 0;
      for (let v = 0; v < factor; v++) {
        let p = ((y * factor + v) * image.width + x * factor) * 4;
        for (let u = 0; u < factor; u++, p += 4) {
          r += image.data[p];
          g += image.data[p + 1];
          b += image.data[p + 2];
        }
      }
      const o = (y * width + x) * 4;
      data[o] = r / count;
      data[o + 1] = g / count;
      data[o + 2] = b / count;
      data[o + 3] = 255;
    }
  return { width, height, data };
}

function resample(
  region: { inside: Uint8Array; width: number; height: number },
  width: number,
  height: number,
): Uint8Array {
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5) * region.height) / height) * region.width;
    for (let x = 0; x < width; x++)
      out[y * width + x] = region.inside[row + Math.floor(((x + 0.5) * region.width) / width)];
  }
  return out;
}

/** Means over squares of 2·radius + 1 pixels. */
function blur(image: ColorImage, radius: number): ColorImage {
  const { width, height } = image;
  const data = new Uint8ClampedArray(image.data.length);
  const rows = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let k = 0; k < 3; k++) {
      let sum = 0;
      let count = 0;
      for (let x = -radius; x < width; x++) {
        if (x + radius < width) {
          sum += image.data[(y * width + x + radius) * 4 + k];
          count++;
        }
        if (x - radius > 0) {
          sum -= image.data[(y * width + x - radius - 1) * 4 + k];
          count--;
        }
        if (x >= 0) rows[(y * width + x) * 3 + k] = sum / count;
      }
    }
  const sums = new Float64Array(width * 3);
  let count = 0;
  for (let y = -radius; y < height; y++) {
    if (y + radius < height) {
      for (let q = 0; q < width * 3; q++) sums[q] += rows[(y + radius) * width * 3 + q];
      count++;
    }
    if (y - radius > 0) {
      for (let q = 0; q < width * 3; q++) sums[q] -= rows[(y - radius - 1) * width * 3 + q];
      count--;
    }
    if (y < 0) continue;
    for (let x = 0; x < width; x++)
      for (let k = 0; k < 3; k++) data[(y * width + x) * 4 + k] = Math.round(sums[x * 3 + k] / count);
  }
  return { width, height, data };
}

/** Per pixel: 2 = the background itself, 1 = may be the background in shadow, 0 = something else. */
interface Likeness {
  kind: Uint8Array;
  /** Difference from the background, three channels, of pixels of kind 2; 0 elsewhere. */
  difference: Float32Array;
  brightness: Float32Array;
}

/** @param contrast per pixel, difference from the background near by; lossy files err by a share of it */
function compareToBackground(work: ColorImage, model: BackgroundModel, contrast?: Float32Array): Likeness {
  const { width, height, data } = work;
  const kind = new Uint8Array(width * height);
  const brightness = new Float32Array(width * height);
  const difference = new Float32Array(width * height * 3);
  const row = new Float32Array(width * 3);
  const plain = Math.max(2.5, 3.5 * model.noise);
  const hue = Math.max(5, 4 * model.noise);
  for (let y = 0; y < height; y++) {
    backgroundRow(model, y, width, height, row);
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const r = data[i * 4];
      const g = data[i * 4 + 1];
      const b = data[i * 4 + 2];
      const br = row[x * 3];
      const bg = row[x * 3 + 1];
      const bb = row[x * 3 + 2];
      brightness[i] = (r + g + b) / 3;
      const limit = contrast ? Math.max(plain, RINGING_SHARE * contrast[i]) : plain;
      if (Math.max(Math.abs(r - br), Math.abs(g - bg), Math.abs(b - bb)) <= limit) {
        kind[i] = 2;
        difference[i * 3] = r - br;
        difference[i * 3 + 1] = g - bg;
        difference[i * 3 + 2] = b - bb;
        continue;
      }
      if (model.kind === 'dark') continue;
      const k = (r * br + g * bg + b * bb) / Math.max(1, br * br + bg * bg + bb * bb);
      if (k > BRIGHTEST || k < DARKEST_SHADOW) continue;
      if (Math.max(Math.abs(r - k * br), Math.abs(g - k * bg), Math.abs(b - k * bb)) <= hue) kind[i] = 1;
    }
  }
  return { kind, brightness, difference };
}

/** Per pixel, the largest difference from the background within about a block of a lossy file. */
function contrastAround({ width, height, data }: ColorImage, model: BackgroundModel): Float32Array {
  const across = Math.ceil(width / RINGING);
  const down = Math.ceil(height / RINGING);
  const blocks = new Float32Array(across * down);
  const row = new Float32Array(width * 3);
  for (let y = 0; y < height; y++) {
    backgroundRow(model, y, width, height, row);
    for (let x = 0; x < width; x++) {
      const b = Math.floor(y / RINGING) * across + Math.floor(x / RINGING);
      for (let k = 0; k < 3; k++)
        blocks[b] = Math.max(blocks[b], Math.abs(data[(y * width + x) * 4 + k] - row[x * 3 + k]));
    }
  }
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [bx, by] = [Math.floor(x / RINGING), Math.floor(y / RINGING)];
      for (let v = Math.max(0, by - 1); v <= Math.min(down - 1, by + 1); v++)
        for (let u = Math.max(0, bx - 1); u <= Math.min(across - 1, bx + 1); u++)
          out[y * width + x] = Math.max(out[y * width + x], blocks[v * across + u]);
    }
  return out;
}

function insideOf(
  likeness: Likeness,
  work: ColorImage,
  model: BackgroundModel,
  prior?: { distance: Float32Array; margin: number },
): Uint8Array {
  const { width, height } = work;
  const outside = spread(likeness, width, height, model, prior);
  sealLeaks(outside, width, height);
  addOpenings(outside, likeness, width, height, model.noise, prior);
  const inside = inverse(outside);
  if (prior) {
    for (let i = 0; i < inside.length; i++) {
      if (prior.distance[i] > prior.margin) inside[i] = 1;
      else if (prior.distance[i] < -prior.margin) inside[i] = 0;
    }
  }
  dropSpecks(inside, width);
  return inside;
}

/** Spreads the background from the border. */
function spread(
  { kind, brightness }: Likeness,
  width: number,
  height: number,
  model: BackgroundModel,
  prior?: { distance: Float32Array; margin: number },
): Uint8Array {
  const outside = new Uint8Array(width * height);
  const queue = new Int32Array(width * height);
  let end = 0;
  const enter = (i: number): void => {
    if (outside[i] || kind[i] === 0) return;
    if (prior && prior.distance[i] > prior.margin) return;
    outside[i] = 1;
    queue[end++] = i;
  };
  for (let x = 0; x < width; x++) {
    enter(x);
    enter((height - 1) * width + x);
  }
  for (let y = 0; y < height; y++) {
    enter(y * width);
    enter(y * width + width - 1);
  }
  const steepest = Math.max(STEEPEST_SHADOW, 4 * model.noise);
  const steps = [-1, 1, -width, width];
  for (let at = 0; at < end; at++) {
    const i = queue[at];
    const x = i % width;
    for (let side = 0; side < 4; side++) {
      if (side === 0 ? x === 0 : side === 1 ? x === width - 1 : side === 2 ? i < width : i >= width * (height - 1))
        continue;
      const j = i + steps[side];
      if (outside[j]) continue;
      if (kind[j] === 1 && Math.abs(brightness[j] - brightness[i]) > steepest) continue;
      enter(j);
    }
  }
  return outside;
}

/** Takes back what the background reached only through gaps of up to four pixels. */
function sealLeaks(outside: Uint8Array, width: number, height: number): void {
  const radius = 2;
  const core = inverse(dilate(inverse(outside), width, height, radius));
  const { labels, areas } = components(core, width);
  const reaches = new Uint8Array(areas.length + 1);
  const border = (i: number): void => {
    reaches[labels[i]] = 1;
  };
  for (let x = 0; x < width; x++) {
    border(x);
    border((height - 1) * width + x);
  }
  for (let y = 0; y < height; y++) {
    border(y * width);
    border(y * width + width - 1);
  }
  // A wide pocket behind a narrow gap is background only if it is nearly as large as what is open (two legs, say).
  for (let i = 0; i < core.length; i++) if (labels[i] && !reaches[labels[i]]) core[i] = 0;
  const reached = dilate(core, width, height, radius + 1);
  for (let i = 0; i < outside.length; i++) if (!reached[i]) outside[i] = 0;
}

/** Adds enclosed regions that are the background seen through the object. */
function addOpenings(
  outside: Uint8Array,
  { kind, brightness, difference }: Likeness,
  width: number,
  height: number,
  noise: number,
  prior?: { distance: Float32Array; margin: number },
): void {
  const candidate = new Uint8Array(kind.length);
  for (let i = 0; i < kind.length; i++) if (kind[i] === 2 && !outside[i]) candidate[i] = 1;
  const { labels, areas } = components(candidate, width);
  const rim = new Int32Array(areas.length + 1);
  const hard = new Int32Array(areas.length + 1);
  const known = new Int32Array(areas.length + 1);
  const sums = new Float64Array((areas.length + 1) * 3);
  const steps = [1, -1, width, -width];
  /** Pixels between a pixel and the picture's border in the direction of a step. */
  const clearance = (x: number, y: number, step: number): number =>
    step === 1 ? width - 1 - x : step === -1 ? x : step === width ? height - 1 - y : y;
  for (let y = 3; y < height - 3; y++)
    for (let x = 3; x < width - 3; x++) {
      const i = y * width + x;
      const label = labels[i];
      if (label === 0) continue;
      if (prior && prior.distance[i] < 0) known[label]++;
      for (let k = 0; k < 3; k++) sums[label * 3 + k] += difference[i * 3 + k];
      for (const step of steps) {
        if (labels[i + step] === label) continue;
        const reach = Math.min(RINGING, clearance(x, y, step) - 3);
        if (entersAgain(labels, i, step, reach)) continue;
        rim[label]++;
        if (edgeAhead(brightness, i, step, reach)) hard[label]++;
      }
    }
  const least = HOLE_SHARE * width * height;
  const open = areas.map((area, n) => {
    if (area < least) return false;
    if (prior) return known[n + 1] > 0.5 * area;
    const off = Math.max(...[0, 1, 2].map((k) => Math.abs(sums[(n + 1) * 3 + k]))) / area;
    // White paint is seldom the very colour of the background.
    if (off > 0.9 + 0.3 * noise) return false;
    return hard[n + 1] > HARD_SHARE * rim[n + 1];
  });
  for (let i = 0; i < outside.length; i++) if (labels[i] && open[labels[i] - 1]) outside[i] = 1;
}

/** Whether a region goes on a few pixels ahead: what lies between is a speck in it, not its rim. */
function entersAgain(labels: Int32Array, from: number, step: number, reach: number): boolean {
  for (let k = 2; k <= reach; k++) if (labels[from + k * step] === labels[from]) return true;
  return false;
}

/**
 * Whether the brightness jumps within a few pixels in a direction. In compressed pictures the background ends before
 * its edge, where the edge begins to ring.
 */
function edgeAhead(brightness: Float32Array, from: number, step: number, reach: number): boolean {
  for (let k = 0; k <= reach; k++) {
    const i = from + k * step;
    if (Math.abs(brightness[i + 3 * step] - brightness[i]) > 24) return true;
  }
  return false;
}

function dropSpecks(inside: Uint8Array, width: number): void {
  const { labels, areas } = components(inside, width);
  const largest = Math.max(0, ...areas);
  const least = Math.min(SPECK_SHARE * inside.length, 0.02 * largest);
  for (let i = 0; i < inside.length; i++) if (labels[i] && areas[labels[i] - 1] < least) inside[i] = 0;
}

function confidenceOf(model: BackgroundModel, inside: Uint8Array): number {
  let area = 0;
  for (const v of inside) area += v;
  const share = area / inside.length;
  const level = model.coefficients.reduce((s, k) => s + k[0], 0) / 3;
  const clamp = (v: number): number => Math.max(0, Math.min(1, v));
  const border = clamp((model.explained - 0.5) / 0.4);
  const quiet = clamp((14 - model.noise) / 8);
  // Plain backgrounds of pictures for reconstruction are white, light grey or black; a mid-grey wall is a scene.
  const extreme = model.kind === 'bright' ? clamp((level - 120) / 60) : clamp((90 - level) / 50);
  const size = share > 5e-4 && share < 0.97 ? 1 : 0;
  return border * quiet * extreme * size;
}
