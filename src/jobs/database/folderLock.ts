import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlinthError } from '../../core/errors.js';
import { anyOf, setting, step } from '../../core/remedy.js';

export const LOCK_FILE = 'plinth.lock';
/** How often the holder touches its lock. */
const TOUCH_MS = 5_000;
/** A lock of another host (a container that shares the folder) is abandoned when untouched for this long. */
const ABANDONED_MS = 20_000;

interface Holder {
  pid: number;
  host: string;
  /** Clock ticks since boot at which the process began, so that a reused process id is not taken for the holder. */
  startTicks?: string;
}

export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Takes the exclusive lock of a folder. A lock whose process is gone is taken over.
 * @throws `DATA_FOLDER_IN_USE`
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, LOCK_FILE);
  const me: Holder = { pid: process.pid, host: hostname(), startTicks: await startTicks(process.pid) };
  const deadline = Date.now() + ABANDONED_MS + TOUCH_MS;
  for (;;) {
    if (await create(path, me)) break;
    const holder = await read(path);
    if (holder === undefined) continue;
    const state = await judge(path, holder);
    if (state === 'held' || Date.now() > deadline) throw inUse(folder, holder);
    // Another host's process cannot be asked; only its silence tells that it is gone.
    if (state === 'silent?') await sleep(1_000);
    else await rm(path, { force: true });
  }
  const timer = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, TOUCH_MS);
  timer.unref();
  return {
    async release() {
      clearInterval(timer);
      const holder = await read(path);
      if (holder && holder.pid === me.pid && holder.host === me.host) await rm(path, { force: true });
    },
  };
}

async function create(path: string, me: Holder): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(JSON.stringify(me)).finally(() => file.close());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Absent when the file is gone; an unfinished file counts as a holder that died while writing it. */
async function read(path: string): Promise<Holder | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    try {
      return JSON.parse(text) as Holder;
    } catch {
      return { pid: 0, host: hostname() };
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function judge(path: string, holder: Holder): Promise<'held' | 'dead' | 'silent?'> {
  if (holder.host !== hostname()) {
    const touched = await stat(path).then(
      (s) => s.mtimeMs,
      () => 0,
    );
    return Date.now() - touched > ABANDONED_MS ? 'dead' : 'silent?';
  }
  if (holder.pid === 0) {
    // Its writer may be between creating and writing.
    await sleep(200);
    const again = await read(path);
    return again && again.pid !== 0 ? judge(path, again) : 'dead';
  }
  // A container started anew gives the same process id to the same program.
  if (holder.pid === process.pid && holder.startTicks !== (await startTicks(process.pid))) return 'dead';
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'dead';
  }
  const ticks = await startTicks(holder.pid);
  return holder.startTicks !== undefined && ticks !== undefined && ticks !== holder.startTicks ? 'dead' : 'held';
}

/**
 * When a running process began, in ticks since boot: field 22 of /proc/<pid>/stat. Absent where there is no /proc, and
 * for one that has ended.
 */
export async function startTicks(pid: number): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    const [state, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : rest[18];
  } catch {
    return undefined;
  }
}

const inUse = (folder: string, holder: Holder): PlinthError =>
  new PlinthError('DATA_FOLDER_IN_USE', {
    found: `${folder} is in use by process ${holder.pid} on ${holder.host}`,
    expected: 'a data folder of its own for every server that uses the embedded database',
    remedy: anyOf(
      step`stop that process`,
      step`choose another folder with ${setting('data')}`,
      step`set ${setting('database.url')} to let several processes share PostgreSQL`,
    ),
    subject: folder,
  });
