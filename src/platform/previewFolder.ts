import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { ShowPreview } from '../core/platform.js';

/** Live pictures as files `<name>.png` of a folder, which is made when the first is written; named by their path. */
export function previewFolder(folder: string): ShowPreview {
  return async (name, { data, width, height }) => {
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${name}.png`);
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    await sharp(bytes, { raw: { width, height, channels: 4 } })
      .png()
      .toFile(path);
    return path;
  };
}
