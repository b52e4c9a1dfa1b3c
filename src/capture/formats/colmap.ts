import { join } from 'node:path';
import type { Warning } from '../../core/context.js';
import { PlinthError } from '../../core/errors.js';
import { cross, dot, length, type Mat4, multiply, normalize, transformPoint, type Vec3 } from '../../core/math.js';
import { checkRigid } from '../cameras/checkCamera.js';
import { stateLens } from '../cameras/statedLens.js';
import { mapLimited } from '../concurrency.js';
import { absolutePath, type CaptureFolder } from '../files/captureFolder.js';
import { readImageHeader } from '../images/header.js';
import { colmapIntrinsics } from '../layout/colmap/cameraModels.js';
import type { ColmapImage } from '../layout/colmap/modelFiles.js';
import { missingPicture, pictureFolder } from '../layout/colmap/pictureFolder.js';
import { findMask } from '../layout/masks.js';
import { invalidMetadata } from '../layout/metadata.js';
import { folderOf } from '../layout/names.js';
import { resolveName } from '../layout/resolveName.js';
import type { ResolvedReadOptions } from '../options.js';
import { type ViewSource, viewNames } from '../viewSource.js';
import { readColmapModel } from './colmapModel.js';
import { tooManyViews } from './metadata.js';
import type { ReadSources } from './sources.js';

/**
 * Reads a COLMAP reconstruction (https://colmap.github.io/format.html), text or binary, all its camera models except the
 * omnidirectional ones. Poses are world-to-camera with the axes x right, y down, z forwards.
 *
 * COLMAP's frame has no up: it is chosen as the direction to which the cameras' x axes are most nearly perpendicular (people
 * hold cameras level), with the sign of the mean image-up; where the cameras do not single one out, the mean image-up
 * itself. The shortest rotation brings it to +Y; scale and origin stay.
 */
export async function readColmap(
  capture: CaptureFolder,
  root: string,
  modelFolder: string,
  options: ResolvedReadOptions,
): Promise<ReadSources> {
  const model = join(capture.root, modelFolder);
  const { cameras, images, points } = await readColmapModel(model);
  if (images.length > options.maxViews) {
    throw tooManyViews(`The model has ${images.length} images`, options.maxViews, model);
  }
  const folder = pictureFolder(
    capture.list,
    root,
    images.map((image) => image.name),
  );
  const besideMasks = folder === root ? root : folderOf(folder);
  const poses = images.map((image) => cameraToInput(image));
  const inputToWorld = rotationTo(upDirection(poses), [0, 1, 0]);
  const names = viewNames(images.map((image) => image.name));
  const warnings: Warning[] = [];
  const sources = await mapLimited(
    images,
    8,
    async (image, i): Promise<ViewSource> => {
      const picture = resolveName(capture.list, folder, image.name);
      if (picture === undefined) throw missingPicture(image.name, folder);
      const file = await absolutePath(capture, picture);
      const mask = findMask(capture.list, besideMasks, picture);
      const camera = cameras.get(image.cameraId);
      if (!camera)
        throw invalidMetadata(
          model,
          `${image.name} names camera ${image.cameraId}, which is not there`,
          'a camera for every image',
        );
      const header = await readImageHeader(file, options.maxPixels);
      // COLMAP solves on stored pixels: it does not turn pictures by their EXIF orientation.
      const { lens, orient, warning } = stateLens(colmapIntrinsics(camera, model), header, file, false);
      if (warning) warnings.push(warning);
      return {
        name: names[i],
        image: file,
        orient,
        lens,
        cameraToWorld: multiply(inputToWorld, poses[i]),
        split: 'train',
        mask: mask && (await absolutePath(capture, mask)),
      };
    },
    options.signal,
  );
  const world = points && rotatePoints(points, inputToWorld);
  return {
    format: 'colmap',
    sources,
    inputToWorld,
    points: world,
    warnings: warnings.slice(0, 1),
    estimated: { up: 'from the cameras' },
  };
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
  const [a, b, c, d] = [w / norm, x / norm, y / norm, z / norm];
  // Rows of world-to-camera are the camera's axes in the world.
  const right: Vec3 = [1 - 2 * (c * c + d * d), 2 * (b * c - a * d), 2 * (b * d + a * c)];
  const down: Vec3 = [2 * (b * c + a * d), 1 - 2 * (b * b + d * d), 2 * (c * d - a * b)];
  const forward: Vec3 = [2 * (b * d - a * c), 2 * (c * d + a * b), 1 - 2 * (b * b + c * c)];
  const [tx, ty, tz] = image.translation;
  const eye = [0, 1, 2].map((i) => -(right[i] * tx + down[i] * ty + forward[i] * tz));
  const negative = (v: Vec3): Vec3 => [-v[0], -v[1], -v[2]];
  return checkRigid([...right, 0, ...negative(down), 0, ...negative(forward), 0, ...eye, 1], image.name);
}

