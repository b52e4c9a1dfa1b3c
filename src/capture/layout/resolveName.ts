import { PlinthError } from '../../core/errors.js';
import type { FileList } from './fileList.js';
import { joinPath } from './names.js';

/**
 * Finds the file that a capture names. Neither `..` nor absolute names may lead out of the capture: what a metadata
 * file from somebody else names must not pull other files of this machine into a result.
 *
 * @param base folder that `name` is relative to
 * @param extensions endings (without dot) to try where no file has exactly this name
 * @returns the path in the list, or undefined where there is no such file
 * @throws `ARCHIVE_UNSAFE_PATH`
 */
export function resolveName(
  list: FileList,
  base: string,
  name: string,
  extensions: readonly string[] = [],
): string | undefined {
  const path = pathInside(list, base, name);
  for (const candidate of [path, ...extensions.map((extension) => `${path}.${extension}`)]) {
    const found = list.find(candidate);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Why a name leads out of the capture; undefined where it stays inside. */
export function outsideOf(list: FileList, base: string, name: string): string | undefined {
  const way = wayOf(list, base, name);
  return typeof way === 'string' ? way : undefined;
}

/** The path in the list that a name stands for, whether or not there is such a file. Throws `ARCHIVE_UNSAFE_PATH`. */
export function pathInside(list: FileList, base: string, name: string): string {
  const way = wayOf(list, base, name);
  if (typeof way === 'string') throw unsafe(name, way);
  return way.join('/');
}

/** The folders and the file that a name leads to, or why it leads out. */
function wayOf(list: FileList, base: string, name: string): string[] | string {
  if (name.includes('\0')) return 'contains a zero byte';
  const portable = name.replaceAll('\\', '/');
  let whole = joinPath(base, portable);
  // A drive letter is an absolute name on one system and a strange relative one on others: the same answer everywhere.
  if (/^([a-z]:)?\//i.test(portable)) {
    const below = list.below(portable);
    if (below === undefined) return 'is an absolute path';
    whole = below;
  }
  const path: string[] = [];
  for (const part of whole.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') path.push(part);
    else if (path.pop() === undefined) return 'leads out of the capture';
  }
  return path;
}

export function unsafe(name: string, why: string): PlinthError {
  return new PlinthError('ARCHIVE_UNSAFE_PATH', {
    found: `The name ${JSON.stringify(name)} ${why}`,
    expected: 'names relative to the capture that stay inside it',
    remedy: 'Put the files into the capture folder and name them relative to it',
    subject: name,
  });
}
