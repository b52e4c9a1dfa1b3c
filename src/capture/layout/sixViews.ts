import { PlinthError } from '../../core/errors.js';
import { anyOf, option, step } from '../../core/remedy.js';
import type { FileList } from './fileList.js';
import {
  IMAGE_EXTENSIONS,
  isImageName,
  isOtherPictureName,
  joinPath,
  VIEW_NAMES,
  type ViewName,
  withoutEnding,
} from './names.js';

export interface SixViewFile {
  name: ViewName;
  color: string;
  depth?: string;
  mask?: string;
}

/** Fewest views that something can be made of, where missing ones are allowed. */
const FEWEST = 4;
/** Fewest depth maps that say more about the cameras than the outlines do. */
const FEWEST_DEPTHS = 3;

/**
 * Finds the pictures of six named views: in `multi_views/`, or in the folder itself; depth maps of the same names in
 * `depth_renders/`, masks in `masks/`. Depth maps may be missing for up to half of the views, masks for none.
 * Throws `CAPTURE_VIEWS_MISSING`, `CAPTURE_VIEW_UNEXPECTED` and `CAPTURE_FILE_MISSING`, naming the file.
 *
 * @param root folder of the list in which the views are
 * @param allowMissing whether up to two views may be missing
 */
export function arrangeSixViews(
  list: FileList,
  root: string,
  allowMissing: boolean,
): { files: SixViewFile[]; missing: ViewName[] } {
  const nested = joinPath(root, 'multi_views');
  const own = list.hasFolder(nested);
  const folder = own ? nested : root;
  const colors = imagesByName(list, folder, own);
  const missing = VIEW_NAMES.filter((name) => !colors.has(name));
  if (missing.length > (allowMissing ? 6 - FEWEST : 0)) {
    const where = own ? 'multi_views/' : '';
    throw new PlinthError('CAPTURE_VIEWS_MISSING', {
      found:
        `${missing.length === 1 ? 'The view' : 'The views'} ${missing.map((n) => `${where}${n}`).join(', ')} ` +
        `${missing.length === 1 ? 'is' : 'are'} missing${otherFormats(list, folder, missing)}`,
      expected: `a picture for each of ${VIEW_NAMES.join(', ')} (${IMAGE_EXTENSIONS.join(', ')})`,
      remedy:
        missing.length <= 6 - FEWEST
          ? anyOf(step`add the missing picture`, step`go on without it by ${option('allowMissing')}`)
          : 'Add the missing pictures',
      subject: list.locate(joinPath(folder, `${missing[0]}.png`)),
    });
  }
  const depths = companions(list, root, 'depth_renders', colors, Math.min(FEWEST_DEPTHS, colors.size));
  const masks = companions(list, root, 'masks', colors, colors.size);
  const files = VIEW_NAMES.flatMap((name) => {
    const color = colors.get(name);
    return color === undefined ? [] : [{ name, color, depth: depths?.get(name), mask: masks?.get(name) }];
  });
  return { files, missing };
}

/** What a folder holds, folders too: one with a picture's name is somebody's mistake, which the reader tells. */
const entries = (list: FileList, folder: string): string[] => [...list.files(folder), ...list.folders(folder)].sort();

/** The pictures of a folder by view name. `strict`: a picture of another name is an error. */
function imagesByName(
  list: FileList,
  folder: string,
  strict: boolean,
  isWanted: (file: string) => boolean = isImageName,
): Map<ViewName, string> {
  const found = new Map<ViewName, string>();
  for (const file of entries(list, folder)) {
    if (!isWanted(file)) continue;
    const path = joinPath(folder, file);
    const stem = withoutEnding(file).toLowerCase();
    const name = VIEW_NAMES.find((n) => n === stem);
    if (name === undefined) {
      if (strict) throw unexpected(list.locate(path), `${file} is not the name of a view`);
      continue;
    }
    if (found.has(name)) throw unexpected(list.locate(path), `${file} is a second picture of the view ${name}`);
    found.set(name, path);
  }
  return found;
}

/** What to say of pictures of missing views that are there in a format without a reader. */
function otherFormats(list: FileList, folder: string, missing: readonly ViewName[]): string {
  const found = entries(list, folder).filter(
    (file) => isOtherPictureName(file) && missing.some((name) => file.toLowerCase().startsWith(`${name}.`)),
  );
  return found.length > 0
    ? ` (${found.join(', ')} ${found.length === 1 ? 'is' : 'are'} in no format that is read)`
    : '';
}

function unexpected(subject: string, found: string): PlinthError {
  return new PlinthError('CAPTURE_VIEW_UNEXPECTED', {
    found,
    expected: `one picture for each of ${VIEW_NAMES.join(', ')}, and no others`,
    remedy: 'Take the file away, or give the capture as posed images with a transforms.json',
    subject,
  });
}

/** Throws `DEPTH_INVALID` where a folder holds files of the views, but none that is read: they were meant to count. */
function refuseOtherDepths(list: FileList, folder: string): void {
  const other = entries(list, folder).find((file) => VIEW_NAMES.some((n) => file.toLowerCase().startsWith(n)));
  if (other === undefined) return;
  throw new PlinthError('DEPTH_INVALID', {
    found: `${other} in depth_renders/ is in no format that is read`,
    expected: `depth maps named front.png and so on (${IMAGE_EXTENSIONS.join(', ')}, exr)`,
    remedy:
      'Convert the depth maps, to 16-bit PNG for example, or remove the folder depth_renders/ to go on without depth',
    subject: list.locate(joinPath(folder, other)),
  });
}

/** Depth maps or masks of the views: for at least `fewest` of them, or for none. */
function companions(
  list: FileList,
  root: string,
  below: string,
  colors: ReadonlyMap<ViewName, string>,
  fewest: number,
): Map<ViewName, string> | undefined {
  const path = joinPath(root, below);
  if (!list.hasFolder(path)) return undefined;
  const isDepth = below === 'depth_renders';
  const found = imagesByName(list, path, true, (file) => isImageName(file) || (isDepth && /\.exr$/i.test(file)));
  if (isDepth && found.size === 0) refuseOtherDepths(list, path);
  for (const name of found.keys()) if (!colors.has(name)) found.delete(name);
  if (found.size === 0) return undefined;
  if (found.size >= fewest) return found;
  for (const name of colors.keys()) {
    if (found.has(name)) continue;
    throw new PlinthError('CAPTURE_FILE_MISSING', {
      found: `${below}/ has no file for the view ${name}`,
      expected:
        `${below}/${name}.png beside the ${found.size} that ${found.size === 1 ? 'is' : 'are'} there (at least ` +
        `${fewest} of ${colors.size})`,
      remedy: `Add it, or remove the folder ${below}/ to go on without`,
      subject: list.locate(joinPath(path, `${name}.png`)),
    });
  }
  return found;
}
