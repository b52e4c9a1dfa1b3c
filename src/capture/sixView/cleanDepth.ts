import type { FloatImage } from '../../core/image.js';
import { components } from '../masks/components.js';
import { threshold } from '../masks/morphology.js';

export interface CleanDepth {
  /** Values as in the file, 0 = none. */
  values: FloatImage;
  /** 1 where the object is: also where the value was emptied because it hung between two surfaces. */
  inside: Uint8Array;
  /** Range of the values that were kept. */
  least: number;
  most: number;
  /** Pixels of specks that were emptied, filled or evened, and of depth edges that were emptied. */
  specks: number;
  flying: number;
}

/** Share of all pixels below which an island or a hole of a depth map is a speck, not a part of the object. */
const SPECK_SHARE = 5e-5;
/** Jump in the values, as a share of their range, from which neighbours lie on different surfaces. */
const JUMP = 0.03;

/**
 * Takes islands and pinholes out of a depth map, sharpens an outline that a resize mixed with the empty background,
 * replaces isolated values by the median of their neighbours, and empties pixels at depth edges that hang between the
 * two surfaces ("flying" pixels, as smoothed edges produce).
 */
export function cleanDepth(raw: FloatImage): CleanDepth {
  const { width, height } = raw;
  const data = Float32Array.from(raw.data);
  const speckArea = Math.max(4, Math.round(SPECK_SHARE * data.length));
  let specks = removeIslands(data, width, speckArea);
  const faded = isFaded(data, width, height) ? trimFaded(data, width, height) : 0;
  const { least, most } = valueRange(data);
  const jump = Math.max(JUMP * (most - least), 1e-9);
  specks += fillPinholes(data, width, height, speckArea);
  specks += evenIsolated(data, width, height, jump);
  const inside = maskOf(data);
  const flying = faded + emptyFlying(data, width, height, jump);
  return { values: { width, height, data }, inside, ...valueRange(data), specks, flying };
}

const maskOf = (data: Float32Array): Uint8Array => threshold(data, Number.MIN_VALUE);

function removeIslands(data: Float32Array, width: number, speckArea: number): number {
  const { labels, areas } = components(maskOf(data), width);
  let removed = 0;
  for (let i = 0; i < data.length; i++) {
    if (labels[i] === 0 || areas[labels[i] - 1] > speckArea) continue;
    data[i] = 0;
    removed++;
  }
  return removed;
}

/** Range between the 0.1 % and 99.9 % quantiles of the values above 0. */
function valueRange(data: Float32Array): { least: number; most: number } {
  // Every seventh pixel is enough for a quantile, and sorting them all takes most of the time.
  const values = new Float32Array(Math.ceil(data.length / 7));
  let count = 0;
  for (let i = 0; i < data.length; i += 7) if (data[i] > 0) values[count++] = data[i];
  const sorted = values.subarray(0, count).sort();
  if (count === 0) return { least: 0, most: 0 };
  const at = (q: number): number => sorted[Math.min(count - 1, Math.floor(q * count))];
  return { least: at(0.001), most: at(0.999) };
}

