import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { PlinthError } from '../../core/errors.js';
import type { ColorImage } from '../../core/image.js';
import type { ViewQuality } from '../schema.js';

/** The folder of pictures, renders and error maps within a result. */
export const ASSESSMENT_FOLDER = 'assessment';

/** Writes the images of the views into a result folder. */
export class ImageWriter {
  constructor(private readonly folder: string) {}

  async open(): Promise<void> {
    await mkdir(join(this.folder, ASSESSMENT_FOLDER), { recursive: true });
  }

  /**
   * Writes those of one view, and says where.
   * @throws `OUTPUT_NOT_WRITABLE`
   */
  async write(
    name: string,
    picture: ColorImage,
    render: ColorImage,
    error: ColorImage,
  ): Promise<NonNullable<ViewQuality['images']>> {
    const paths = {
      input: `${ASSESSMENT_FOLDER}/${name}.input.png`,
      render: `${ASSESSMENT_FOLDER}/${name}.render.png`,
      error: `${ASSESSMENT_FOLDER}/${name}.error.png`,
    };
    await Promise.all([
      writePng(join(this.folder, paths.input), picture, 4),
      writePng(join(this.folder, paths.render), render, 4),
      writePng(join(this.folder, paths.error), error, 3),
    ]);
    return paths;
  }
}

async function writePng(path: string, image: ColorImage, channels: 3 | 4): Promise<void> {
  const { width, height, data } = image;
  const raw = sharp(Buffer.from(data.buffer, data.byteOffset, data.byteLength), {
    raw: { width, height, channels: 4 },
  });
  try {
    await (channels === 3 ? raw.removeAlpha() : raw).png({ compressionLevel: 4 }).toFile(path);
  } catch (cause) {
    throw new PlinthError('OUTPUT_NOT_WRITABLE', {
      found: `${path} cannot be written: ${(cause as Error).message}`,
      remedy: 'Check free space and permissions',
      subject: path,
      cause,
    });
  }
}