export function upDirection(poses: readonly Mat4[]): Vec3 {
  const mean: Vec3 = [0, 0, 0];
  const moment = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (const m of poses) {
    for (let r = 0; r < 3; r++) {
      mean[r] += m[4 + r];
      for (let c = 0; c < 3; c++) moment[r * 3 + c] += m[r] * m[c];
    }
  }
  const level = smallestEigenvector(moment.map((v) => v / poses.length));
  const fallback = length(mean) > 1e-3 * poses.length ? normalize(mean) : ([0, -1, 0] as Vec3);
  if (!level) return fallback;
  return dot(level, mean) < 0 ? [-level[0], -level[1], -level[2]] : level;
}

/** Eigenvector of the smallest eigenvalue of a symmetric 3×3 matrix; undefined where the second smallest is not much larger. */
function smallestEigenvector(matrix: readonly number[]): Vec3 | undefined {
  const a = [...matrix];
  const v = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  // Jacobi rotations.
  for (let sweep = 0; sweep < 30; sweep++) {
    for (const [p, q] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ]) {
      if (Math.abs(a[p * 3 + q]) < 1e-15) continue;
      const theta = (a[q * 3 + q] - a[p * 3 + p]) / (2 * a[p * 3 + q]);
      const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
      const c = 1 / Math.hypot(t, 1);
      const s = t * c;
      for (let k = 0; k < 3; k++) {
        const [x, y] = [a[k * 3 + p], a[k * 3 + q]];
        a[k * 3 + p] = c * x - s * y;
        a[k * 3 + q] = s * x + c * y;
      }
      for (let k = 0; k < 3; k++) {
        const [x, y] = [a[p * 3 + k], a[q * 3 + k]];
        a[p * 3 + k] = c * x - s * y;
        a[q * 3 + k] = s * x + c * y;
        const [i, j] = [v[k * 3 + p], v[k * 3 + q]];
        v[k * 3 + p] = c * i - s * j;
        v[k * 3 + q] = s * i + c * j;
      }
    }
  }
  const order = [0, 1, 2].sort((i, j) => a[i * 4] - a[j * 4]);
  const [least, second] = order;
  if (!(a[second * 4] > 0.1 && a[least * 4] < 0.35 * a[second * 4])) return undefined;
  return normalize([v[least], v[3 + least], v[6 + least]]);
}

/** The shortest rotation from one unit vector to another; half a turn about x (or z) where they are opposite. */
export function rotationTo(from: Vec3, to: Vec3): Mat4 {
  const axis = cross(from, to);
  const cosine = dot(from, to);
  if (cosine < -1 + 1e-9) {
    const side = normalize(cross(from, Math.abs(from[0]) < 0.9 ? cross([1, 0, 0], from) : [0, 0, 1]));
    return halfTurn(side);
  }
  const k = 1 / (1 + cosine);
  const [x, y, z] = axis;
  return [
    x * x * k + cosine,
    x * y * k + z,
    x * z * k - y,
    0,
    x * y * k - z,
    y * y * k + cosine,
    y * z * k + x,
    0,
    x * z * k + y,
    y * z * k - x,
    z * z * k + cosine,
    0,
    0,
    0,
    0,
    1,
  ];
}

function halfTurn(axis: Vec3): Mat4 {
  const out = new Array<number>(16).fill(0);
  for (let c = 0; c < 3; c++) for (let r = 0; r < 3; r++) out[c * 4 + r] = 2 * axis[c] * axis[r] - (c === r ? 1 : 0);
  out[15] = 1;
  return out;
}

function rotatePoints(points: Float64Array, m: Mat4): Float64Array {
  const out = new Float64Array(points.length);
  for (let i = 0; i < points.length; i += 3) out.set(transformPoint(m, [points[i], points[i + 1], points[i + 2]]), i);
  return out;
}
