import type { Camera } from '../../core/camera.js';
import type { FloatImage } from '../../core/image.js';
import { nearestPoint } from './nearestPoint.js';

/** Depth edges farther away than this many pixels are of no consequence. */
export const EDGE_LIMIT = 8;
/** Side of the square tiles that carry the least and greatest depth, in pixels. */
export const TILE = 8;

/** What fusion needs to know about a depth map besides its values. One entry per pixel unless stated. */
export interface DepthRelief {
  /**
   * Perpendicular distance to the surface per unit of depth: the ray (unit depth) dotted with the surface normal;
   * `SLOPE_MIN`…1.5.
   */
  slope: Float32Array;
  /** Distance to the nearest depth edge, in pixels, at most `EDGE_LIMIT` (no edge near). */
  edgeDistance: Float32Array;
  /** Depth beyond that edge minus depth on this side of it. */
  edgeStep: Float32Array;
  /** Per tile: least depth, 0 if any pixel of it has none. */
  tileMin: Float32Array;
  /** Per tile: greatest depth, 0 if no pixel has one. */
  tileMax: Float32Array;
  tilesX: number;
  tilesY: number;
}

export const SLOPE_MIN = 0.1;

/** Two neighbouring depths that differ by more than `depth · slope + base` lie on different surfaces. */
export interface JumpLimit {
  slope: number;
  base: number;
}

/** A surface steeper than twelve pixel widths per pixel (85°) cannot be told from a jump. */
export const jumpLimit = (camera: Camera, accuracy: number): JumpLimit => ({
  slope: 12 / Math.min(camera.fx, camera.fy),
  base: 4 * accuracy,
});

/** Slopes, edges and tile ranges of a depth map. */
export function depthRelief(depth: FloatImage, camera: Camera, accuracy: number): DepthRelief {
  const limit = jumpLimit(camera, accuracy);
  return {
    slope: slopes(depth, camera, limit, accuracy),
    ...edges(depth, limit),
    ...tiles(depth),
  };
}

function slopes(depth: FloatImage, camera: Camera, limit: JumpLimit, accuracy: number): Float32Array {
  const { width, height, data } = depth;
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const d = data[at];
      if (!(d > 0)) continue;
      // Coarsely quantised or noisy depth needs a longer base line for a meaningful slope.
      const step = Math.max(1, Math.min(8, Math.ceil((4 * accuracy * camera.fx) / d)));
      const dzdx = derivative(data, at, x, width, 1, step, limit);
      const dzdy = derivative(data, at, y, height, width, step, limit);
      if (Number.isNaN(dzdx) || Number.isNaN(dzdy)) {
        out[at] = 0.3;
        continue;
      }
      // Surface P(x, y) = d·(X, −Y, −1), X = (x + ½ − cx)/fx, Y = (y + ½ − cy)/fy. With p = ∂d/∂X and q = ∂d/∂Y its
      // normal is parallel to N = (−p, q, −(d + pX + qY)); the ray (X, −Y, −1) dotted with N / |N| gives d / |N|.
      const X = (x + 0.5 - camera.cx) / camera.fx;
      const Y = (y + 0.5 - camera.cy) / camera.fy;
      const p = dzdx * camera.fx;
      const q = dzdy * camera.fy;
      const n = d + p * X + q * Y;
      out[at] = Math.max(SLOPE_MIN, Math.min(1.5, d / Math.sqrt(p * p + q * q + n * n)));
    }
  return out;
}

/** Change of depth per pixel along one axis, from whichever neighbours lie on the same surface; NaN if none does. */
function derivative(
  data: Float32Array,
  at: number,
  position: number,
  size: number,
  stride: number,
  step: number,
  limit: JumpLimit,
): number {
  const d = data[at];
  const tolerance = (d * limit.slope + limit.base) * step;
  const low = position >= step ? data[at - stride * step] : 0;
  const high = position + step < size ? data[at + stride * step] : 0;
  const lowOk = low > 0 && Math.abs(low - d) < tolerance;
  const highOk = high > 0 && Math.abs(high - d) < tolerance;
  if (lowOk && highOk) return (high - low) / (2 * step);
  if (lowOk) return (d - low) / step;
  if (highOk) return (high - d) / step;
  return Number.NaN;
}

function edges(depth: FloatImage, limit: JumpLimit): Pick<DepthRelief, 'edgeDistance' | 'edgeStep'> {
  const { width, height, data } = depth;
  const xs: number[] = [];
  const ys: number[] = [];
  const near: number[] = [];
  const far: number[] = [];
  const compare = (at: number, other: number, x: number, y: number): void => {
    const a = data[at];
    const b = data[other];
    if (!(a > 0 && b > 0) || Math.abs(a - b) <= Math.min(a, b) * limit.slope + limit.base) return;
    xs.push(x);
    ys.push(y);
    near.push(Math.min(a, b));
    far.push(Math.max(a, b));
  };
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      if (x + 1 < width) compare(at, at + 1, x + 0.5, y);
      if (y + 1 < height) compare(at, at + width, x, y + 0.5);
    }
  const edgeDistance = new Float32Array(width * height).fill(EDGE_LIMIT);
  const edgeStep = new Float32Array(width * height);
  const px = Float32Array.from(xs);
  const py = Float32Array.from(ys);
  const nearest = nearestPoint(width, height, px, py);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const i = nearest[at];
      if (i < 0 || !(data[at] > 0)) continue;
      const d = Math.sqrt((px[i] - x) ** 2 + (py[i] - y) ** 2);
      if (d >= EDGE_LIMIT) continue;
      edgeDistance[at] = d;
      edgeStep[at] = data[at] > (near[i] + far[i]) / 2 ? near[i] - data[at] : far[i] - data[at];
    }
  return { edgeDistance, edgeStep };
}

function tiles(depth: FloatImage): Pick<DepthRelief, 'tileMin' | 'tileMax' | 'tilesX' | 'tilesY'> {
  const { width, height, data } = depth;
  const tilesX = Math.ceil(width / TILE);
  const tilesY = Math.ceil(height / TILE);
  const tileMin = new Float32Array(tilesX * tilesY).fill(Number.POSITIVE_INFINITY);
  const tileMax = new Float32Array(tilesX * tilesY);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const tile = Math.floor(y / TILE) * tilesX + Math.floor(x / TILE);
      const d = Math.max(0, data[y * width + x]);
      if (d < tileMin[tile]) tileMin[tile] = d;
      if (d > tileMax[tile]) tileMax[tile] = d;
    }
  return { tileMin, tileMax, tilesX, tilesY };
}
