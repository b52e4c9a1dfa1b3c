import type { ImagePlanes } from '../src/quality/metrics/planes.js';

/**
 * A deterministic pair of pictures in integer arithmetic, so that any program can make the same: a pattern and the
 * pattern with noise of ±k.
 */
export function noisyPair(
  width: number,
  height: number,
  k: number,
  inside: (x: number, y: number) => boolean = () => true,
): [ImagePlanes, ImagePlanes] {
  const clean = [0, 1, 2].map(() => new Float32Array(width * height));
  const noisy = [0, 1, 2].map(() => new Float32Array(width * height));
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const i = y * width + x;
        const value = (x * 3 + y * 5 + c * 40 + Math.floor(x / 9) * Math.floor(y / 7) * 11) % 256;
        const noise = ((x * 37 + y * 17 + c * 11 + x * y * 7) % (2 * k + 1)) - k;
        clean[c][i] = inside(x, y) ? value / 255 : 1;
        noisy[c][i] = inside(x, y) ? Math.min(255, Math.max(0, value + noise)) / 255 : 1;
      }
  return [
    { width, height, planes: clean },
    { width, height, planes: noisy },
  ];
}

export const grey = (image: ImagePlanes): ImagePlanes => ({ ...image, planes: image.planes.slice(0, 1) });

export function maskOf(width: number, height: number, inside: (x: number, y: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: width * height }, (_, i) => (inside(i % width, Math.floor(i / width)) ? 1 : 0));
}

/** The disc of the masked references. */
export const disc =
  (width: number, height: number) =>
  (x: number, y: number): boolean =>
    (x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 3.5) ** 2;
