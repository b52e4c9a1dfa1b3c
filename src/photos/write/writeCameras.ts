import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { PlinthError } from '../../core/errors.js';
import type { FoundCameras } from '../findCameras.js';
import { colmapBinary } from './colmapBinary.js';
import { colmapText } from './colmapText.js';
import { drawSparse } from './drawSparse.js';
import { photosJson } from './photosJson.js';
import { sparseModel } from './sparseModel.js';
import { transformsJson } from './transforms.js';

/**
 * Writes found cameras into a folder: a COLMAP model (`cameras`, `images`, `points3D`), `transforms.json`,
 * `photos.json` with the diagnosis, and a drawing (`cameras.svg`, `cameras.png`).
 *
 * @returns names of the files
 * @throws OUTPUT_NOT_WRITABLE
 */
export async function writeCameras(
  found: FoundCameras,
  folder: string,
  form: 'text' | 'binary' = 'binary',
): Promise<string[]> {
  const model = sparseModel(found);
  const drawing = drawSparse(found);
  const files: Record<string, string | Buffer> = {
    ...(form === 'text' ? colmapText(model) : colmapBinary(model)),
    'transforms.json': transformsJson(found, resolve(folder)),
    'photos.json': photosJson(found),
    'cameras.svg': drawing,
    'cameras.png': await sharp(Buffer.from(drawing)).png().toBuffer(),
  };
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  } catch (cause) {
    throw new PlinthError('OUTPUT_NOT_WRITABLE', {
      found: `${folder} cannot be written: ${(cause as Error).message}`,
      remedy: 'Choose another folder with -o',
      subject: folder,
      cause,
    });
  }
  return Object.keys(files);
}
