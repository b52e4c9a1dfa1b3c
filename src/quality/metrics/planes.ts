import type { ColorImage } from '../../core/image.js';

/** An image as one plane per channel, sRGB-encoded values in 0…1: what the image metrics work on. */
export interface ImagePlanes {
  width: number;
  height: number;
  /** One `Float32Array` of `width * height` per channel: three for colour, one for grey. */
  planes: Float32Array[];
  /** Size of the frame that the planes are cut from, where the rest of it is white. Default: nothing is cut off. */
  frame?: { width: number; height: number };
}

/** A part of a frame, in pixels. */
export interface Cut {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Number of pixels for which the planes stand: those of the frame. */
export const pixelsOf = ({ width, height, frame }: ImagePlanes): number =>
  (frame?.width ?? width) * (frame?.height ?? height);

/**
 * The part of the frame that holds all that is not clear in one of two images of the same size, with `margin` pixels
 * around it as far as the frame goes. At least `margin + 1` pixels wide and high, if the frame is.
 */
export function occupiedCut(a: ColorImage, b: ColorImage, margin: number): Cut {
  const { width, height } = a;
  const [first, second] = [a.data, b.data];
  const clear = (i: number): boolean => first[i * 4 + 3] === 0 && second[i * 4 + 3] === 0;
  let [x0, x1, y0, y1] = [width, 0, height, 0];
  for (let y = 0; y < height; y++) {
    const base = y * width;
    let left = 0;
    while (left < width && clear(base + left)) left++;
    if (left === width) continue;
    let right = width;
    while (clear(base + right - 1)) right--;
    x0 = Math.min(x0, left);
    x1 = Math.max(x1, right);
    y0 = Math.min(y0, y);
    y1 = y + 1;
  }
  if (x1 === 0) [x0, x1, y0, y1] = [0, 1, 0, 1];
  const left = Math.max(0, x0 - margin);
  const top = Math.max(0, y0 - margin);
  return { left, top, width: Math.min(width, x1 + margin) - left, height: Math.min(height, y1 + margin) - top };
}

/** What `cut` leaves of an image. */
export function cutImage({ width, data }: ColorImage, cut: Cut): ColorImage {
  const out = new Uint8Array(cut.width * cut.height * 4);
  for (let y = 0; y < cut.height; y++) {
    const from = ((cut.top + y) * width + cut.left) * 4;
    out.set(data.subarray(from, from + cut.width * 4), y * cut.width * 4);
  }
  return { width: cut.width, height: cut.height, data: out };
}

/**
 * Composites on white, sRGB values as they are: `value * alpha + (1 − alpha)`, not rounded to 8 bits. That is how
 * NeRF-style benchmarks state their figures, so that numbers can be compared.
 */
export function compositeOnWhite({ width, height, data }: ColorImage): ImagePlanes {
  const n = width * height;
  const [red, green, blue] = [new Float32Array(n), new Float32Array(n), new Float32Array(n)];
  for (let i = 0, k = 0; i < n; i++, k += 4) {
    const alpha = data[k + 3];
    const white = 255 * (255 - alpha);
    red[i] = (data[k] * alpha + white) / 65025;
    green[i] = (data[k + 1] * alpha + white) / 65025;
    blue[i] = (data[k + 2] * alpha + white) / 65025;
  }
  return { width, height, planes: [red, green, blue] };
}

/** 1 where alpha > 0.5 (128…255), else 0. */
export function alphaMask({ width, height, data }: ColorImage): Uint8Array {
  const mask = new Uint8Array(width * height);
  for (let i = 0, k = 3; i < mask.length; i++, k += 4) mask[i] = data[k] > 127 ? 1 : 0;
  return mask;
}

/** Throws `RangeError` where two images that are to be compared differ in size or number of channels. */
export function assertSameShape(a: ImagePlanes, b: ImagePlanes): void {
  if (a.width !== b.width || a.height !== b.height || a.planes.length !== b.planes.length) {
    const shape = (p: ImagePlanes) => `${p.width} × ${p.height} × ${p.planes.length}`;
    throw new RangeError(`images differ in shape: ${shape(a)} and ${shape(b)}`);
  }
}
