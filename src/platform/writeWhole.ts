import { open, rename, rm } from 'node:fs/promises';

/**
 * Writes a file aside (`<path>.partial`), brings it to the disk and renames it: whoever reads finds the old file or the
 * new one whole, also where the machine stops halfway.
 */
export async function writeWhole(path: string, parts: readonly (Uint8Array | string)[]): Promise<void> {
  const aside = `${path}.partial`;
  try {
    const file = await open(aside, 'w');
    try {
      for (const part of parts) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}
