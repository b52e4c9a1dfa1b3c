import { decodeNpy, type NpyMap } from '../../images/npy.js';
import { compareNaturally, type FileList } from '../../layout/fileList.js';
import { invalidMetadata } from '../../layout/metadata.js';
import { folderOf, isImageName, joinPath } from '../../layout/names.js';
import { demandViews, poseOf, type ReadExport } from '../exportFile.js';
import type { StatedView } from '../stated.js';

/** Numbers of a row: a 3×5 matrix, and the nearest and farthest depth. */
const ROW = 17;

/**
 * Reads LLFF's `poses_bounds.npy`: per picture a 3×5 matrix in rows whose columns are the camera's axes down, right and
 * backwards, its position, and height, width and focal length; then two depths, which are not needed. Pictures are
 * those of `images/` (else `images_4` and so on) in the order of their names.
 */
export const readLlff: ReadExport = async (source) => {
  const { list, file } = source;
  const where = list.locate(file);
  let array: NpyMap;
  try {
    array = decodeNpy(Buffer.from(await source.read(file)));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw invalidMetadata(where, why, 'an array of poses', cause);
  }
  const { height: count, width } = array;
  if (width !== ROW) {
    throw invalidMetadata(where, `its shape is ${count} × ${width}`, `pictures × ${ROW}`);
  }
  const { folder, pictures } = picturesOf(list, folderOf(file), count);
  if (pictures.length !== count) {
    throw invalidMetadata(
      where,
      `it has ${count} poses for ${pictures.length} pictures in ${folder || 'the capture'}`,
      'one for each',
    );
  }
  const base = folderOf(file) === '' ? 0 : folderOf(file).length + 1;
  const views = pictures.map((picture, i): StatedView => {
    const m = Array.from({ length: ROW }, (_, k) => array.values[i * ROW + k]);
    const [h, w, f] = [m[4], m[9], m[14]];
    const rows = [0, 5, 10].flatMap((r) => [m[r + 1], 0 - m[r], m[r + 2]]);
    return {
      picture: joinPath(folder, picture).slice(base),
      intrinsics: { width: w, height: h, fx: f, fy: f },
      cameraToInput: poseOf(rows, [m[3], m[8], m[13]]),
      split: 'train',
      file,
    };
  });
  demandViews(views, where, 'LLFF');
  return { file, views, up: 'cameras', orient: false, warnings: [] };
};

/** The folder with as many pictures as there are poses, of full size first. */
function picturesOf(list: FileList, base: string, count: number): { folder: string; pictures: string[] } {
  const folders = list
    .folders(base)
    .filter((name) => /^images(_\d+)?$/i.test(name))
    .sort(compareNaturally)
    .map((name) => joinPath(base, name));
  const all = [...folders, base].map((folder) => ({
    folder,
    pictures: list.files(folder).filter(isImageName).sort(compareNaturally),
  }));
  return all.find(({ pictures }) => pictures.length === count) ?? all[0];
}
