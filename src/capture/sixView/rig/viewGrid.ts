import type { FloatImage } from '../../../core/image.js';
import type { ViewName } from '../../layout/names.js';
import { signedDistance } from '../../masks/distance.js';
import { threshold } from '../../masks/morphology.js';

/**
 * One view at the coarse resolution at which the arrangement is found. Image positions are counted from the picture's
 * centre in units of its width (x right, y down), so that they do not depend on resolution.
 */
export interface ViewGrid {
  name: ViewName;
  width: number;
  height: number;
  /** 1 where the object is. */
  inside: Uint8Array;
  /** Signed distance to the outline in cells, positive inside. */
  distance: Float32Array;
  /** Whether there is a depth map. */
  hasDepth: boolean;
  /** Depth value as a share of the file's largest possible one; NaN where unknown. */
  value: Float32Array;
  /** The 1 % and 99 % quantiles of `value`. */
  ends: [number, number];
  /** Image position of the samples that `value` is the mean of: the cell's centre, except at the outline. */
  positionX: Float32Array;
  positionY: Float32Array;
  /** Least and greatest value in the 3 × 3 cells around. */
  least: Float32Array;
  greatest: Float32Array;
  /** Change of `value` per unit of image position; NaN where the surface is not smooth. */
  slopeX: Float32Array;
  slopeY: Float32Array;
  /** Encoded red, green and blue, 0…1, of the picture at each cell, where there is a depth map to compare them on. */
  color?: Float32Array;
  /** Largest |x| and |y| of the object's image. */
  extentX: number;
  extentY: number;
}

export interface MaskLike {
  width: number;
  height: number;
  data: ArrayLike<number>;
}

/** Jump in value, as a share of the view's range, between cells two apart that ends a smooth surface. */
const BREAK = 0.08;

/**
 * @param mask share of the object in each pixel, 0…1, at any resolution
 * @param depth values 0…1 (0 = none) of any size with the same frame, or undefined
 * @param size cells of the longer side of the grid
 */
export function makeViewGrid(name: ViewName, mask: MaskLike, depth: FloatImage | undefined, size: number): ViewGrid {
  const longer = Math.max(mask.width, mask.height);
  const width = Math.round((size * mask.width) / longer);
  const height = Math.round((size * mask.height) / longer);
  const cover = averageCells(mask, width, height);
  const inside = threshold(cover, 0.5);
  const distance = signedDistance(inside, width, height);
  let extentX = 0;
  let extentY = 0;
  for (let i = 0; i < inside.length; i++) {
    // Beside the outline the coverage says where within the cell it runs.
    if (Math.abs(distance[i]) < 0.75) distance[i] = cover[i] - 0.5;
    if (!inside[i]) continue;
    const x = i % width;
    extentX = Math.max(extentX, (Math.abs(x + 0.5 - width / 2) + 0.5) / width);
    extentY = Math.max(extentY, (Math.abs((i - x) / width + 0.5 - height / 2) + 0.5) / width);
  }
  const value = new Float32Array(inside.length).fill(Number.NaN);
  const slopeX = new Float32Array(inside.length).fill(Number.NaN);
  const slopeY = new Float32Array(inside.length).fill(Number.NaN);
  const positionX = new Float32Array(inside.length);
  const positionY = new Float32Array(inside.length);
  const least = new Float32Array(inside.length).fill(Number.NaN);
  const greatest = new Float32Array(inside.length).fill(Number.NaN);
  if (depth) {
    averageDepth(depth, width, height, inside, value, positionX, positionY);
    slopes(value, width, height, slopeX, slopeY);
    windows(value, width, height, least, greatest);
  }
  return {
    name,
    width,
    height,
    inside,
    distance,
    hasDepth: depth !== undefined,
    value,
    ends: quantiles(value),
    positionX,
    positionY,
    least,
    greatest,
    slopeX,
    slopeY,
    extentX,
    extentY,
  };
}

