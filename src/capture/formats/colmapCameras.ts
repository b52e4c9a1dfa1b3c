import type { StatedIntrinsics } from '../cameras/statedLens.js';
import { invalidMetadata } from './metadata.js';

export interface ColmapCamera {
  id: number;
  model: string;
  width: number;
  height: number;
  parameters: number[];
}

interface Model {
  id: number;
  parameters: number;
  read(p: readonly number[]): StatedIntrinsics;
}

const one = (p: readonly number[]): StatedIntrinsics => ({ fx: p[0], fy: p[0], cx: p[1], cy: p[2] });
const two = (p: readonly number[]): StatedIntrinsics => ({ fx: p[0], fy: p[1], cx: p[2], cy: p[3] });

/** COLMAP's camera models (src/colmap/sensor/models.h): number, count and order of parameters. */
export const COLMAP_MODELS: Record<string, Model> = {
  SIMPLE_PINHOLE: { id: 0, parameters: 3, read: one },
  PINHOLE: { id: 1, parameters: 4, read: two },
  SIMPLE_RADIAL: { id: 2, parameters: 4, read: (p) => ({ ...one(p), k: [p[3]] }) },
  RADIAL: { id: 3, parameters: 5, read: (p) => ({ ...one(p), k: [p[3], p[4]] }) },
  OPENCV: { id: 4, parameters: 8, read: (p) => ({ ...two(p), k: [p[4], p[5]], p: [p[6], p[7]] }) },
  OPENCV_FISHEYE: { id: 5, parameters: 8, read: (p) => ({ ...two(p), model: 'fisheye', k: p.slice(4, 8) }) },
  FULL_OPENCV: {
    id: 6,
    parameters: 12,
    read: (p) => ({ ...two(p), k: [p[4], p[5], p[8]], p: [p[6], p[7]], d: p.slice(9, 12) }),
  },
  FOV: {
    id: 7,
    parameters: 5,
    read: (p) => ({ ...two(p), ...(Math.abs(p[4]) < 1e-9 ? {} : { model: 'fov', k: [p[4]] }) }),
  },
  SIMPLE_RADIAL_FISHEYE: { id: 8, parameters: 4, read: (p) => ({ ...one(p), model: 'fisheye', k: [p[3]] }) },
  RADIAL_FISHEYE: { id: 9, parameters: 5, read: (p) => ({ ...one(p), model: 'fisheye', k: [p[3], p[4]] }) },
  THIN_PRISM_FISHEYE: {
    id: 10,
    parameters: 12,
    read: (p) => ({
      ...two(p),
      model: 'fisheye',
      k: [p[4], p[5], p[8], p[9]],
      p: [p[6], p[7]],
      s: [p[10], p[11]],
    }),
  },
};

/** Intrinsics of a COLMAP camera. Throws `CAPTURE_METADATA_INVALID` for an unknown model or a wrong number of parameters. */
export function colmapIntrinsics(camera: ColmapCamera, file: string): StatedIntrinsics {
  const model = COLMAP_MODELS[camera.model];
  if (!model) {
    throw invalidMetadata(
      file,
      `camera ${camera.id} has the model ${camera.model}`,
      `one of ${Object.keys(COLMAP_MODELS).join(', ')}`,
    );
  }
  if (camera.parameters.length !== model.parameters) {
    throw invalidMetadata(
      file,
      `camera ${camera.id} (${camera.model}) has ${camera.parameters.length} parameters`,
      `${model.parameters} parameters`,
    );
  }
  return { ...model.read(camera.parameters), width: camera.width, height: camera.height };
}
