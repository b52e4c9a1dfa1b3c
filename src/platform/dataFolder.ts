import { chmod, lstat, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '../core/errors.js';
import { anyOf, setting, step } from '../core/remedy.js';

const OTHERS = 0o077;
const ROOT = 0;

/**
 * From here on, what this process and its children make is for its user alone, whatever the shell that started it says.
 */
export const keepPrivate = (): void => {
  process.umask(OTHERS);
};

/**
 * Makes the data folder, or checks that it is this user's own and closes it to others: it holds hashes of keys, secrets
 * of webhooks and everybody's pictures. One that root made is taken as well, as orchestrators hand volumes out; what
 * Plinth makes in it is closed.
 * @throws `DATA_FOLDER_FOREIGN`
 */
export async function ownDataFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const me = process.getuid?.();
  // Windows knows neither.
  if (me === undefined) return;
  const { uid, mode } = await stat(folder);
  if (uid !== me && uid !== ROOT) {
    throw new PlinthError('DATA_FOLDER_FOREIGN', {
      found: `${folder} belongs to user ${uid}`,
      expected: `a folder of user ${me}, who runs Plinth`,
      remedy: anyOf(step`run Plinth as user ${String(uid)}`, step`choose another folder with ${setting('data')}`),
      subject: folder,
    });
  }
  if (uid !== me || (mode & OTHERS) === 0) return;
  // Once: what an earlier version left open inside.
  await closeFolder(folder);
}

/** Takes everybody else's rights from a folder and all that is in it. */
export async function closeFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  await chmod(folder, 0o700);
  for (const name of await readdir(folder, { recursive: true })) {
    const path = join(folder, name);
    const facts = await lstat(path).catch(() => undefined);
    if (!facts || facts.isSymbolicLink() || facts.uid !== process.getuid?.() || (facts.mode & OTHERS) === 0) continue;
    await chmod(path, facts.mode & ~OTHERS & 0o777);
  }
}
