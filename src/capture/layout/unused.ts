import type { FileList } from './fileList.js';
import type { LeftOut } from './leftOut.js';
import {
  fileName,
  folderOf,
  isDepthFolder,
  isDepthName,
  isImageName,
  isMaskFolder,
  isOtherPictureName,
  isSidePictureName,
  joinPath,
  withoutEnding,
} from './names.js';

/** Files of COLMAP's dense workspaces and of Record3D that hold depth and are not read. */
const isUnreadDepth = (path: string): boolean =>
  /(^|\/)stereo\/depth_maps\/.*\.bin$/i.test(path) || /\.depth$/i.test(path);

/**
 * What lies beside the pictures that were used and was not used itself: pictures without a camera (usually forgotten
 * frames), masks and depth maps that no picture has, depth of formats that are not read. Smaller copies of the
 * pictures, and folders that are captures of their own, are no part of this one.
 *
 * @param pictures the pictures in use, as paths of the list
 * @param used these, and the masks and depth maps in use
 */
export function unusedFiles(list: FileList, pictures: readonly string[], used: ReadonlySet<string>): LeftOut[] {
  const folders = [...new Set(pictures.map(folderOf))];
  const stems = new Set(pictures.map((path) => withoutEnding(fileName(path)).toLowerCase()));
  const left: LeftOut[] = [];
  for (const folder of folders) {
    for (const name of list.files(folder)) {
      if (!isImageName(name) && !isOtherPictureName(name)) continue;
      // NeRF-synthetic test folders hold depth and normal pictures beside each view; a picture may lie beside its
      // original.
      const path = joinPath(folder, name);
      if (used.has(path) || isSidePictureName(name) || stems.has(withoutEnding(name).toLowerCase())) continue;
      left.push({ kind: 'picture', name: path, reason: 'no-camera' });
    }
  }
  const bases = [...new Set(['', ...folders, ...folders.map(folderOf)])];
  for (const base of bases) {
    for (const name of list.folders(base)) {
      const folder = joinPath(base, name);
      if (folders.includes(folder)) continue;
      if (isMaskFolder(folder)) left.push(...unusedIn(list, folder, used, 'mask', isImageName));
      else if (isDepthFolder(folder)) left.push(...unusedIn(list, folder, used, 'depth', isDepthName));
    }
  }
  for (const path of list.paths) if (isUnreadDepth(path)) left.push({ kind: 'depth', name: path, reason: 'not-read' });
  return left;
}

function unusedIn(
  list: FileList,
  folder: string,
  used: ReadonlySet<string>,
  kind: 'mask' | 'depth',
  isWanted: (name: string) => boolean,
): LeftOut[] {
  return list
    .allFolders()
    .filter((inner) => inner === folder || inner.startsWith(`${folder}/`))
    .flatMap((inner) => list.files(inner).map((name) => joinPath(inner, name)))
    .filter((path) => isWanted(fileName(path)) && !used.has(path))
    .map((name) => ({ kind, name, reason: 'no-picture' }));
}
