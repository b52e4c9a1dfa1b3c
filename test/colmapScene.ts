import type { Lens } from '../src/capture/cameras/lens.js';
import { rotationTo } from '../src/capture/formats/up.js';
import { dot, lookAt, type Mat4, multiply, type Vec3 } from '../src/core/math.js';
import { encode, put, renderEllipsoid } from './captureScene.js';

/** COLMAP's frame here: world turned so that up is −y and 40° about it, as its own solutions come. */
export const COLMAP_TURN: Mat4 = multiply(
  rotationTo([0, 1, 0], [0, -1, 0]),
  lookAt([0, 0, 0], [Math.sin(0.7), 0, -Math.cos(0.7)]),
);

/** Rows of world-to-camera with y down and z forwards, and the translation. */
export function worldToCamera(pose: Mat4): { rows: Vec3[]; t: number[] } {
  const m = multiply(COLMAP_TURN, pose);
  const axis = (c: number, sign: number): Vec3 => [sign * m[c * 4], sign * m[c * 4 + 1], sign * m[c * 4 + 2]];
  const rows = [axis(0, 1), axis(1, -1), axis(2, -1)];
  return { rows, t: rows.map((row) => -dot(row, [m[12], m[13], m[14]])) };
}

/** Unit quaternion w x y z of a rotation in rows, by Shepperd's method with its largest component. */
function quaternion([r0, r1, r2]: Vec3[]): number[] {
  const squares = [
    1 + r0[0] + r1[1] + r2[2],
    1 + r0[0] - r1[1] - r2[2],
    1 - r0[0] + r1[1] - r2[2],
    1 - r0[0] - r1[1] + r2[2],
  ];
  const k = squares.indexOf(Math.max(...squares));
  const s = 2 * Math.sqrt(squares[k]);
  const d = [r2[1] - r1[2], r0[2] - r2[0], r1[0] - r0[1]];
  const e = [r0[1] + r1[0], r0[2] + r2[0], r1[2] + r2[1]];
  const q = [s / 4, d[0] / s, d[1] / s, d[2] / s];
  if (k === 0) return q;
  const [w, x, y, z] = [
    [d[0] / s, s / 4, e[0] / s, e[1] / s],
    [d[1] / s, e[0] / s, s / 4, e[2] / s],
    [d[2] / s, e[1] / s, e[2] / s, s / 4],
  ][k - 1];
  return [w, x, y, z];
}

export const colmapCamerasText = (lens: Lens, camera?: string): string =>
  `# cameras\n${camera ?? `1 PINHOLE ${lens.width} ${lens.height} ${lens.fx} ${lens.fy} ${lens.cx} ${lens.cy}`}\n`;

export const colmapImagesText = (poses: readonly Mat4[]): string =>
  poses
    .map((pose, i) => {
      const { rows, t } = worldToCamera(pose);
      return `${i + 1} ${[...quaternion(rows), ...t].join(' ')} 1 r_${i}.png\n\n`;
    })
    .join('');

/** Writes a project of the ellipsoid: a text model and its pictures. */
export async function writeColmap(
  root: string,
  options: { lens: Lens; poses: readonly Mat4[]; model: string; pictures: string; camera?: string },
): Promise<void> {
  const { lens, poses, model, pictures, camera } = options;
  await put(root, `${model}/cameras.txt`, colmapCamerasText(lens, camera));
  await put(root, `${model}/images.txt`, colmapImagesText(poses));
  for (const [i, pose] of poses.entries()) {
    await put(root, `${pictures}/r_${i}.png`, await encode(renderEllipsoid(lens, pose).color));
  }
}
