import type { Warning } from '../../core/context.js';
import { PlinthError } from '../../core/errors.js';
import type { Mat4, Vec3 } from '../../core/math.js';
import { type CaptureFolder, folderAccess } from '../files/captureFolder.js';
import { colmapIntrinsics, isCutShort } from '../layout/colmap/cameraModels.js';
import { type ColmapImage, parsePoints } from '../layout/colmap/modelFiles.js';
import { type ColmapPair, chooseColmapPair } from '../layout/colmap/pairs.js';
import { invalidMetadata } from '../layout/metadata.js';
import { folderOf, joinPath } from '../layout/names.js';
import type { ResolvedReadOptions } from '../options.js';
import { assemble } from './assemble.js';
import type { ReadSources } from './sources.js';
import type { StatedView } from './stated.js';
import { counted } from './warnings.js';

/**
 * Reads a COLMAP reconstruction (https://colmap.github.io/format.html), text or binary, all its camera models except
 * the omnidirectional one; of several models the one that most pictures are of. Poses are world-to-camera with the axes
 * x right, y down, z forwards.
 *
 * COLMAP's frame has no up: it is chosen as the direction to which the cameras' x axes are most nearly perpendicular
 * (people hold cameras level), with the sign of the mean image-up; where the cameras do not single one out, the mean
 * image-up itself. The shortest rotation brings it to +Y; scale and origin stay.
 */
export async function readColmap(
  capture: CaptureFolder,
  root: string,
  options: ResolvedReadOptions,
): Promise<ReadSources> {
  const access = folderAccess(capture);
  const pair = await chooseColmapPair(access, root);
  const { model } = pair;
  const file = joinPath(model.folder, `images.${model.ending}`);
  const points = joinPath(model.folder, `points3D.${model.ending}`);
  return assemble(
    capture,
    {
      format: 'colmap',
      file,
      views: statedViews(capture, pair, file),
      up: 'cameras',
      // COLMAP solves on stored pixels: it does not turn pictures by their EXIF orientation.
      orient: false,
      located: pair,
      maskBases: [pair.pictures === root ? root : folderOf(pair.pictures), root],
      points: capture.list.has(points)
        ? parsePoints(await access.read(points), capture.list.locate(points))
        : undefined,
      besides: { up: 'from the cameras', model: model.folder || '.' },
      warnings: pairWarnings(pair),
      leftOut: pair.others.map((other) => ({ kind: 'cameras', name: other.folder || '.', reason: 'other-model' })),
    },
    options,
  );
}

function statedViews({ list }: CaptureFolder, { model }: ColmapPair, file: string): StatedView[] {
  const cameraFile = list.locate(joinPath(model.folder, `cameras.${model.ending}`));
  return model.images.map((image) => {
    const camera = model.cameras.get(image.cameraId);
    if (!camera) {
      throw invalidMetadata(
        cameraFile,
        `${image.name} names camera ${image.cameraId}, which is not there`,
        'a camera for every image',
      );
    }
    return {
      picture: image.name,
      intrinsics: colmapIntrinsics(camera, cameraFile),
      cameraToInput: cameraToInput(image),
      split: 'train',
      file,
    };
  });
}

function pairWarnings({ model, others }: ColmapPair): Warning[] {
  const warnings: Warning[] = [];
  if (others.length > 0) {
    const list = others.map(({ folder, images }) => `${folder || '.'} (${images} images)`);
    warnings.push({
      code: 'CAPTURE_OTHER_MODELS',
      message:
        `Of several models, ${model.folder || '.'} with ${model.images.length} images was read and the others ` +
        `were not: ${counted(list, 4)}.`,
      subject: others[0].folder,
      remedy: 'Solve all pictures as one model, or give a folder with the model that is meant.',
    });
  }
  const short = [...model.cameras.values()].find(isCutShort);
  if (short) {
    warnings.push({
      code: 'CAPTURE_LENS_CUT_SHORT',
      message:
        `Camera ${short.id} (${short.model}) is stated with ${short.parameters.length} numbers: what its lens ` +
        'has besides was taken to be zero.',
      subject: `cameras.${model.ending}`,
      remedy: 'Export the model with all parameters of its lens, or as OPENCV.',
    });
  }
  return warnings;
}

/** Camera-to-input matrix with OpenGL axes. */
function cameraToInput(image: ColmapImage): Mat4 {
  const [w, x, y, z] = image.rotation;
  const norm = Math.hypot(w, x, y, z);
  if (!(Math.abs(norm - 1) < 0.01)) {
    throw new PlinthError('CAPTURE_CAMERA_INVALID', {
      found: `The camera of ${image.name} has a rotation quaternion of length ${norm}`,
      expected: 'a unit quaternion (w, x, y, z)',
      remedy: 'Export the model again',
      subject: image.name,
    });
  }
  return worldToCameraPose([w / norm, x / norm, y / norm, z / norm], image.translation);
}

/**
 * Camera-to-world matrix with OpenGL axes of a world-to-camera rotation (unit quaternion) and translation with
 * OpenCV's.
 */
export function worldToCameraPose([a, b, c, d]: readonly number[], [tx, ty, tz]: Vec3): Mat4 {
  // Rows of world-to-camera are the camera's axes in the world.
  const right: Vec3 = [1 - 2 * (c * c + d * d), 2 * (b * c - a * d), 2 * (b * d + a * c)];
  const down: Vec3 = [2 * (b * c + a * d), 1 - 2 * (b * b + d * d), 2 * (c * d - a * b)];
  const forward: Vec3 = [2 * (b * d - a * c), 2 * (c * d + a * b), 1 - 2 * (b * b + c * c)];
  const eye = [0, 1, 2].map((i) => -(right[i] * tx + down[i] * ty + forward[i] * tz));
  const negative = (v: Vec3): Vec3 => [-v[0], -v[1], -v[2]];
  return [...right, 0, ...negative(down), 0, ...negative(forward), 0, ...eye, 1];
}
