import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const DAY = 24 * 3600 * 1000;

/** Removes the files of a folder that were not written or touched for some days; other things stay. */
export function pruneFolder(folder: string, days: number): void {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isFile() && Date.now() - statSync(path).mtimeMs > days * DAY) rmSync(path, { force: true });
    }
  } catch {
    // Not there, or not ours: nothing to keep tidy.
  }
}
