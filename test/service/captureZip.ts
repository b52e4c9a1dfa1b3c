import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { ZipArchive } from 'archiver';
import { PIXEL } from './standInEngine.js';

/**
 * A zip that passes for a capture, with a picture of about so many bytes; `unpacked` bytes that pack to almost nothing
 * are added to it.
 */
export async function captureZip(bytes: number, unpacked = 0): Promise<Buffer> {
  const archive = new ZipArchive({ zlib: { level: 9 } });
  archive.append('{"frames": []}', { name: 'transforms.json' });
  archive.append(Buffer.concat([PIXEL, randomBytes(bytes)]), { name: 'images/r_0.png' });
  for (let i = 0; unpacked > 0; i++, unpacked -= 30 * 2 ** 20) {
    archive.append(Buffer.concat([PIXEL, Buffer.alloc(Math.min(unpacked, 30 * 2 ** 20))]), {
      name: `images/z_${i}.png`,
    });
  }
  void archive.finalize();
  return await buffer(archive);
}
