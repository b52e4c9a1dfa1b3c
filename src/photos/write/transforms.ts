import { relative } from 'node:path';
import { Z_UP_TO_Y_UP } from '../../capture/formats/transforms.js';
import { multiply, transpose } from '../../core/math.js';
import type { FoundCameras } from '../findCameras.js';
import { cameraToWorld, quarterTurns } from '../frame.js';
import type { Pose } from '../mapper/p3p.js';

/** Plinth's world is +Y up, that of transforms files +Z up: (x, y, z) becomes (x, −z, y). */
const Y_UP_TO_Z_UP = transpose(Z_UP_TO_Y_UP);

/**
 * The cameras as `transforms.json` of nerfstudio's dialect: for upright pictures (EXIF orientation applied), with
 * intrinsics of every frame, camera-to-world matrices with OpenGL axes, +Z up. Paths are relative to `folder`.
 */
export function transformsJson({ photos, scene, frame }: FoundCameras, folder: string): string {
  const frames = scene.registered().map((i) => {
    const { width, height, orientation, file } = photos[i];
    const { f, cx, cy, k1, k2 } = scene.lensOf(i);
    const turns = quarterTurns(orientation);
    const side = turns % 2 === 1;
    const centre = [
      [cx, cy],
      [height - cy, cx],
      [width - cx, height - cy],
      [cy, width - cx],
    ][turns];
    const m = multiply(Y_UP_TO_Z_UP, cameraToWorld(frame, scene.poses[i] as Pose, orientation));
    return {
      file_path: relative(folder, file).replaceAll('\\', '/'),
      w: side ? height : width,
      h: side ? width : height,
      fl_x: f,
      fl_y: f,
      cx: centre[0],
      cy: centre[1],
      k1,
      k2,
      transform_matrix: [0, 1, 2, 3].map((r) => [0, 1, 2, 3].map((c) => m[c * 4 + r])),
    };
  });
  return `${JSON.stringify({ camera_model: 'OPENCV', frames }, undefined, 2)}\n`;
}
