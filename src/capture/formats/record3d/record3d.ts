import { identity, type Vec3 } from '../../../core/math.js';
import { compareNaturally } from '../../layout/fileList.js';
import { invalidMetadata, parseJson } from '../../layout/metadata.js';
import { folderOf, isImageName, joinPath, withoutEnding } from '../../layout/names.js';
import { demandViews, numberOf, numbersOf, poseOf, type ReadExport, textOf } from '../exportFile.js';
import type { StatedView } from '../stated.js';

const PICTURE_FOLDERS = ['rgb', 'rgbd', 'images', ''];

/**
 * Reads Record3D's `metadata` (or `metadata.json`) with the pictures of `rgb/` or `rgbd/`: per frame a unit quaternion
 * (x, y, z, w) from camera to world and a position, ARKit's axes (y up, looking along −z; world +Y up, metres); K
 * column by column, or intrinsics per frame. Depth is read where it was exported as `depth/*.exr` (metres); that of
 * `.r3d` archives (LZFSE) is not.
 */
export const readRecord3d: ReadExport = async (source) => {
  const { list, file } = source;
  const where = list.locate(file);
  const json = (parseJson(where, await textOf(source, file)) ?? {}) as Record<string, unknown>;
  const poses = Array.isArray(json.poses) ? json.poses : [];
  const folder = PICTURE_FOLDERS.map((below) => joinPath(folderOf(file), below)).find((path) =>
    list.files(path).some(isImageName),
  );
  const pictures = folder === undefined ? [] : list.files(folder).filter(isImageName).sort(compareNaturally);
  if (poses.length !== pictures.length) {
    throw invalidMetadata(where, `it has ${poses.length} poses for ${pictures.length} pictures`, 'one for each');
  }
  const width = numberOf(json.w ?? json.width, 'w', where);
  const height = numberOf(json.h ?? json.height, 'h', where);
  const each = Array.isArray(json.perFrameIntrinsicCoeffs) ? json.perFrameIntrinsicCoeffs : [];
  const base = folderOf(file);
  const views = poses.map((pose, i): StatedView => {
    const depth = `depth/${withoutEnding(pictures[i])}.exr`;
    const [x, y, z, w, ...centre] = numbersOf(pose, 7, `pose ${i}`, where);
    const [fx, fy, cx, cy] = each[i] ? numbersOf(each[i], 4, `intrinsics ${i}`, where) : focalOfK(json.K, where);
    return {
      picture: joinPath(folder ?? '', pictures[i]).slice(base === '' ? 0 : base.length + 1),
      depth: list.has(joinPath(base, depth)) ? { name: depth } : undefined,
      intrinsics: { width, height, fx, fy, cx, cy },
      cameraToInput: poseOf(quaternionRows(x, y, z, w), centre as Vec3),
      split: 'train',
      file,
    };
  });
  demandViews(views, where, 'Record3D');
  return { file, views, up: identity(), orient: false, warnings: [] };
};

function focalOfK(k: unknown, file: string): number[] {
  const m = numbersOf(k, 9, 'K', file);
  return [m[0], m[4], m[6], m[7]];
}

/** Rows of the rotation of a unit quaternion. */
const quaternionRows = (x: number, y: number, z: number, w: number): number[] => [
  ...[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
  ...[2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
  ...[2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
];
