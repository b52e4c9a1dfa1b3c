import type { Warning } from '../../core/context.js';
import type { FileList } from '../layout/fileList.js';
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
} from '../layout/names.js';
import { counted } from './warnings.js';

/**
 * What lies beside the pictures that were used and was not used itself: pictures without a camera (usually forgotten
 * frames), masks and depth maps that no picture has. Smaller copies of the pictures, and folders that are captures of
 * their own, are no part of this one.
 */
export function unusedFiles(list: FileList, pictures: readonly string[], used: ReadonlySet<string>): Warning[] {
  const folders = [...new Set(pictures.map(folderOf))];
  const stems = new Set(pictures.map((path) => withoutEnding(fileName(path)).toLowerCase()));
  const warnings: Warning[] = [];
  for (const folder of folders) {
    const extra = list.files(folder).filter((name) => {
      if (!isImageName(name) && !isOtherPictureName(name)) return false;
      // NeRF-synthetic test folders hold depth and normal pictures beside each view; a picture may lie beside its
      // original.
      return (
        !used.has(joinPath(folder, name)) && !isSidePictureName(name) && !stems.has(withoutEnding(name).toLowerCase())
      );
    });
    if (extra.length > 0) warnings.push(extraPictures(folder, extra, 'CAPTURE_EXTRA_IMAGES'));
  }
  const bases = [...new Set(['', ...folders, ...folders.map(folderOf)])];
  for (const base of bases) {
    for (const name of list.folders(base)) {
      const folder = joinPath(base, name);
      if (folders.includes(folder)) continue;
      if (isMaskFolder(folder))
        warnings.push(...unusedIn(list, folder, used, 'masks', 'CAPTURE_EXTRA_MASKS', isImageName));
      else if (isDepthFolder(folder)) {
        warnings.push(...unusedIn(list, folder, used, 'depth maps', 'CAPTURE_EXTRA_DEPTH', isDepthName));
      }
    }
  }
  return warnings;
}

function extraPictures(folder: string, extra: readonly string[], code: string): Warning {
  const where = fileName(folder) || 'the capture';
  return {
    code,
    message: `${extra.length} pictures in ${where} have no camera and are not used: ${counted(extra, 3)}.`,
    subject: extra[0],
    remedy: 'Add their frames to the metadata if they are meant to be used.',
  };
}

function unusedIn(
  list: FileList,
  folder: string,
  used: ReadonlySet<string>,
  what: string,
  code: string,
  isWanted: (name: string) => boolean,
): Warning[] {
  const below = list.allFolders().filter((inner) => inner === folder || inner.startsWith(`${folder}/`));
  const extra = below
    .flatMap((inner) => list.files(inner).map((name) => joinPath(inner, name)))
    .filter((path) => isWanted(fileName(path)) && !used.has(path));
  if (extra.length === 0) return [];
  return [
    {
      code,
      message:
        `${extra.length} ${what} in ${folder} belong to no view and are not used: ` +
        `${counted(extra.map(fileName), 3)}.`,
      subject: extra[0],
      remedy:
        what === 'masks'
          ? 'Give them the names of their pictures (r_1.png, r_1.jpg.png or r_1_mask.png for r_1.jpg), or name ' +
            'them by mask_path.'
          : 'Name them in the metadata (depth_file_path of each frame, with depth_unit_scale_factor).',
    },
  ];
}
