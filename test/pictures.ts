import { type Camera, cameraPosition, unprojectPixel } from '../src/core/camera.js';
import type { ColorImage } from '../src/core/image.js';
import { dot, normalize, scale, sub, type Vec3 } from '../src/core/math.js';
import { type Solid, view } from './solids.js';

/** A cup around the y axis, open above: radius 0.7, from −0.35 to 0.35, its wall 0.12 and its floor 0.15 thick. */
export const cup: Solid = (p) => Math.max(cylinder(p, 0.7, -0.35, 0.35), -cylinder(p, 0.58, -0.2, 2));
/** What outlines say of the cup: it has a lid. */
export const closedCup: Solid = (p) => cylinder(p, 0.7, -0.35, 0.35);

function cylinder([x, y, z]: Vec3, radius: number, low: number, high: number): number {
  const sideways = Math.hypot(x, z) - radius;
  const along = Math.max(low - y, y - high);
  return Math.min(Math.max(sideways, along), 0) + Math.hypot(Math.max(sideways, 0), Math.max(along, 0));
}

/** A pattern in space that differs from place to place, 0…1. */
const pattern = (p: Vec3): Vec3 => [
  0.5 + 0.35 * Math.sin(9 * p[0] + 4 * p[1]),
  0.5 + 0.35 * Math.sin(8 * p[1] - 5 * p[2]),
  0.5 + 0.35 * Math.sin(10 * p[2] + 3 * p[0]),
];

/**
 * The picture that a camera takes of a patterned solid: sRGB, straight alpha. With a `highlight`, a lamp at the camera
 * shines on it.
 */
export function pictureOf(solid: Solid, camera: Camera, highlight = 0): ColorImage {
  const { mask, depth } = view(solid, camera, 1);
  const data = new Uint8ClampedArray(camera.width * camera.height * 4);
  for (let i = 0; i < depth.data.length; i++) {
    data[i * 4 + 3] = mask.data[i] * 255;
    if (depth.data[i] === 0) continue;
    const p = unprojectPixel(camera, (i % camera.width) + 0.5, Math.floor(i / camera.width) + 0.5, depth.data[i]);
    const step = 1e-3;
    const slope = [0, 1, 2].map((k) => {
      const moved = (s: number) => p.map((v, j) => (j === k ? v + s : v)) as Vec3;
      return solid(moved(step)) - solid(moved(-step));
    }) as Vec3;
    const shine = highlight * Math.max(0, dot(normalize(slope), normalize(sub(cameraPosition(camera), p)))) ** 40;
    data.set(
      scale(pattern(p), 255).map((v) => v + 255 * shine),
      i * 4,
    );
  }
  return { width: camera.width, height: camera.height, data };
}
