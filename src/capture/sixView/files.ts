import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { PlinthError } from '../../core/errors.js';
import { checkInside } from '../files/paths.js';
import { IMAGE_EXTENSIONS, isImageName } from '../images/header.js';
import { VIEW_NAMES, type ViewName } from './rig/rig.js';

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
/** Pictures in formats that many tools write and Plinth does not read. */
const OTHER_PICTURE = /\.(gif|bmp|tga|heic|heif|jxl|jp2|psd|svg|pdf|exr|hdr|dng|cr2|cr3|nef|arw)$/i;

/**
 * Finds the pictures: in `multi_views/`, or in the folder itself; depth maps of the same names in `depth_renders/`, masks in `masks/`.
 * Depth maps may be missing for up to half of the views, masks for none.
 * Throws `CAPTURE_VIEWS_MISSING`, `CAPTURE_VIEW_UNEXPECTED`, `CAPTURE_FILE_MISSING` and `ARCHIVE_UNSAFE_PATH`, naming the file.
 *
 * @param allowMissing whether up to two views may be missing
 */
export async function findSixViewFiles(
  folder: string,
  allowMissing: boolean,
): Promise<{ files: SixViewFile[]; missing: ViewName[] }> {
  const nested = join(folder, 'multi_views');
  const own = await isFolder(nested);
  const colors = await imagesByName(own ? nested : folder, own);
  const missing = VIEW_NAMES.filter((name) => !colors.has(name));
  if (missing.length > (allowMissing ? 6 - FEWEST : 0)) {
    const where = own ? 'multi_views/' : '';
    throw new PlinthError('CAPTURE_VIEWS_MISSING', {
      found: `${missing.length === 1 ? 'The view' : 'The views'} ${missing.map((n) => `${where}${n}`).join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing${await otherFormats(own ? nested : folder, missing)}`,
      expected: `a picture for each of ${VIEW_NAMES.join(', ')} (${IMAGE_EXTENSIONS.join(', ')})`,
      remedy:
        missing.length <= 6 - FEWEST
          ? 'Add the missing picture, or set the option allowMissing (--allow-missing) to go on without it'
          : 'Add the missing pictures',
      subject: join(own ? nested : folder, `${missing[0]}.png`),
    });
  }
  const depths = await companions(folder, 'depth_renders', colors, Math.min(FEWEST_DEPTHS, colors.size));
  const masks = await companions(folder, 'masks', colors, colors.size);
  for (const group of [colors, depths, masks])
    for (const path of group?.values() ?? []) await checkInside(folder, path, relative(folder, path));
  const files = VIEW_NAMES.flatMap((name) => {
    const color = colors.get(name);
    return color === undefined ? [] : [{ name, color, depth: depths?.get(name), mask: masks?.get(name) }];
  });
  return { files, missing };
}

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false;

/** The pictures of a folder by view name. `strict`: a picture of another name is an error. */
async function imagesByName(
  folder: string,
  strict: boolean,
  isWanted: (file: string) => boolean = isImageName,
): Promise<Map<ViewName, string>> {
  const found = new Map<ViewName, string>();
  for (const file of (await readdir(folder)).sort()) {
    if (!isWanted(file) || file.startsWith('.')) continue;
    const path = join(folder, file);
    const stem = file.slice(0, file.lastIndexOf('.')).toLowerCase();
    const name = VIEW_NAMES.find((n) => n === stem);
    if (name === undefined) {
      if (strict) throw unexpected(path, `${file} is not the name of a view`);
      continue;
    }
    const other = found.get(name);
    if (other !== undefined) throw unexpected(path, `${file} is a second picture of the view ${name}`);
    found.set(name, path);
  }
  return found;
}

/** What to say of pictures of missing views that are there in a format without a reader. */
async function otherFormats(folder: string, missing: readonly ViewName[]): Promise<string> {
  const found = (await readdir(folder)).filter(
    (file) => OTHER_PICTURE.test(file) && missing.some((name) => file.toLowerCase().startsWith(`${name}.`)),
  );
  return found.length > 0
    ? ` (${found.sort().join(', ')} ${found.length === 1 ? 'is' : 'are'} in no format that is read)`
    : '';
}

function unexpected(path: string, found: string): PlinthError {
  return new PlinthError('CAPTURE_VIEW_UNEXPECTED', {
    found,
    expected: `one picture for each of ${VIEW_NAMES.join(', ')}, and no others`,
    remedy: 'Take the file away, or give the capture as posed images with a transforms.json',
    subject: path,
  });
}

/** Throws `DEPTH_INVALID` where a folder holds files of the views, but none that is read: they were meant to count. */
async function refuseOtherDepths(folder: string): Promise<void> {
  const other = (await readdir(folder)).sort().find((file) => VIEW_NAMES.some((n) => file.toLowerCase().startsWith(n)));
  if (other === undefined) return;
  throw new PlinthError('DEPTH_INVALID', {
    found: `${other} in depth_renders/ is in no format that is read`,
    expected: `depth maps named front.png and so on (${IMAGE_EXTENSIONS.join(', ')}, exr)`,
    remedy:
      'Convert the depth maps, to 16-bit PNG for example, or remove the folder depth_renders/ to go on without depth',
    subject: join(folder, other),
  });
}

/** Depth maps or masks of the views: for at least `fewest` of them, or for none. */
async function companions(
  folder: string,
  below: string,
  colors: ReadonlyMap<ViewName, string>,
  fewest: number,
): Promise<Map<ViewName, string> | undefined> {
  const path = join(folder, below);
  if (!(await isFolder(path))) return undefined;
  const isDepth = below === 'depth_renders';
  const found = await imagesByName(path, true, (file) => isImageName(file) || (isDepth && /\.exr$/i.test(file)));
  if (isDepth && found.size === 0) await refuseOtherDepths(path);
  for (const name of found.keys()) if (!colors.has(name)) found.delete(name);
  if (found.size === 0) return undefined;
  if (found.size >= fewest) return found;
  for (const name of colors.keys()) {
    if (found.has(name)) continue;
    throw new PlinthError('CAPTURE_FILE_MISSING', {
      found: `${below}/ has no file for the view ${name}`,
      expected: `${below}/${name}.png beside the ${found.size} that ${found.size === 1 ? 'is' : 'are'} there (at least ${fewest} of ${colors.size})`,
      remedy: `Add it, or remove the folder ${below}/ to go on without`,
      subject: join(path, `${name}.png`),
    });
  }
  return found;
}
