import { type Camera, cameraPosition, unprojectPixel } from '../../core/camera.js';
import { GROUND_SHADOW, softenShadow } from '../../core/groundShadow.js';
import { lookAt, scale, sub, transformDirection, type Vec3 } from '../../core/math.js';
import type { AssetRenderer } from './assetRenderer.js';

const { size: MAP_SIZE, reach: REACH, fade: FADE } = GROUND_SHADOW;

/** How dark the ground is around an object that stands on it. */
export interface ContactShadow {
  /** 0 (none)…1 per pixel, where the ray through its centre meets the ground; 0 where it does not. */
  draw(camera: Camera): Float32Array;
}

/**
 * The soft shadow of an object on the plane under it, as under an even sky: what is near the ground hides more of the
 * sky than what is high. Made from the heights of the object seen from below.
 */
export async function contactShadow(renderer: AssetRenderer): Promise<ContactShadow> {
  const { min, max } = renderer.bounds;
  const ground = min[1];
  const center: Vec3 = [(min[0] + max[0]) / 2, ground, (min[2] + max[2]) / 2];
  const radius = Math.max(1e-9, Math.hypot(max[0] - min[0], max[2] - min[2]) / 2);
  const half = radius * REACH;
  // Far below with a long lens: as good as a parallel view.
  const distance = half * 200;
  const focal = (MAP_SIZE / 2 / half) * distance;
  const camera: Camera = {
    cameraToWorld: lookAt([center[0], ground - distance, center[2]], center, [0, 0, 1]),
    width: MAP_SIZE,
    height: MAP_SIZE,
    fx: focal,
    fy: focal,
    cx: MAP_SIZE / 2,
    cy: MAP_SIZE / 2,
  };
  const { depth } = await renderer.render(camera, { mode: 'depth', supersample: 1 });
  const near = new Float32Array(MAP_SIZE * MAP_SIZE);
  const heights = depth!.data;
  for (let i = 0; i < near.length; i++) {
    if (heights[i] > 0) near[i] = Math.exp(-Math.max(0, heights[i] - distance) / (FADE * radius));
  }
  const map = softenShadow(near);
  const m = camera.cameraToWorld;
  return {
    draw(view) {
      const out = new Float32Array(view.width * view.height);
      const eye = cameraPosition(view);
      const height = eye[1] - ground;
      if (height <= 0) return out;
      // Rays are linear in pixel coordinates.
      const corner = sub(unprojectPixel(view, 0.5, 0.5, 1), eye);
      const right = scale(transformDirection(view.cameraToWorld, [1, 0, 0]), 1 / view.fx);
      const down = scale(transformDirection(view.cameraToWorld, [0, -1, 0]), 1 / view.fy);
      for (let y = 0; y < view.height; y++) {
        for (let x = 0; x < view.width; x++) {
          const fall = -(corner[1] + x * right[1] + y * down[1]);
          if (fall <= 1e-9) continue;
          const t = height / fall;
          const dx = eye[0] + (corner[0] + x * right[0] + y * down[0]) * t - center[0];
          const dz = eye[2] + (corner[2] + x * right[2] + y * down[2]) * t - center[2];
          const u = ((dx * m[0] + dz * m[2]) / half / 2 + 0.5) * MAP_SIZE - 0.5;
          const v = (0.5 - (dx * m[4] + dz * m[6]) / half / 2) * MAP_SIZE - 0.5;
          out[y * view.width + x] = bilinear(map, MAP_SIZE, u, v);
        }
      }
      return out;
    },
  };
}

function bilinear(map: Float32Array, size: number, u: number, v: number): number {
  if (!(u > 0 && v > 0 && u < size - 1 && v < size - 1)) return 0;
  const x = Math.floor(u);
  const y = Math.floor(v);
  const i = y * size + x;
  const top = map[i] + (map[i + 1] - map[i]) * (u - x);
  const bottom = map[i + size] + (map[i + size + 1] - map[i + size]) * (u - x);
  return top + (bottom - top) * (v - y);
}
