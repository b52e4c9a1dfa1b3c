import type { ColorImage, FloatImage } from '../../core/image.js';
import { pause } from '../../core/pause.js';
import { distort, isDistorted, type Lens, undistortedIntrinsics, validRadius } from '../cameras/lens.js';
import { encodeSrgb, LINEAR } from './resample.js';

/** Rows worked on before the event loop gets its turn. */
const ROWS_AT_ONCE = 128;

/**
 * Calls `visit(index, sourceX, sourceY)` for every pixel of the undistorted picture that the lens saw (pixel centres at
 * +0.5).
 */
async function forEachSample(
  lens: Lens,
  visit: (index: number, x: number, y: number) => void,
): Promise<{ width: number; height: number }> {
  const camera = undistortedIntrinsics(lens);
  const limit = validRadius(lens);
  const out = new Float64Array(2);
  for (let row = 0; row < camera.height; row++) {
    if (row % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) await pause();
    const y = (row + 0.5 - camera.cy) / camera.fy;
    for (let column = 0; column < camera.width; column++) {
      const x = (column + 0.5 - camera.cx) / camera.fx;
      if (x * x + y * y > limit * limit) continue;
      distort(lens, x, y, out);
      const u = out[0] * lens.fx + lens.cx;
      const v = out[1] * lens.fy + lens.cy;
      if (u >= 0 && v >= 0 && u < lens.width && v < lens.height) visit(row * camera.width + column, u, v);
    }
  }
  return camera;
}

/**
 * Undoes lens distortion by bilinear sampling of premultiplied linear light. Pixels that the lens never saw are
 * transparent. The result has the size of `undistortedIntrinsics(lens)`; without distortion it is the picture itself.
 */
export async function undistortColor(image: ColorImage, lens: Lens): Promise<ColorImage> {
  if (!isDistorted(lens)) return image;
  const target = undistortedIntrinsics(lens);
  const data = new Uint8ClampedArray(target.width * target.height * 4);
  const source = image.data;
  await forEachSample(lens, (index, u, v) => {
    const x = Math.min(image.width - 1, Math.max(0, u - 0.5));
    const y = Math.min(image.height - 1, Math.max(0, v - 0.5));
    const x0 = Math.floor(x);
    const y0 = Math.floor(y);
    const right = x0 < image.width - 1 ? 4 : 0;
    const down = y0 < image.height - 1 ? image.width * 4 : 0;
    const p = (y0 * image.width + x0) * 4;
    let r = 0;
    let g = 0;
    let b = 0;
    let a = 0;
    for (let corner = 0; corner < 4; corner++) {
      const q = p + (corner & 1 ? right : 0) + (corner & 2 ? down : 0);
      const w = (corner & 1 ? x - x0 : 1 - x + x0) * (corner & 2 ? y - y0 : 1 - y + y0) * source[q + 3];
      r += w * LINEAR[source[q]];
      g += w * LINEAR[source[q + 1]];
      b += w * LINEAR[source[q + 2]];
      a += w;
    }
    if (a <= 0) return;
    data[index * 4] = encodeSrgb(r / a);
    data[index * 4 + 1] = encodeSrgb(g / a);
    data[index * 4 + 2] = encodeSrgb(b / a);
    data[index * 4 + 3] = a;
  });
  return { width: target.width, height: target.height, data };
}

/** Undoes lens distortion of a depth map, taking the nearest sample. */
export async function undistortDepth(image: FloatImage, lens: Lens): Promise<FloatImage> {
  if (!isDistorted(lens)) return image;
  const target = undistortedIntrinsics(lens);
  const data = new Float32Array(target.width * target.height);
  await forEachSample(lens, (index, u, v) => {
    data[index] = image.data[Math.floor(v) * image.width + Math.floor(u)];
  });
  return { width: target.width, height: target.height, data };
}
