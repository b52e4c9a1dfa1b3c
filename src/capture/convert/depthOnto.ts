import type { Camera } from '../../core/camera.js';
import type { FloatImage } from '../../core/image.js';

/** Rounding of poses that are meant to be the same. */
const SAME = 1e-9;

/**
 * A depth map as another camera of the same pose sees it: nearest samples, since means of two distances belong to
 * neither. Distances stay, as both look along one axis.
 * @param from the camera of `depth`, at its size
 * @returns `undefined` where the poses differ: then nothing short of rendering would do
 */
export function depthOnto(depth: FloatImage, from: Camera, to: Camera): FloatImage | undefined {
  if (from.cameraToWorld.some((v, i) => Math.abs(v - to.cameraToWorld[i]) > SAME)) return undefined;
  const data = new Float32Array(to.width * to.height);
  for (let y = 0; y < to.height; y++) {
    const v = Math.floor(((y + 0.5 - to.cy) / to.fy) * from.fy + from.cy);
    if (v < 0 || v >= from.height) continue;
    for (let x = 0; x < to.width; x++) {
      const u = Math.floor(((x + 0.5 - to.cx) / to.fx) * from.fx + from.cx);
      if (u >= 0 && u < from.width) data[y * to.width + x] = depth.data[v * from.width + u];
    }
  }
  return { width: to.width, height: to.height, data };
}
