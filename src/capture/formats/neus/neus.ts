import type { Mat4 } from '../../../core/math.js';
import { decodeNpy } from '../../images/npy.js';
import { npzArrays } from '../../images/npz.js';
import { compareNaturally } from '../../layout/fileList.js';
import { invalidMetadata } from '../../layout/metadata.js';
import { folderOf, isImageName, joinPath } from '../../layout/names.js';
import { swapAxes } from '../axes.js';
import { demandViews, poseOf, type ReadExport } from '../exportFile.js';
import type { StatedView } from '../stated.js';

const PICTURE_FOLDERS = ['image', 'images', 'rgb', ''];

/**
 * Reads the cameras of IDR and NeuS (`cameras_sphere.npz`, `cameras.npz`): `world_mat_i` is the projection K·[R | t] of
 * picture i, of the folder `image` in the order of names; y down, z forwards. `scale_mat_i` leads to the unit sphere in
 * which those methods work and is not applied: scale and origin stay the input's.
 */
export const readNeus: ReadExport = async (source) => {
  const { list, file } = source;
  const where = list.locate(file);
  let arrays: Map<string, () => Buffer>;
  try {
    arrays = npzArrays(Buffer.from(await source.read(file)));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw invalidMetadata(where, why, 'an archive of matrices', cause);
  }
  const base = folderOf(file);
  const folder = PICTURE_FOLDERS.map((below) => joinPath(base, below)).find((path) =>
    list.files(path).some(isImageName),
  );
  const pictures = folder === undefined ? [] : list.files(folder).filter(isImageName).sort(compareNaturally);
  const count = [...arrays.keys()].filter((name) => /^world_mat_\d+$/.test(name)).length;
  if (count === 0) throw invalidMetadata(where, 'it has no world_mat_0', 'a matrix world_mat_i for every picture');
  if (count !== pictures.length) {
    throw invalidMetadata(where, `it has ${count} cameras for ${pictures.length} pictures`, 'one for each');
  }
  const views = pictures.map((picture, i): StatedView => {
    const packed = arrays.get(`world_mat_${i}`);
    const matrix = packed && decodeNpy(packed());
    if (matrix?.width !== 4 || matrix.height < 3) {
      throw invalidMetadata(where, `it has no 4×4 matrix world_mat_${i}`, 'a matrix world_mat_i for every picture');
    }
    const { fx, fy, cx, cy, pose } = decompose(matrix.values, `world_mat_${i}`, where);
    return {
      picture: joinPath(folder ?? '', picture).slice(base === '' ? 0 : base.length + 1),
      intrinsics: { fx, fy, cx, cy },
      cameraToInput: swapAxes(pose),
      split: 'train',
      file,
    };
  });
  demandViews(views, where, 'NeuS');
  return { file, views, up: 'cameras', orient: false, warnings: [] };
};

/**
 * K and the camera's pose (OpenCV's axes) of a projection matrix, by RQ decomposition (Hartley and Zisserman, A4.1.1).
 */
export function decompose(
  p: ArrayLike<number>,
  what: string,
  file: string,
): { fx: number; fy: number; cx: number; cy: number; pose: Mat4 } {
  const row = (i: number): number[] => [p[i * 4], p[i * 4 + 1], p[i * 4 + 2]];
  const dot = (a: number[], b: number[]): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const norm = Math.hypot(...row(2));
  if (!(norm > 0) || !Number.isFinite(norm)) throw invalidMetadata(file, `${what} is no projection`, 'K·[R | t]');
  // The sign that makes the rotation a proper one: then the third row looks forwards.
  const [a, b, c] = [row(0), row(1), row(2)];
  const cross = (u: number[], v: number[]): number[] => [
    u[1] * v[2] - u[2] * v[1],
    u[2] * v[0] - u[0] * v[2],
    u[0] * v[1] - u[1] * v[0],
  ];
  const s = (dot(cross(a, b), c) < 0 ? -1 : 1) / norm;
  const [m1, m2, r3] = [a, b, c].map((r) => r.map((v) => v * s));
  const cy = dot(m2, r3);
  const q2 = m2.map((v, i) => v - cy * r3[i]);
  const fy = Math.hypot(...q2);
  const r2 = q2.map((v) => v / fy);
  const cx = dot(m1, r3);
  const skew = dot(m1, r2);
  const q1 = m1.map((v, i) => v - cx * r3[i] - skew * r2[i]);
  const fx = Math.hypot(...q1);
  const r1 = q1.map((v) => v / fx);
  // t = K⁻¹·p₄
  const [t1, t2, t3] = [p[3] * s, p[7] * s, p[11] * s];
  const y = (t2 - cy * t3) / fy;
  const t = [(t1 - skew * y - cx * t3) / fx, y, t3];
  const centre = [0, 1, 2].map((k) => -(r1[k] * t[0] + r2[k] * t[1] + r3[k] * t[2]));
  // Camera-to-world has the rows of the rotation as columns.
  const pose = poseOf([r1[0], r2[0], r3[0], r1[1], r2[1], r3[1], r1[2], r2[2], r3[2]], centre);
  return { fx, fy, cx, cy, pose };
}
