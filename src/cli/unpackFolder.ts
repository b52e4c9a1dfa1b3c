import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A folder of its own for the unpacked files of a capture that is an archive, so that they can be removed at once when
 * the process is stopped in the middle of its work; `folder` is undefined for other captures.
 */
export function unpackFolder(capture: string): { folder?: string; remove(): void } {
  const isArchive = statSync(capture, { throwIfNoEntry: false })?.isFile() && !/\.json$/i.test(capture);
  if (!isArchive) return { remove: () => {} };
  const folder = mkdtempSync(join(tmpdir(), 'plinth-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
