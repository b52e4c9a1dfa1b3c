import { type Camera, cameraPosition, projectionMatrix, worldToCamera } from '../../../core/camera.js';
import { type Mat4, multiply, transformDirection, type Vec3 } from '../../../core/math.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import type { DiffCameras } from '../types.js';

const FLOATS = 32;

/**
 * Cameras as records of 32 f32 (see `DiffCameras`).
 * @param center middle of all that may be drawn, scene units
 * @param radius of a ball around it; what leaves the ball may be clipped. The near plane is at least a thousandth of
 * the far one.
 */
export function packCameras(cameras: readonly Camera[], center: Vec3, radius: number): Float32Array {
  const out = new Float32Array(cameras.length * FLOATS);
  cameras.forEach((camera, i) => {
    const toCamera = worldToCamera(camera);
    const { near, far } = depthRangeOf(toCamera, center, radius);
    const projection = projectionMatrix(camera, near, far);
    const at = i * FLOATS;
    out.set(multiply(projection, toCamera), at);
    out.set(cameraPosition(camera), at + 16);
    // A point at depth 1: x = (ndc.x + p[8]) / p[0], y = (ndc.y + p[9]) / p[5], z = −1 in camera axes.
    const { cameraToWorld } = camera;
    out.set(
      transformDirection(cameraToWorld, [projection[8] / projection[0], projection[9] / projection[5], -1]),
      at + 20,
    );
    out.set(transformDirection(cameraToWorld, [1 / projection[0], 0, 0]), at + 24);
    out.set(transformDirection(cameraToWorld, [0, 1 / projection[5], 0]), at + 28);
  });
  return out;
}

/** Near and far plane around a ball, seen through `worldToCamera`. */
export function depthRangeOf(toCamera: Mat4, center: Vec3, radius: number): { near: number; far: number } {
  const depth = -(toCamera[2] * center[0] + toCamera[6] * center[1] + toCamera[10] * center[2] + toCamera[14]);
  const far = Math.max(depth + radius, 1e-9);
  return { near: Math.max(depth - radius, far * 1e-3), far };
}

/**
 * Uploads cameras; pictures are matched to them by index. All views of a frame have the frame's size, whatever their
 * cameras' sizes.
 */
export function createDiffCameras(gpu: Gpu, cameras: readonly Camera[], center: Vec3, radius: number): DiffCameras {
  return { buffer: gpu.upload(packCameras(cameras, center, radius), 'cameras'), count: cameras.length };
}
