import { fillGutter } from '../../../render/projection/texels/gutter.js';

/** Numbers per texel; see `DiffMaterial`. */
export const TEXEL_FLOATS = 8;

/**
 * Gives every texel that is not filled the values of (nearly) the nearest one that is, so that mip levels and filters
 * at the borders of charts read what belongs to the charts.
 * @param texels f32 [width × height × 8], in place; at most 2²⁴ texels
 * @param filled 1 = keep; at least one
 */
export async function spreadTexels(
  texels: Float32Array,
  filled: Uint8Array,
  width: number,
  height: number,
  signal?: AbortSignal,
): Promise<void> {
  // The gutter is found on numbers of texels in place of colours; alpha says which are filled.
  const numbers = new Uint32Array(width * height);
  for (let i = 0; i < numbers.length; i++) numbers[i] = filled[i] ? (0xff000000 | i) >>> 0 : i;
  await fillGutter(new Uint8Array(numbers.buffer), width, height, signal);
  for (let i = 0; i < numbers.length; i++) {
    if (filled[i]) continue;
    const from = (numbers[i] & 0xffffff) * TEXEL_FLOATS;
    texels.copyWithin(i * TEXEL_FLOATS, from, from + TEXEL_FLOATS);
  }
}

/** The filled texels and those next to them, which filters inside the charts read too. */
export function withRing(inside: ArrayLike<number>, width: number, height: number): Uint8Array {
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!inside[y * width + x]) continue;
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
        out.fill(1, v * width + Math.max(0, x - 1), v * width + Math.min(width, x + 2));
      }
    }
  }
  return out;
}
