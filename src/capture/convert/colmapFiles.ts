import { type Camera, worldToCamera } from '../../core/camera.js';
import { type Mat4, multiply } from '../../core/math.js';
import { quaternionOf } from '../../core/quaternion.js';
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
    return `${i + 1} ${quaternionOf(rotationRows(m)).join(' ')} ${m[12]} ${m[13]} ${m[14]} ${cameraId(camera)} ${name}\n`;
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

/** The rotation of a matrix, row by row. */
const rotationRows = (m: Mat4): number[] => [m[0], m[4], m[8], m[1], m[5], m[9], m[2], m[6], m[10]];
