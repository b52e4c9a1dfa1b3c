import { type Camera, worldToCamera } from '../../core/camera.js';
import { type Mat4, multiply } from '../../core/math.js';
import type { ConvertedView } from './convertedView.js';

/**
 * COLMAP's axes from Plinth's, of world and camera alike: half a turn about x, since COLMAP has y down and looks along
 * +z. Gravity then points along +y, so that a reader which looks for up finds it again.
 */
const HALF_TURN: Mat4 = [1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1];

/**
 * The text files of a COLMAP model (https://colmap.github.io/format.html) of pinhole cameras, by name. Poses only:
 * there are no points.
 */
export function colmapFiles(views: readonly ConvertedView[]): Record<string, string> {
  const cameras: string[] = [];
  const ids = new Map<string, number>();
  const cameraId = ({ width, height, fx, fy, cx, cy }: Camera): number => {
    const line = `PINHOLE ${width} ${height} ${fx} ${fy} ${cx} ${cy}`;
    const known = ids.get(line);
    if (known !== undefined) return known;
    const id = ids.size + 1;
    ids.set(line, id);
    cameras.push(`${id} ${line}`);
    return id;
  };
  const images = views.map(({ image, camera }, i) => {
    const m = multiply(HALF_TURN, multiply(worldToCamera(camera), HALF_TURN));
    const name = image.slice(image.indexOf('/') + 1);
    return `${i + 1} ${quaternion(m).join(' ')} ${m[12]} ${m[13]} ${m[14]} ${cameraId(camera)} ${name}\n`;
  });
  return {
    'cameras.txt': ['# CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[] (PINHOLE: fx, fy, cx, cy)', ...cameras, ''].join('\n'),
    'images.txt': [
      '# IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME; then POINTS2D[], here none',
      ...images,
      '',
    ].join('\n'),
    'points3D.txt': '# POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[]\n',
  };
}

/** The unit quaternion (w, x, y, z) of a rotation matrix, by the greatest of its four components (Shepperd 1978). */
function quaternion(m: Mat4): [number, number, number, number] {
  const [xx, yy, zz] = [m[0], m[5], m[10]];
  const squares = [1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz];
  const k = squares.indexOf(Math.max(...squares));
  const a = Math.sqrt(squares[k]) / 2;
  const [yz, zx, xy] = [m[6] - m[9], m[8] - m[2], m[1] - m[4]].map((v) => v / (4 * a));
  const [yzs, zxs, xys] = [m[6] + m[9], m[8] + m[2], m[1] + m[4]].map((v) => v / (4 * a));
  if (k === 0) return [a, yz, zx, xy];
  if (k === 1) return [yz, a, xys, zxs];
  return k === 2 ? [zx, xys, a, yzs] : [xy, zxs, yzs, a];
}
