import { PlinthError } from '../../core/errors.js';
import type { FloatImage } from '../../core/image.js';
import { decodeDepth } from '../images/depth.js';
import { readImageHeader } from '../images/header.js';
import { type CleanDepth, cleanDepth } from './cleanDepth.js';
import type { DepthModel } from './rig/rigParameters.js';

export interface SixDepth extends CleanDepth {
  /** Largest value that the file can hold (255, 65535), or of a float file the largest it holds. */
  full: number;
  /** Whether the values are whole steps. */
  quantised: boolean;
}

/**
 * Reads a depth map's own values and cleans them. Throws `DEPTH_INVALID` for maps with fewer than two hundred pixels of
 * the object or none of the background, and what `decodeDepth` throws.
 */
export async function readSixDepth(file: string, maxPixels: number): Promise<SixDepth> {
  const bits = /\.exr$/i.test(file) ? 32 : (await readImageHeader(file, maxPixels)).bits;
  const raw = await decodeDepth(file, { maxPixels, scale: 1 });
  const clean = cleanDepth(raw);
  let count = 0;
  for (const v of clean.values.data) if (v > 0) count++;
  if (count < 200 || count > 0.995 * clean.values.data.length) {
    throw new PlinthError('DEPTH_INVALID', {
      found: `${file} marks ${count < 200 ? 'no object' : 'every pixel as object'}`,
      expected: 'a depth map with 0 where there is no object, and other values on it',
      remedy: 'Export the depth map again, or remove the folder depth_renders/ to go on without depth',
      subject: file,
    });
  }
  const full = bits === 8 ? 255 : bits === 16 ? 65535 : Math.max(clean.most, 1e-9);
  return { ...clean, full, quantised: bits !== 32 };
}

/** The values as shares of the largest possible one; 0 = none. */
export const normalisedDepth = (depth: SixDepth): FloatImage => ({
  width: depth.values.width,
  height: depth.values.height,
  data: depth.values.data.map((v) => v / depth.full),
});

/** Distances along the viewing axis in scene units; 0 = none. */
export function toDistances(depth: SixDepth, model: DepthModel, a: number, b: number, unit: number): FloatImage {
  const data = depth.values.data.map((v) => {
    if (!(v > 0)) return 0;
    const linear = (a * v) / depth.full + b;
    const z = model === 'linear' ? linear : 1 / linear;
    return z > 0 && Number.isFinite(z) ? z * unit : 0;
  });
  return { width: depth.values.width, height: depth.values.height, data };
}