/** The valid neighbours of a pixel within the 3 × 3 window, sorted; returns their number. */
function neighbours(data: Float32Array, width: number, height: number, i: number, out: Float64Array): number {
  const x = i % width;
  const y = (i - x) / width;
  let n = 0;
  for (let dy = -1; dy <= 1; dy++)
    for (let dx = -1; dx <= 1; dx++) {
      if ((dx === 0 && dy === 0) || x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue;
      const v = data[i + dy * width + dx];
      if (v > 0) out[n++] = v;
    }
  for (let a = 1; a < n; a++) {
    const v = out[a];
    let b = a;
    for (; b > 0 && out[b - 1] > v; b--) out[b] = out[b - 1];
    out[b] = v;
  }
  return n;
}

/** Fills small enclosed holes with the median of their neighbours, from their rims inwards. */
function fillPinholes(data: Float32Array, width: number, height: number, speckArea: number): number {
  const { labels, areas } = components(maskOf(data), width, 0);
  const near = new Float64Array(8);
  let open: number[] = [];
  for (let i = 0; i < data.length; i++) if (labels[i] !== 0 && areas[labels[i] - 1] <= speckArea) open.push(i);
  let filled = 0;
  while (open.length > 0) {
    const set: [number, number][] = [];
    const rest: number[] = [];
    for (const i of open) {
      const n = neighbours(data, width, height, i, near);
      if (n >= 3) set.push([i, near[n >> 1]]);
      else rest.push(i);
    }
    if (set.length === 0) break;
    for (const [i, v] of set) data[i] = v;
    filled += set.length;
    open = rest;
  }
  return filled;
}

function evenIsolated(data: Float32Array, width: number, height: number, jump: number): number {
  const near = new Float64Array(8);
  const out: [number, number][] = [];
  for (let i = 0; i < data.length; i++) {
    const v = data[i];
    if (!(v > 0)) continue;
    // Cheap way out for nearly all pixels: three direct neighbours agree.
    if (
      i >= width &&
      i < data.length - width &&
      Math.abs(data[i - 1] - v) < jump &&
      Math.abs(data[i + 1] - v) < jump &&
      Math.abs(data[i - width] - v) < jump
    )
      continue;
    const n = neighbours(data, width, height, i, near);
    if (n < 5) continue;
    let alike = 0;
    for (let k = 0; k < n; k++) if (Math.abs(near[k] - v) < jump) alike++;
    if (alike < 2) out.push([i, near[n >> 1]]);
  }
  for (const [i, v] of out) data[i] = v;
  return out.length;
}

/** Pixels from the outline to a value that the background has not faded. */
const FADE = 3;
/** Share of the value there below which an outline pixel counts as faded. */
const FADED = 0.6;

/** The largest value within FADE pixels along rows and columns: what a faded pixel would have been. */
function unfaded(data: Float32Array, width: number, height: number, x: number, y: number): number {
  let most = 0;
  for (let d = 1; d <= FADE; d++) {
    if (x >= d) most = Math.max(most, data[y * width + x - d]);
    if (x + d < width) most = Math.max(most, data[y * width + x + d]);
    if (y >= d) most = Math.max(most, data[(y - d) * width + x]);
    if (y + d < height) most = Math.max(most, data[(y + d) * width + x]);
  }
  return most;
}

/** Whether most of the outline fades towards the empty background, as averaging with its zeros does. */
function isFaded(data: Float32Array, width: number, height: number): boolean {
  let outline = 0;
  let faded = 0;
  for (let y = 1; y < height - 1; y++)
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      if (!(data[i] > 0) || (data[i - 1] > 0 && data[i + 1] > 0 && data[i - width] > 0 && data[i + width] > 0))
        continue;
      outline++;
      if (data[i] < FADED * unfaded(data, width, height, x, y)) faded++;
    }
  return faded > 0.5 * outline;
}

/**
 * Puts the outline where half of a pixel is covered, and gives the faded pixels that stay the value that they would
 * have had. Returns how many pixels were changed.
 */
function trimFaded(data: Float32Array, width: number, height: number): number {
  const near = FADE - 1;
  const changes: [number, number][] = [];
  for (let y = near; y < height - near; y++)
    for (let x = near; x < width - near; x++) {
      const i = y * width + x;
      if (!(data[i] > 0)) continue;
      let empty = 0;
      for (let v = -near; v <= near; v++)
        for (let u = -near; u <= near; u++) if (!(data[i + v * width + u] > 0)) empty++;
      if (empty === 0) continue;
      const whole = unfaded(data, width, height, x, y);
      if (data[i] < 0.5 * whole) changes.push([i, 0]);
      else if (data[i] < 0.98 * whole) changes.push([i, whole]);
    }
  for (const [i, v] of changes) data[i] = v;
  return changes.length;
}

function emptyFlying(data: Float32Array, width: number, height: number, jump: number): number {
  const out: number[] = [];
  const steps = [1, width, width + 1, width - 1];
  for (let y = 1; y < height - 1; y++)
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      const v = data[i];
      if (!(v > 0)) continue;
      for (const step of steps) {
        const p = data[i - step];
        const q = data[i + step];
        if (p > 0 && q > 0 && Math.abs(p - v) > jump && Math.abs(q - v) > jump && (p - v) * (q - v) < 0) {
          out.push(i);
          break;
        }
      }
    }
  for (const i of out) data[i] = 0;
  return out.length;
}
