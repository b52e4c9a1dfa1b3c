import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '../../core/errors.js';
import { IMAGE_EXTENSIONS, isImageName } from '../images/header.js';
import { VIEW_NAMES, type ViewName } from './rig.js';

export interface SixViewFile {
  name: ViewName;
  color: string;
  depth?: string;
  mask?: string;
}

/** Fewest views that something can be made of, where missing ones are allowed. */
const FEWEST = 4;

/**
 * Finds the pictures: in `multi_views/`, or in the folder itself; depth maps of the same names in `depth_renders/`, masks in `masks/`.
 * Throws `CAPTURE_VIEWS_MISSING`, `CAPTURE_VIEW_UNEXPECTED` and `CAPTURE_FILE_MISSING`, naming the file.
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
      found: `${missing.length === 1 ? 'The view' : 'The views'} ${missing.map((n) => `${where}${n}`).join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
      expected: `a picture for each of ${VIEW_NAMES.join(', ')} (${IMAGE_EXTENSIONS.join(', ')})`,
      remedy:
        missing.length <= 6 - FEWEST
          ? 'Add the missing picture, or set the option allowMissing to go on without it'
          : 'Add the missing pictures',
      subject: join(own ? nested : folder, `${missing[0]}.png`),
    });
  }
  const depths = await companions(folder, 'depth_renders', colors);
  const masks = await companions(folder, 'masks', colors);
  const files = VIEW_NAMES.flatMap((name) => {
    const color = colors.get(name);
    return color === undefined ? [] : [{ name, color, depth: depths?.get(name), mask: masks?.get(name) }];
  });
  return { files, missing };
}

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false;

/** The pictures of a folder by view name. `strict`: a picture of another name is an error. */
async function imagesByName(folder: string, strict: boolean): Promise<Map<ViewName, string>> {
  const found = new Map<ViewName, string>();
  for (const file of (await readdir(folder)).sort()) {
    if (!isImageName(file) || file.startsWith('.')) continue;
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

function unexpected(path: string, found: string): PlinthError {
  return new PlinthError('CAPTURE_VIEW_UNEXPECTED', {
    found,
    expected: `one picture for each of ${VIEW_NAMES.join(', ')}, and no others`,
    remedy: 'Take the file away, or give the capture as posed images with a transforms.json',
    subject: path,
  });
}

/** Depth maps or masks: for all views or for none. */
async function companions(
  folder: string,
  below: string,
  colors: ReadonlyMap<ViewName, string>,
): Promise<Map<ViewName, string> | undefined> {
  const path = join(folder, below);
  if (!(await isFolder(path))) return undefined;
  const found = await imagesByName(path, true);
  if (found.size === 0) return undefined;
  for (const name of colors.keys()) {
    if (found.has(name)) continue;
    throw new PlinthError('CAPTURE_FILE_MISSING', {
      found: `${below}/ has no file for the view ${name}`,
      expected: `${below}/${name}.png beside the other ${found.size}`,
      remedy: `Add it, or remove the folder ${below}/ to go on without`,
      subject: join(path, `${name}.png`),
    });
  }
  return found;
}
