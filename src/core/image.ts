/** Images as plain data, rows from top to bottom, channels interleaved. */

/** 8-bit colour: sRGB, straight alpha, 4 channels. `data.length === width * height * 4`. */
export interface ColorImage {
  width: number;
  height: number;
  data: Uint8ClampedArray | Uint8Array;
}

/** One 32-bit float per pixel. As a depth map: distance along the viewing axis in scene units; 0 = none. */
export interface FloatImage {
  width: number;
  height: number;
  data: Float32Array;
}

/** High-dynamic-range linear RGB, 3 channels per pixel. */
export interface HdrImage {
  width: number;
  height: number;
  data: Float32Array;
}

/** sRGB transfer function (IEC 61966-2-1), encoded value in 0…1 to linear. */
export const srgbToLinear = (v: number): number => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);

/** Linear value to sRGB-encoded, both in 0…1. */
export const linearToSrgb = (v: number): number => (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055);
