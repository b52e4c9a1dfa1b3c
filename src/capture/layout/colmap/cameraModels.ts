import { invalidMetadata } from '../metadata.js';
import type { StatedIntrinsics } from '../statedIntrinsics.js';

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

/** COLMAP's camera models (src/colmap/sensor/models.h of 4.x): number, count and order of parameters. */
export const COLMAP_MODELS: Readonly<Record<string, Model>> = {
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
  RAD_TAN_THIN_PRISM_FISHEYE: {
    id: 11,
    parameters: 16,
    // Its p0 stands with x² in x and its p1 with y² in y: the other way round than in the models above.
    read: (p) => ({ ...two(p), model: 'thin-prism', k: p.slice(4, 10), p: [p[11], p[10]], s: p.slice(12, 16) }),
  },
  SIMPLE_DIVISION: { id: 12, parameters: 4, read: (p) => ({ ...one(p), model: 'division', k: [p[3]] }) },
  DIVISION: { id: 13, parameters: 5, read: (p) => ({ ...two(p), model: 'division', k: [p[4]] }) },
  SIMPLE_FISHEYE: { id: 14, parameters: 3, read: (p) => ({ ...one(p), model: 'fisheye', k: [] }) },
  FISHEYE: { id: 15, parameters: 4, read: (p) => ({ ...two(p), model: 'fisheye', k: [] }) },
  EUCM: { id: 16, parameters: 6, read: (p) => ({ ...two(p), model: 'eucm', k: [p[4], p[5]] }) },
};

/** Models of cameras that see all around, which no picture plane holds: name and number. */
const OMNIDIRECTIONAL = [{ name: 'EQUIRECTANGULAR', id: 17 }];

/** Name and number of parameters of a model that a binary file states by its number. */
export function colmapModelOf(number: number, camera: number, file: string): { name: string; parameters: number } {
  const known = Object.entries(COLMAP_MODELS).find(([, model]) => model.id === number);
  if (known) return { name: known[0], parameters: known[1].parameters };
  const around = OMNIDIRECTIONAL.find((model) => model.id === number);
  if (around) throw unknownModel(around.name, camera, file);
  throw invalidMetadata(
    file,
    `camera ${camera} has the model number ${number}`,
    `one of 0 to ${Object.keys(COLMAP_MODELS).length - 1}`,
  );
}

function unknownModel(model: string, camera: number, file: string): Error {
  return invalidMetadata(
    file,
    `camera ${camera} has the model ${model}`,
    `one of ${Object.keys(COLMAP_MODELS).join(', ')}`,
  );
}

/** Whether a camera states its focal length and principal point, and a part of its model's distortion. */
export function isCutShort({ model, parameters }: ColmapCamera): boolean {
  const full = COLMAP_MODELS[model]?.parameters ?? 0;
  const undistorted = /^(SIMPLE|RADIAL)/.test(model) ? 3 : 4;
  return parameters.length >= undistorted && parameters.length < full;
}

/**
 * Intrinsics of a COLMAP camera. A lens that is stated with fewer parameters than its model has, as some exporters
 * write it, has zeros for the rest of its distortion. Throws `CAPTURE_METADATA_INVALID` for an unknown model or a wrong
 * number of parameters.
 *
 * @param file what to call the camera file
 */
export function colmapIntrinsics(camera: ColmapCamera, file: string): StatedIntrinsics {
  const model = COLMAP_MODELS[camera.model];
  if (!model) throw unknownModel(camera.model, camera.id, file);
  const { parameters } = camera;
  if (parameters.length !== model.parameters && !isCutShort(camera)) {
    throw invalidMetadata(
      file,
      `camera ${camera.id} (${camera.model}) has ${parameters.length} parameters`,
      `${model.parameters} parameters`,
    );
  }
  const padded = [...parameters, ...new Array<number>(model.parameters - parameters.length).fill(0)];
  return { ...model.read(padded), width: camera.width, height: camera.height };
}
