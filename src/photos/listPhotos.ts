import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { isHeicName, isImageName, isVideoName } from '../capture/layout/names.js';
import { PlinthError } from '../core/errors.js';

/** Folders of a project that hold its photos. */
const BELOW = ['images', 'photos', 'input', 'imgs'];

/**
 * Paths of the photos of a folder, or of its `images/` or `photos/` where it holds none itself, in the order of their
 * names; of the videos where there are no photos; or the video that is given.
 *
 * @throws CAPTURE_NOT_FOUND, CAPTURE_UNRECOGNISED
 */
export async function listPhotos(path: string): Promise<string[]> {
  const folder = resolve(path);
  const info = await stat(folder).catch(() => undefined);
  if (info?.isFile() && isVideoName(folder)) return [folder];
  if (!info?.isDirectory()) {
    throw new PlinthError('CAPTURE_NOT_FOUND', {
      found: `There is no folder at ${folder}`,
      expected: 'a folder with photos, or a video',
      remedy: 'Check the path',
      subject: folder,
    });
  }
  for (const isWanted of [(name: string) => isImageName(name) || isHeicName(name), isVideoName]) {
    for (const below of ['.', ...BELOW]) {
      const names = await readdir(join(folder, below)).catch(() => [] as string[]);
      const found = names.filter((name) => isWanted(name) && !name.startsWith('.')).sort();
      if (found.length > 0) return found.map((name) => join(folder, below, name));
    }
  }
  throw new PlinthError('CAPTURE_UNRECOGNISED', {
    found: `${basename(folder)} holds no photos`,
    expected: 'JPEG, HEIC, PNG, WebP, TIFF or AVIF files, or a video',
    remedy: 'Give the folder that holds them',
    subject: folder,
  });
}
