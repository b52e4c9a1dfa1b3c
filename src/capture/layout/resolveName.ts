import { PlinthError } from '../../core/errors.js';
import type { FileList } from './fileList.js';
import { joinPath } from './names.js';

/**
 * Finds the file that a capture names. Neither `..` nor absolute names may lead out of the capture: what a metadata file from somebody
 * else names must not pull other files of this machine into a result.
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
  return [path, ...extensions.map((extension) => `${path}.${extension}`)].find((candidate) => list.has(candidate));
}

/** The path in the list that a name stands for, whether or not there is such a file. Throws `ARCHIVE_UNSAFE_PATH`. */
export function pathInside(list: FileList, base: string, name: string): string {
  if (name.includes('\0')) throw unsafe(name, 'contains a zero byte');
  const portable = name.replaceAll('\\', '/');
  const parts: string[] = [];
  // A drive letter is an absolute name on one system and a strange relative one on others: the same answer everywhere.
  if (/^([a-z]:)?\//i.test(portable)) {
    const below = list.below(portable);
    if (below === undefined) throw unsafe(name, 'is an absolute path');
    parts.push(...below.split('/'));
  } else {
    parts.push(...joinPath(base, portable).split('/'));
  }
  const path: string[] = [];
  for (const part of parts) {
    if (part === '' || part === '.') continue;
    if (part !== '..') path.push(part);
    else if (path.pop() === undefined) throw unsafe(name, 'leads out of the capture');
  }
  return path.join('/');
}

export function unsafe(name: string, why: string): PlinthError {
  return new PlinthError('ARCHIVE_UNSAFE_PATH', {
    found: `The name ${JSON.stringify(name)} ${why}`,
    expected: 'names relative to the capture that stay inside it',
    remedy: 'Put the files into the capture folder and name them relative to it',
    subject: name,
  });
}
