import type { ColorImage } from '../../core/image.js';

/** An image as one plane per channel, sRGB-encoded values in 0…1: what the image metrics work on. */
export interface ImagePlanes {
  width: number;
  height: number;
  /** One `Float32Array` of `width * height` per channel: three for colour, one for grey. */
  planes: Float32Array[];
}

/**
 * Composites on white, sRGB values as they are: `value * alpha + (1 − alpha)`, not rounded to 8 bits. That is how
 * NeRF-style benchmarks state their figures, so that numbers can be compared.
 */
export function compositeOnWhite(image: ColorImage): ImagePlanes {
  const { width, height, data } = image;
  const n = width * height;
  const planes = [new Float32Array(n), new Float32Array(n), new Float32Array(n)];
  for (let c = 0; c < 3; c++) {
    const plane = planes[c];
    for (let i = 0, k = c, a = 3; i < n; i++, k += 4, a += 4) {
      plane[i] = (data[k] * data[a] + 255 * (255 - data[a])) / 65025;
    }
  }
  return { width, height, planes };
}

/** 1 where alpha > 0.5 (128…255), else 0. */
export function alphaMask(image: ColorImage): Uint8Array {
  const n = image.width * image.height;
  const mask = new Uint8Array(n);
  for (let i = 0; i < n; i++) mask[i] = image.data[i * 4 + 3] > 127 ? 1 : 0;
  return mask;
}

/** Throws `RangeError` where two images that are to be compared differ in size or number of channels. */
export function assertSameShape(a: ImagePlanes, b: ImagePlanes): void {
  if (a.width !== b.width || a.height !== b.height || a.planes.length !== b.planes.length) {
    const shape = (p: ImagePlanes) => `${p.width} × ${p.height} × ${p.planes.length}`;
    throw new RangeError(`images differ in shape: ${shape(a)} and ${shape(b)}`);
  }
}
