import { type Camera, projectPoint, worldToCamera } from '../../core/camera.js';
import type { StereoLevel } from './images.js';
import { placeOf } from './stereoPass.js';

/** The ray (x, y, 1) through the middle of a pixel; camera axes x right, y down. */
const rayX = (pixel: number, camera: Camera): number => ((pixel & 0xffff) + 0.5 - camera.cx) / camera.fx;
const rayY = (pixel: number, camera: Camera): number => ((pixel >>> 16) + 0.5 - camera.cy) / camera.fy;

/** For each pixel of a picture its entry in the list of those inside the mask, or −1. */
function entries({ camera, pixels }: StereoLevel): Int32Array {
  const out = new Int32Array(camera.width * camera.height).fill(-1);
  for (let i = 0; i < pixels.length; i++) out[placeOf(pixels[i], camera)] = i;
  return out;
}

/**
 * Planes of a picture for one of twice its size: each pixel takes the plane of the one it lies in, or of one beside it
 * where that is outside the mask.
 * @param planes four numbers per entry of `coarse.pixels`: normal, depth
 * @returns the same per entry of `fine.pixels`; depth 0 = none
 */
export function finerPlanes(planes: Float32Array, coarse: StereoLevel, fine: StereoLevel): Float32Array {
  const entry = entries(coarse);
  const { width, height } = coarse.camera;
  const out = new Float32Array(fine.pixels.length * 4);
  for (let i = 0; i < fine.pixels.length; i++) {
    const pixel = fine.pixels[i];
    const [x, y] = [(pixel & 0xffff) >> 1, pixel >>> 17];
    // Towards the nearer neighbour first.
    const [dx, dy] = [pixel & 1 ? 1 : -1, (pixel >>> 16) & 1 ? 1 : -1];
    for (const [ox, oy] of [
      [0, 0],
      [dx, 0],
      [0, dy],
      [dx, dy],
    ]) {
      if (x + ox < 0 || y + oy < 0 || x + ox >= width || y + oy >= height) continue;
      const from = entry[(y + oy) * width + x + ox];
      if (from < 0 || !(planes[from * 4 + 3] > 0)) continue;
      const [nx, ny, nz, depth] = planes.subarray(from * 4, from * 4 + 4);
      const there = nx * rayX(coarse.pixels[from], coarse.camera) + ny * rayY(coarse.pixels[from], coarse.camera) + nz;
      const here = nx * rayX(pixel, fine.camera) + ny * rayY(pixel, fine.camera) + nz;
      const moved = (depth * there) / here;
      out.set([nx, ny, nz, here < 0 && moved > 0.8 * depth && moved < 1.25 * depth ? moved : depth], i * 4);
      break;
    }
  }
  return out;
}

/** Planes that face the camera, at known points of the surface: the nearest one of those that fall into a pixel. */
export function pointPlanes(
  points: Float32Array,
  level: StereoLevel,
  range: { nearest: number; farthest: number },
): Float32Array {
  const { camera, pixels } = level;
  const out = new Float32Array(pixels.length * 4);
  if (points.length === 0) return out;
  const entry = entries(level);
  const toCamera = worldToCamera(camera);
  for (let p = 0; p < points.length; p += 3) {
    const { x, y, depth } = projectPoint(camera, [points[p], points[p + 1], points[p + 2]], toCamera);
    if (!(depth >= range.nearest && depth <= range.farthest)) continue;
    if (!(x >= 0 && y >= 0 && x < camera.width && y < camera.height)) continue;
    const i = entry[Math.floor(y) * camera.width + Math.floor(x)];
    if (i >= 0 && (out[i * 4 + 3] === 0 || depth < out[i * 4 + 3])) out.set([0, 0, -1, depth], i * 4);
  }
  return out;
}

const snorm = (v: number): number => Math.round(Math.max(-1, Math.min(1, v)) * 32767) & 0xffff;

/**
 * Planes as the kernels read those of sources: per pixel of the picture the bits of the depth, x and y of the normal.
 */
export function packMap(
  { camera, pixels }: StereoLevel,
  planes: Float32Array,
  costs: Float32Array,
  mostCost: number,
): Uint32Array {
  const out = new Uint32Array(camera.width * camera.height * 2);
  const floats = new Float32Array(out.buffer);
  for (let i = 0; i < pixels.length; i++) {
    if (!(costs[i] <= mostCost)) continue;
    const at = placeOf(pixels[i], camera) * 2;
    floats[at] = planes[i * 4 + 3];
    out[at + 1] = (snorm(planes[i * 4]) | (snorm(planes[i * 4 + 1]) << 16)) >>> 0;
  }
  return out;
}