function averageCells(image: MaskLike, width: number, height: number): Float32Array {
  const sum = new Float32Array(width * height);
  const count = new Float32Array(width * height);
  const column = new Int32Array(image.width);
  for (let x = 0; x < image.width; x++) column[x] = Math.min(width - 1, Math.floor(((x + 0.5) * width) / image.width));
  for (let y = 0; y < image.height; y++) {
    const row = Math.min(height - 1, Math.floor(((y + 0.5) * height) / image.height)) * width;
    for (let x = 0; x < image.width; x++) {
      const c = row + column[x];
      sum[c] += image.data[y * image.width + x];
      count[c]++;
    }
  }
  for (let i = 0; i < sum.length; i++) sum[i] = count[i] > 0 ? sum[i] / count[i] : 0;
  return sum;
}

/** Means of the values of a cell that lie on the same surface as its middle one: quantisation shrinks, edges stay. */
function averageDepth(
  depth: FloatImage,
  width: number,
  height: number,
  inside: Uint8Array,
  out: Float32Array,
  positionX: Float32Array,
  positionY: Float32Array,
): void {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (const v of depth.data) {
    if (!(v > 0)) continue;
    if (v < least) least = v;
    if (v > most) most = v;
  }
  const near = Math.max(0.03 * (most - least), 1e-6);
  const stepX = depth.width / width;
  const stepY = depth.height / height;
  for (let cy = 0; cy < height; cy++)
    for (let cx = 0; cx < width; cx++) {
      const c = cy * width + cx;
      if (!inside[c]) continue;
      const x0 = Math.floor(cx * stepX);
      const x1 = Math.max(x0 + 1, Math.floor((cx + 1) * stepX));
      const y0 = Math.floor(cy * stepY);
      const y1 = Math.max(y0 + 1, Math.floor((cy + 1) * stepY));
      const middle = depth.data[((y0 + y1) >> 1) * depth.width + ((x0 + x1) >> 1)];
      let reference = middle;
      let sum = 0;
      let sumX = 0;
      let sumY = 0;
      let n = 0;
      for (let y = y0; y < y1; y++)
        for (let x = x0; x < x1; x++) {
          const v = depth.data[y * depth.width + x];
          if (!(v > 0)) continue;
          if (!(reference > 0)) reference = v;
          if (Math.abs(v - reference) > near) continue;
          sum += v;
          sumX += x;
          sumY += y;
          n++;
        }
      if (n === 0) continue;
      out[c] = sum / n;
      positionX[c] = (sumX / n + 0.5) / depth.width - 0.5;
      positionY[c] = (sumY / n + 0.5 - depth.height / 2) / depth.width;
    }
}

function slopes(value: Float32Array, width: number, height: number, slopeX: Float32Array, slopeY: Float32Array): void {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const v of value) {
    if (v < least) least = v;
    if (v > most) most = v;
  }
  const limit = Math.max(BREAK * (most - least), 0.012);
  const along = (i: number, step: number, before: number, after: number): number => {
    for (const reach of [2, 1]) {
      if (before < reach || after < reach) continue;
      const p = value[i - reach * step];
      const q = value[i + reach * step];
      if (Math.abs(q - p) < limit * reach && Math.abs(p + q - 2 * value[i]) < (limit * reach) / 2) {
        return ((q - p) / (2 * reach)) * width;
      }
    }
    return Number.NaN;
  };
  for (let i = 0; i < value.length; i++) {
    if (Number.isNaN(value[i])) continue;
    const x = i % width;
    const y = (i - x) / width;
    const sx = along(i, 1, x, width - 1 - x);
    const sy = along(i, width, y, height - 1 - y);
    if (Number.isNaN(sx) || Number.isNaN(sy)) continue;
    slopeX[i] = sx;
    slopeY[i] = sy;
  }
}

function quantiles(value: Float32Array): [number, number] {
  const values = value.filter((v) => !Number.isNaN(v)).sort();
  const at = (share: number): number => values[Math.floor(share * (values.length - 1))] ?? 0;
  return [at(0.01), at(0.99)];
}

function windows(
  value: Float32Array,
  width: number,
  height: number,
  least: Float32Array,
  greatest: Float32Array,
): void {
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const c = y * width + x;
      if (Number.isNaN(value[c])) continue;
      let low = value[c];
      let high = low;
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          const w = value[v * width + u];
          if (w < low) low = w;
          if (w > high) high = w;
        }
      least[c] = low;
      greatest[c] = high;
    }
}
