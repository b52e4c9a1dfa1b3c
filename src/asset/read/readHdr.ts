import { readFile } from 'node:fs/promises';
import { PlinthError } from '../../core/errors.js';
import type { HdrImage } from '../../core/image.js';

/**
 * Decodes Radiance RGBE (`.hdr`; Ward 1991), flat or run-length encoded per channel, rows from top to bottom (`-Y … +X
 * …`).
 * @throws ASSET_UNREADABLE for what is no such picture or ends early
 */
export function decodeHdr(bytes: Uint8Array, subject = 'light.hdr'): HdrImage {
  const fail = (found: string): never => {
    throw new PlinthError('ASSET_UNREADABLE', {
      found: `${subject} ${found}`,
      expected: 'a Radiance picture',
      subject,
    });
  };
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 4096));
  const size = /\n\n-Y (\d{1,5}) \+X (\d{1,5})\n/.exec(head);
  if (!head.startsWith('#?') || !size) return fail('has no Radiance header with rows from top to bottom');
  const height = Number(size[1]);
  const width = Number(size[2]);
  if (width * height > 64e6) return fail(`states ${width} × ${height} pixels`);
  const data = new Float32Array(width * height * 3);
  let at = size.index + size[0].length;
  const next = (): number => {
    if (at >= bytes.length) return fail('ends before its last pixel');
    return bytes[at++];
  };
  const line = new Uint8Array(width * 4);
  for (let y = 0; y < height; y++) {
    const first = [next(), next(), next(), next()];
    const encoded = first[0] === 2 && first[1] === 2 && first[2] * 256 + first[3] === width;
    if (encoded) {
      for (let k = 0; k < 4; k++) {
        for (let x = 0; x < width; ) {
          const count = next();
          const run = count > 128;
          const length = run ? count - 128 : count;
          if (length === 0 || x + length > width) return fail('has a run beyond the end of its row');
          const value = run ? next() : 0;
          for (let i = 0; i < length; i++, x++) line[x * 4 + k] = run ? value : next();
        }
      }
    } else {
      line.set(first.slice(0, Math.min(4, line.length)));
      for (let i = 4; i < line.length; i++) line[i] = next();
    }
    for (let x = 0; x < width; x++) {
      const scale = line[x * 4 + 3] === 0 ? 0 : 2 ** (line[x * 4 + 3] - 136);
      for (let c = 0; c < 3; c++) data[(y * width + x) * 3 + c] = line[x * 4 + c] * scale;
    }
  }
  return { width, height, data };
}

/** Reads a file with `decodeHdr`. */
export const readHdr = async (path: string): Promise<HdrImage> => decodeHdr(await readFile(path), path);
