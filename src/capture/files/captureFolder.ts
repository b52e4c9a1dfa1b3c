import type { Dirent } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import type { FileAccess } from '../layout/access.js';
import { FileList } from '../layout/fileList.js';
import { isLitter } from '../layout/names.js';
import { unsafe } from '../layout/resolveName.js';
import { readMetadata } from './metadata.js';

/** A capture on disk: where it is, and what lies in it. */
export interface CaptureFolder {
  /** Absolute. */
  root: string;
  list: FileList;
}

/** Files beyond these belong to no capture: somebody named a folder that holds other things too. */
const MOST_FILES = 100_000;
const DEEPEST = 8;

/**
 * Lists a folder, the folders near its root first, up to a number of files that no capture has. Links are followed;
 * whether they lead out is looked at when a file is used.
 *
 * @param besides names that belong to the capture although there are no such files: what was left in an archive
 */
export async function listFolder(root: string, besides: readonly string[] = []): Promise<CaptureFolder> {
  const paths = [...besides];
  const seen = new Set<string>();
  let level = [''];
  for (let depth = 0; depth <= DEEPEST && level.length > 0 && paths.length < MOST_FILES; depth++) {
    const next: string[] = [];
    for (const folder of level) {
      const real = await realpath(join(root, folder));
      if (seen.has(real)) continue;
      seen.add(real);
      for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
        const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
        if (isLitter(entry.name)) continue;
        if (await leadsToFolder(root, path, entry)) {
          next.push(path);
          paths.push(`${path}/`);
        } else {
          paths.push(path);
        }
      }
    }
    level = next.sort();
  }
  return { root, list: new FileList(paths, root.split(sep).join('/')) };
}

const leadsToFolder = async (root: string, path: string, entry: Dirent): Promise<boolean> =>
  entry.isDirectory() ||
  (entry.isSymbolicLink() && ((await stat(join(root, path)).catch(() => undefined))?.isDirectory() ?? false));

/** Whether `path` is `root` or lies below it (both absolute, links resolved by the caller). */
export function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (!isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`));
}

/**
 * The absolute path of a listed file. Throws `ARCHIVE_UNSAFE_PATH` where it is, or lies behind, a link that leads out
 * of the capture: other files of this machine must not be pulled into a result. What does not exist passes.
 */
export async function absolutePath({ root }: CaptureFolder, path: string): Promise<string> {
  const full = join(root, path);
  const real = await realpath(full).catch(() => undefined);
  if (real !== undefined && !isInside(await realpath(root), real)) {
    throw unsafe(path, 'is a link that leads out of the capture');
  }
  return full;
}

/** The files of a folder with what is in them. */
export const folderAccess = (folder: CaptureFolder): FileAccess => ({
  list: folder.list,
  async read(path, most) {
    const file = await absolutePath(folder, path);
    if (most === undefined) return readMetadata(file);
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(most), length: most, position: 0 });
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  },
});
