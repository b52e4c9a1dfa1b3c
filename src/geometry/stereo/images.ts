import { type Camera, resizeCamera } from '../../core/camera.js';
import { toHalf } from '../../core/halfFloat.js';
import type { ColorImage } from '../../core/image.js';

/** A picture of the object at one of several sizes, as the stereo's kernels take it. */
export interface StereoLevel {
  /** Of the part that was cut out. */
  camera: Camera;
  /** Halves, two a pixel: brightness 0…1 times alpha, alpha. */
  texels: Uint16Array;
  /** Pixels inside the mask, `y << 16 | x`: first those whose x + y is even, then the others, each row by row. */
  pixels: Uint32Array;
  /** Number of those whose x + y is even. */
  even: number;
}

/** Alpha from which a pixel belongs to the object. */
const OPAQUE = 0.5;
/** Pixels around the mask that are kept. */
const MARGIN = 8;

/**
 * Brightness and alpha of a picture, cut to the mask's box, at `levels` sizes of which each is half the one before.
 * @param image sRGB with straight alpha
 * @returns the largest first; undefined where the mask is empty
 */
export function stereoLevels(image: ColorImage, camera: Camera, levels: number): StereoLevel[] | undefined {
  const box = maskBox(image, 2 ** (levels - 1));
  if (!box) return undefined;
  const fitted = resizeCamera(camera, image.width, image.height);
  let { width, height } = box;
  let part: Camera = { ...fitted, width, height, cx: fitted.cx - box.x, cy: fitted.cy - box.y };
  let values = brightness(image, box);
  const out: StereoLevel[] = [];
  for (let level = 0; level < levels; level++) {
    if (level > 0) {
      values = halve(values, width, height);
      width >>= 1;
      height >>= 1;
      part = resizeCamera(part, width, height);
    }
    out.push({ camera: part, texels: Uint16Array.from(values, toHalf), ...insideOf(values, width, height) });
  }
  return out;
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Box around the mask with a margin; its size is a multiple of `multiple`, and it may reach beyond the picture. */
function maskBox({ width, height, data }: ColorImage, multiple: number): Box | undefined {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (data[(y * width + x) * 4 + 3] < OPAQUE * 255) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  if (right < 0) return undefined;
  const padded = (size: number): number => Math.ceil(size / multiple) * multiple;
  const x = Math.max(0, left - MARGIN);
  const y = Math.max(0, top - MARGIN);
  return {
    x,
    y,
    width: padded(Math.min(width, right + 1 + MARGIN) - x),
    height: padded(Math.min(height, bottom + 1 + MARGIN) - y),
  };
}

function brightness({ width, height, data }: ColorImage, box: Box): Float32Array {
  const out = new Float32Array(box.width * box.height * 2);
  for (let y = 0; y < Math.min(box.height, height - box.y); y++)
    for (let x = 0; x < Math.min(box.width, width - box.x); x++) {
      const from = ((box.y + y) * width + box.x + x) * 4;
      const to = (y * box.width + x) * 2;
      const alpha = data[from + 3] / 255;
      const luma = (0.299 * data[from] + 0.587 * data[from + 1] + 0.114 * data[from + 2]) / 255;
      out[to] = luma * alpha;
      out[to + 1] = alpha;
    }
  return out;
}

function halve(values: Float32Array, width: number, height: number): Float32Array {
  const [w, h] = [width >> 1, height >> 1];
  const out = new Float32Array(w * h * 2);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      for (let c = 0; c < 2; c++) {
        const at = (2 * y * width + 2 * x) * 2 + c;
        out[(y * w + x) * 2 + c] =
          (values[at] + values[at + 2] + values[at + width * 2] + values[at + width * 2 + 2]) / 4;
      }
  return out;
}

function insideOf(values: Float32Array, width: number, height: number): Pick<StereoLevel, 'pixels' | 'even'> {
  const colors: number[][] = [[], []];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (values[(y * width + x) * 2 + 1] >= OPAQUE) colors[(x + y) & 1].push(y * 65536 + x);
    }
  return { pixels: Uint32Array.from([...colors[0], ...colors[1]]), even: colors[0].length };
}
