import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { PlinthError } from '../../core/errors.js';
import { IMAGE_EXTENSIONS } from '../images/header.js';

/** Whether `path` is `root` or lies below it (both absolute, links resolved by the caller). */
export function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (!isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`));
}

const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined;

/**
 * Finds the file that a capture names. Neither `..`, nor absolute names, nor symbolic links may lead out of `root`: what a
 * metadata file from somebody else names must not pull other files of this machine into a result.
 *
 * @param root folder of the capture
 * @param base folder that `name` is relative to
 * @param extensions endings (without dot) to try where no file has exactly this name
 * @returns the absolute path, or undefined where there is no such file
 */
export async function resolveInside(
  root: string,
  base: string,
  name: string,
  extensions: readonly string[] = [],
): Promise<string | undefined> {
  const portable = name.replaceAll('\\', '/');
  if (name.includes('\0')) throw unsafe(name, 'contains a zero byte');
  const path = resolve(base, portable);
  // A drive letter is an absolute name on one system and a strange relative one on others: the same answer everywhere.
  const absolute = isAbsolute(portable) || /^[a-z]:\//i.test(portable);
  if (absolute && !(isAbsolute(portable) && isInside(root, path))) throw unsafe(name, 'is an absolute path');
  if (!isInside(root, path)) throw unsafe(name, 'leads out of the capture');
  for (const candidate of [path, ...extensions.map((extension) => `${path}.${extension}`)]) {
    if (!(await exists(candidate))) continue;
    await checkInside(root, candidate, name);
    if ((await stat(candidate)).isFile()) return candidate;
  }
  return undefined;
}

/**
 * Throws `ARCHIVE_UNSAFE_PATH` where `path` is, or lies behind, a link that leads out of `root`. What does not exist passes.
 *
 * @param name what to call it
 */
export async function checkInside(root: string, path: string, name: string): Promise<void> {
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined && !isInside(await realpath(root), real)) {
    throw unsafe(name, 'is a link that leads out of the capture');
  }
}

function unsafe(name: string, why: string): PlinthError {
  return new PlinthError('ARCHIVE_UNSAFE_PATH', {
    found: `The name ${JSON.stringify(name)} ${why}`,
    expected: 'names relative to the capture that stay inside it',
    remedy: 'Put the files into the capture folder and name them relative to it',
    subject: name,
  });
}

/** Folders beside the metadata in which masks are looked for. */
const MASK_FOLDERS = ['masks', 'mask'];

/**
 * Finds the mask of a picture in a `masks/` folder below `base`: under the picture's path without its first folder
 * (`images/a/1.jpg` → `masks/a/1.*`), its path, or its name; with an image ending of its own, or appended to the picture's whole name
 * as COLMAP has it (`1.jpg.png`).
 */
export async function findMaskFile(root: string, base: string, image: string): Promise<string | undefined> {
  const way = relative(base, image).split(sep);
  for (const folder of MASK_FOLDERS) {
    if (!(await exists(resolve(base, folder)))) continue;
    for (const parts of [way.slice(1), way, way.slice(-1)]) {
      if (parts.length === 0) continue;
      const whole = [folder, ...parts].join('/');
      const stem = whole.replace(/\.[^./]+$/, '');
      const found =
        (await resolveInside(root, base, whole)) ??
        (await resolveInside(root, base, whole, IMAGE_EXTENSIONS)) ??
        (await resolveInside(root, base, stem, IMAGE_EXTENSIONS));
      if (found && found !== image) return found;
    }
  }
  return undefined;
}
