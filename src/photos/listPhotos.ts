import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { isImageName } from '../capture/layout/names.js';
import { PlinthError } from '../core/errors.js';
import { isHeicName } from './read/convertHeic.js';

/** Folders of a project that hold its photos. */
const BELOW = ['images', 'photos', 'input', 'imgs'];

/**
 * Paths of the photos of a folder, or of its `images/` or `photos/` where it holds none itself, in the order of their
 * names.
 *
 * @throws CAPTURE_NOT_FOUND, CAPTURE_UNRECOGNISED
 */
export async function listPhotos(path: string): Promise<string[]> {
  const folder = resolve(path);
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) {
    throw new PlinthError('CAPTURE_NOT_FOUND', {
      found: `There is no folder at ${folder}`,
      expected: 'a folder with photos',
      remedy: 'Check the path',
      subject: folder,
    });
  }
  for (const below of ['.', ...BELOW]) {
    const names = await readdir(join(folder, below)).catch(() => [] as string[]);
    const photos = names.filter((name) => (isImageName(name) || isHeicName(name)) && !name.startsWith('.')).sort();
    if (photos.length > 0) return photos.map((name) => join(folder, below, name));
  }
  throw new PlinthError('CAPTURE_UNRECOGNISED', {
    found: `${basename(folder)} holds no photos`,
    expected: 'JPEG, HEIC, PNG, WebP, TIFF or AVIF files',
    remedy: 'Give the folder that holds them',
    subject: folder,
  });
}
