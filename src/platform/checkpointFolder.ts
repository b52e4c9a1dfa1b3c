import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckpointStore } from '../core/platform.js';
import { writeWhole } from './writeWhole.js';

/** Checkpoints as files `<name>.checkpoint` of a folder, which is made when the first is written. */
export function checkpointFolder(folder: string): CheckpointStore {
  const path = (name: string): string => join(folder, `${name}.checkpoint`);
  return {
    async read(name) {
      try {
        const bytes = await readFile(path(name));
        return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
      } catch {
        return undefined;
      }
    },
    async write(name, parts) {
      await mkdir(folder, { recursive: true });
      await writeWhole(path(name), parts);
    },
  };
}
