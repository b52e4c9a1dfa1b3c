import type { ColorImage } from '../../core/image.js';

/** Share of a picture's width and height that an opaque frame with a clear rim fills at least. */
const FRAME = 0.85;
/** Share of the pixels of that frame that are opaque at least. */
const FILLED = 0.995;

const OPAQUE = 128;

/** The box of the opaque pixels, and how many there are; undefined where all are clear. */
function opaqueBox({ width, height, data }: ColorImage) {
  let [left, top, right, bottom, count] = [width, height, -1, -1, 0];
  for (let y = 0, p = 3; y < height; y++)
    for (let x = 0; x < width; x++, p += 4) {
      if (data[p] < OPAQUE) continue;
      count++;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  return right < 0 ? undefined : { left, top, right, bottom, count };
}

/**
 * The opaque frame of a picture that is clear along its border alone, as resampling and undistortion leave it: a
 * rectangle that nearly fills the picture. Such transparency says nothing of an object. Undefined for others.
 */
function framed(image: ColorImage) {
  const box = opaqueBox(image);
  if (!box) return undefined;
  const [w, h] = [box.right - box.left + 1, box.bottom - box.top + 1];
  const isFrame = w >= FRAME * image.width && h >= FRAME * image.height && box.count >= FILLED * w * h;
  return isFrame ? box : undefined;
}

/** Whether a picture's transparency outlines something: some of it is clear, and not along the border alone. */
export function hasOutline(image: ColorImage): boolean {
  for (let p = 3; p < image.data.length; p += 4) if (image.data[p] < OPAQUE) return framed(image) === undefined;
  return false;
}

/**
 * Fills a clear rim with the nearest colours of the frame within, so that it is no edge to a look for the background.
 * Changes the picture.
 */
export function closeRim(image: ColorImage): ColorImage {
  const box = framed(image);
  const { width, height, data } = image;
  if (!box || box.count === width * height) return image;
  for (let y = 0, p = 0; y < height; y++)
    for (let x = 0; x < width; x++, p += 4) {
      if (x >= box.left && x <= box.right && y >= box.top && y <= box.bottom) continue;
      const u = Math.min(box.right, Math.max(box.left, x));
      const v = Math.min(box.bottom, Math.max(box.top, y));
      const q = (v * width + u) * 4;
      data.copyWithin(p, q, q + 4);
    }
  return image;
}
