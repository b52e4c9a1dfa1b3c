import type { FileList } from './fileList.js';
import { fileName, IMAGE_EXTENSIONS, joinPath, withoutEnding } from './names.js';

/** Folders beside the metadata in which masks are looked for. */
const MASK_FOLDERS = ['masks', 'mask'];

/** The file of exactly this name, else with a picture's ending appended, as COLMAP has it, else with one of its own. */
const anyEnding = (list: FileList, path: string): string | undefined =>
  [
    path,
    ...IMAGE_EXTENSIONS.map((ending) => `${path}.${ending}`),
    ...IMAGE_EXTENSIONS.map((ending) => `${withoutEnding(path)}.${ending}`),
  ].find((candidate) => list.has(candidate));

/**
 * Finds the mask of a picture in a `masks/` folder below `base`: under the picture's path without its first folder
 * (`images/a/1.jpg` → `masks/a/1.*`), its path, or its name.
 */
export function findMask(list: FileList, base: string, image: string): string | undefined {
  const way = base === '' ? image : image.startsWith(`${base}/`) ? image.slice(base.length + 1) : fileName(image);
  const first = way.indexOf('/');
  for (const folder of MASK_FOLDERS) {
    if (!list.hasFolder(joinPath(base, folder))) continue;
    for (const below of [...(first < 0 ? [] : [way.slice(first + 1)]), way, fileName(way)]) {
      const found = anyEnding(list, joinPath(base, folder, below));
      if (found !== undefined && found !== image) return found;
    }
  }
  return undefined;
}
