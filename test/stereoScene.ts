import { type Camera, unprojectPixel } from '../src/core/camera.js';
import type { ColorImage, FloatImage } from '../src/core/image.js';
import { scale, type Vec3 } from '../src/core/math.js';
import { cameraAt, type Solid, view } from './solids.js';

/** A solid of many shades of grey: brightness 0…1 by place. */
export interface Painted {
  solid: Solid;
  shade: (p: Vec3) => number;
}

/** Waves of several lengths and directions, so that no two places look alike. */
export const speckled = ([x, y, z]: Vec3): number =>
  0.5 +
  0.15 * Math.sin(17 * x + 5 * y) +
  0.12 * Math.sin(21 * y - 7 * z + 1) +
  0.12 * Math.sin(19 * z + 9 * x + 2) +
  0.1 * Math.sin(16 * (x + y + z));

/** Pictures of a painted solid from the given directions, with its mask as alpha, and the true depths. */
export function photograph(
  { solid, shade }: Painted,
  from: readonly Vec3[],
  size: number,
  distance = 3,
): { camera: Camera; image: ColorImage; depth: FloatImage }[] {
  return from.map((direction) => {
    const camera = cameraAt(scale(direction, distance), size);
    const { depth } = view(solid, camera, 1);
    const data = new Uint8ClampedArray(size * size * 4);
    for (let i = 0; i < depth.data.length; i++) {
      if (!(depth.data[i] > 0)) continue;
      const point = unprojectPixel(camera, (i % size) + 0.5, Math.floor(i / size) + 0.5, depth.data[i]);
      const value = Math.round(255 * Math.max(0, Math.min(1, shade(point))));
      data.set([value, value, value, 255], i * 4);
    }
    return { camera, image: { width: size, height: size, data }, depth };
  });
}

/** Directions around the z axis: the first along it, the others by `angle` degrees to all sides. */
export function around(count: number, angle: number): Vec3[] {
  const a = (angle * Math.PI) / 180;
  const ring = Array.from({ length: count }, (_, i): Vec3 => {
    const turn = (2 * Math.PI * i) / count + 0.3;
    return [Math.sin(a) * Math.cos(turn), Math.sin(a) * Math.sin(turn), Math.cos(a)];
  });
  return [[0, 0, 1], ...ring];
}
