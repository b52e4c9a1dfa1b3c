import type { ColmapImage } from '../../../src/capture/layout/colmap/modelFiles.js';
import { VIEW_NAMES, type ViewName } from '../../../src/capture/layout/names.js';
import type { SketchCamera } from './understanding.js';

/** Angle of view to draw where the true one is not looked for. */
const DRAWN_ANGLE = 0.8;
const SIX_ANGLE = 0.6;

/** The fields of a frame, or of the file for all its frames, that say where to draw a camera. */
export interface FrameFields {
  file_path?: unknown;
  transform_matrix?: unknown;
  depth_file_path?: unknown;
  depth_path?: unknown;
  depth_image_path?: unknown;
  depth_file?: unknown;
  depth_image?: unknown;
  mask_path?: unknown;
  fl_x?: unknown;
  w?: unknown;
  camera_angle_x?: unknown;
}

/** The camera of a frame; undefined where its matrix is none. */
export function sketchFrame(frame: FrameFields, file: FrameFields): SketchCamera | undefined {
  const rows = frame.transform_matrix;
  if (!Array.isArray(rows) || rows.length < 3) return undefined;
  const pose = rows.flat().map(Number);
  if (pose.length < 12 || pose.some((v) => !Number.isFinite(v))) return undefined;
  const number = (key: 'fl_x' | 'w' | 'camera_angle_x'): number => Number(frame[key] ?? file[key]);
  const [focal, width, stated] = [number('fl_x'), number('w'), number('camera_angle_x')];
  const angle = focal > 0 && width > 0 ? 2 * Math.atan(width / 2 / focal) : stated > 0 ? stated : DRAWN_ANGLE;
  return { pose, angle };
}

/** Turns COLMAP's world-to-camera (y down, z forward) into camera-to-world looking along −z. */
export function sketchColmap({ rotation: [w, x, y, z], translation: t }: ColmapImage): SketchCamera {
  const r = [
    [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
    [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
    [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
  ];
  const centre = [0, 1, 2].map((i) => -(r[0][i] * t[0] + r[1][i] * t[1] + r[2][i] * t[2]));
  const pose = [0, 1, 2].flatMap((i) => [r[0][i], -r[1][i], -r[2][i], centre[i]]).concat(0, 0, 0, 1);
  return { pose, angle: DRAWN_ANGLE };
}

/** Camera-to-world from its three axes in columns and its position. */
const poseOf = (x: number[], y: number[], z: number[]): number[] =>
  [0, 1, 2].flatMap((r) => [x[r], y[r], z[r], z[r] * 3]).concat(0, 0, 0, 1);

const SIX_POSES = [
  poseOf([1, 0, 0], [0, 0, 1], [0, -1, 0]),
  poseOf([-1, 0, 0], [0, 0, 1], [0, 1, 0]),
  poseOf([0, -1, 0], [0, 0, 1], [-1, 0, 0]),
  poseOf([0, 1, 0], [0, 0, 1], [1, 0, 0]),
  poseOf([1, 0, 0], [0, 1, 0], [0, 0, 1]),
  poseOf([1, 0, 0], [0, -1, 0], [0, 0, -1]),
];

/** Where a view of a generated object is assumed to be seen from. */
export const sketchSide = (name: ViewName): SketchCamera => ({
  pose: SIX_POSES[VIEW_NAMES.indexOf(name)],
  angle: SIX_ANGLE,
});
