import { type Mat4, multiply, transpose } from '../../core/math.js';
import { Z_UP_TO_Y_UP } from '../formats/transforms.js';
import type { ConvertedView } from './convertedView.js';

/** Plinth's world back to the +Z up world of transforms files; a rotation, so the transposed is the inverse. */
const Y_UP_TO_Z_UP = transpose(Z_UP_TO_Y_UP);

const rows = (m: Mat4): number[][] => [0, 1, 2, 3].map((r) => [m[r], m[4 + r], m[8 + r], m[12 + r]]);

/**
 * `transforms.json` in nerfstudio's form: pinhole cameras per frame, camera-to-world with OpenGL axes in a +Z up world,
 * depth files in scene units, and the names of each split where the capture has test views.
 */
export function transformsFile(views: readonly ConvertedView[]): string {
  const names = (split: 'train' | 'test') => views.filter((v) => v.split === split).map((v) => v.image);
  const frames = views.map(({ image, depth, camera }) => ({
    file_path: image,
    ...(depth && { depth_file_path: depth }),
    w: camera.width,
    h: camera.height,
    fl_x: camera.fx,
    fl_y: camera.fy,
    cx: camera.cx,
    cy: camera.cy,
    transform_matrix: rows(multiply(Y_UP_TO_Z_UP, camera.cameraToWorld)),
  }));
  const split = names('test').length > 0 ? { train_filenames: names('train'), test_filenames: names('test') } : {};
  const depth = views.some((v) => v.depth) ? { depth_unit_scale_factor: 1 } : {};
  return `${JSON.stringify({ camera_model: 'PINHOLE', ...depth, ...split, frames }, undefined, 2)}\n`;
}
