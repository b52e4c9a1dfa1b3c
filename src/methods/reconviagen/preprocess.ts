import type { ColorImage } from '../../core/image.js';
import { resizeBilinear } from '../../nn/resize.js';

/** Alpha above this is object. */
const OPAQUE = 0.8;

/** A square cut of a photo, and where it lay: pixel (x, y) of the photo is ((x − left) · scale, (y − top) · scale). */
export interface PreparedPhoto {
  /** Side × side pixels, RGBA; black where the object is not. */
  data: Uint8Array;
  side: number;
  left: number;
  top: number;
  scale: number;
}

/**
 * Cuts a photo to its object with a border of a tenth, as a square of `side` pixels. Numbers are f32 and cut off to
 * bytes, as the reference does. Undefined where nothing is opaque.
 */
export function preparePhoto(photo: ColorImage, side: number): PreparedPhoto | undefined {
  const box = opaqueBox(photo);
  if (!box) return undefined;
  const size = Math.trunc(1.1 * Math.max(box.right - box.left, box.bottom - box.top));
  const half = Math.floor(size / 2);
  const [centreX, centreY] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  const left = Math.max(0, Math.trunc(centreX - half));
  const top = Math.max(0, Math.trunc(centreY - half));
  const width = Math.min(photo.width, Math.trunc(centreX + half)) - left;
  const height = Math.min(photo.height, Math.trunc(centreY + half)) - top;
  const square = Math.max(width, height);
  const [padLeft, padTop] = [Math.floor((square - width) / 2), Math.floor((square - height) / 2)];
  const planes = new Float32Array(4 * square * square);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 4; c++) {
        const value = photo.data[((top + y) * photo.width + left + x) * 4 + c];
        planes[(c * square + padTop + y) * square + padLeft + x] = Math.fround(value / 255);
      }
    }
  }
  const resized = resizeBilinear(planes, 4, { width: square, height: square }, { width: side, height: side });
  const data = new Uint8Array(side * side * 4);
  const pixels = side * side;
  for (let i = 0; i < pixels; i++) {
    const visible = resized[3 * pixels + i] > Math.fround(OPAQUE) ? 1 : 0;
    for (let c = 0; c < 4; c++) {
      const value = resized[c * pixels + i] * (c < 3 ? visible : 1);
      data[i * 4 + c] = Math.trunc(Math.fround(value * 255));
    }
  }
  return { data, side, left: left - padLeft, top: top - padTop, scale: side / square };
}

function opaqueBox(photo: ColorImage): { left: number; right: number; top: number; bottom: number } | undefined {
  let box: { left: number; right: number; top: number; bottom: number } | undefined;
  for (let y = 0; y < photo.height; y++) {
    for (let x = 0; x < photo.width; x++) {
      if (photo.data[(y * photo.width + x) * 4 + 3] <= OPAQUE * 255) continue;
      box ??= { left: x, right: x, top: y, bottom: y };
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x);
      box.bottom = y;
    }
  }
  return box;
}
