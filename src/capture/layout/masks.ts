import type { FileList } from './fileList.js';
import { fileName, folderOf, IMAGE_EXTENSIONS, isMaskFolder, joinPath, withoutEnding } from './names.js';

/** A mask file, and what its white means. */
export interface FoundMask {
  path: string;
  /** White is what to leave out, not the object. */
  inverted: boolean;
}

/** Names of a mask by the picture's whole name and its stem. COLMAP appends an ending, Metashape `_mask`. */
const NAMES: readonly ((name: string, stem: string) => string)[] = [
  (name) => name,
  (_, stem) => stem,
  (_, stem) => `${stem}_mask`,
  (name) => `${name}_mask`,
  (_, stem) => `${stem}.mask`,
  (_, stem) => `${stem}-mask`,
  (_, stem) => `mask_${stem}`,
  (_, stem) => `${stem}_alpha`,
  (_, stem) => `${stem}.alpha`,
];

/** instant-ngp's masks of what moved: their white is left out of training. */
const DYNAMIC = (stem: string): string => `dynamic_mask_${stem}`;

function inFolder(list: FileList, folder: string, name: string, isBeside: boolean): FoundMask | undefined {
  const stem = withoutEnding(name);
  const withEnding = (path: string): string | undefined => {
    for (const ending of IMAGE_EXTENSIONS) {
      const found = list.find(joinPath(folder, `${path}.${ending}`));
      if (found !== undefined) return found;
    }
    return undefined;
  };
  // Beside the pictures, a mask has to be called one.
  const plain = isBeside ? undefined : list.find(joinPath(folder, name));
  if (plain !== undefined) return { path: plain, inverted: false };
  for (const nameOf of isBeside ? NAMES.slice(2) : NAMES) {
    const path = withEnding(nameOf(name, stem));
    if (path !== undefined) return { path, inverted: false };
  }
  const path = withEnding(DYNAMIC(stem));
  return path === undefined ? undefined : { path, inverted: true };
}

/**
 * Finds the mask of a picture: in a folder of masks below one of `bases`, under the picture's path without its first
 * folder (`images/a/1.jpg` → `masks/a/1.*`), its path, or its name; else beside the picture, where its name says that
 * it is a mask.
 */
export function findMask(list: FileList, bases: readonly string[], image: string): FoundMask | undefined {
  for (const base of new Set(bases)) {
    const way = base === '' ? image : image.startsWith(`${base}/`) ? image.slice(base.length + 1) : fileName(image);
    const first = way.indexOf('/');
    for (const folder of list.folders(base).filter(isMaskFolder)) {
      for (const below of [...(first < 0 ? [] : [way.slice(first + 1)]), way, fileName(way)]) {
        const found = inFolder(list, joinPath(base, folder, folderOf(below)), fileName(below), false);
        if (found && found.path !== image) return found;
      }
    }
  }
  return inFolder(list, folderOf(image), fileName(image), true);
}
