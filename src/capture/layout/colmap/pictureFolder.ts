import { PlinthError } from '../../../core/errors.js';
import type { FileList } from '../fileList.js';
import { joinPath } from '../names.js';
import { resolveName } from '../resolveName.js';

/** Where COLMAP projects keep their pictures, in the order of trying. */
const IMAGE_FOLDERS = ['images', 'input', 'imgs', 'dense/images', 'colmap/images', ''];

/** The folder of a model's pictures. Throws `CAPTURE_FILE_MISSING` where none has any of the first. */
export function pictureFolder(list: FileList, root: string, names: readonly string[]): string {
  for (const below of IMAGE_FOLDERS) {
    const folder = joinPath(root, below);
    if (!list.hasFolder(folder)) continue;
    for (const name of names.slice(0, 5)) if (resolveName(list, folder, name) !== undefined) return folder;
  }
  throw missingPicture(names[0], joinPath(root, 'images'));
}

export function missingPicture(name: string, folder: string): PlinthError {
  return new PlinthError('CAPTURE_FILE_MISSING', {
    found: `The COLMAP model names ${name}, which is not in ${folder || 'the capture'}`,
    expected: 'the pictures of the model in images/ beside sparse/',
    remedy: 'Add the picture, or take it out of the model',
    subject: name,
  });
}
