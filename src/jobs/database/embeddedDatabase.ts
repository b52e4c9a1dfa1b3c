import { access, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { PlinthError } from '../../core/errors.js';
import { closeFolder, ownDataFolder } from '../../platform/dataFolder.js';
import { startThread } from '../../platform/modules.js';
import { type Database, databaseUnavailable, type Queryable } from './database.js';
import type { FromDatabase, ToDatabase } from './embeddedDatabaseThread.js';
import { type FolderLock, lockFolder } from './folderLock.js';

/**
 * PostgreSQL inside this process, kept in `folder`, in a thread of its own: it writes to disk synchronously, which
 * would hold up every request. Only one process may open the folder; the thread ends with the process, so a killed
 * server leaves nobody behind who still writes.
 * @throws `DATA_FOLDER_FOREIGN`, `DATA_FOLDER_IN_USE`, `DATABASE_UNAVAILABLE`
 */
export async function openEmbedded(folder: string): Promise<Database> {
  await ownDataFolder(folder);
  const lock = await lockFolder(folder);
  const path = join(folder, 'postgres');
  try {
    const made = await access(join(path, 'PG_VERSION')).then(
      () => true,
      () => false,
    );
    if (!made) {
      // Elsewhere first: a process that is killed meanwhile leaves half a database, which nothing could open.
      const making = join(folder, 'postgres.making');
      await rm(making, { recursive: true, force: true });
      // Making the files takes half a gigabyte of memory, which only the end of its thread gives back.
      const first = await Thread.start(making);
      await first.end();
      await rename(making, path);
    }
    const thread = await Thread.start(path);
    // Its files come out of an archive with modes of their own, and the start writes one with another.
    await closeFolder(path);
    return new EmbeddedDatabase(thread, path, lock);
  } catch (error) {
    await lock.release();
    throw unusable(folder, path, error);
  }
}

/** There is no server to start and no password to correct: either the disk refuses, or the files are damaged. */
function unusable(folder: string, path: string, cause: unknown): PlinthError {
  const refused = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT'].includes(
    (cause as NodeJS.ErrnoException).code ?? '',
  );
  return new PlinthError('DATABASE_UNAVAILABLE', {
    found: `The embedded database in ${folder} cannot be opened: ${(cause as Error).message || String(cause)}`,
    expected: refused ? 'a folder that can be written' : 'the files of a database that was not damaged',
    remedy: refused
      ? 'Check free space, permissions and owner of the data folder'
      : `Look at the disk; then restore ${path} from a backup, or move it away to begin with an empty ` +
        'database: jobs and keys are in it, results are not',
    subject: folder,
    cause,
  });
}

class EmbeddedDatabase implements Database {
  readonly kind = 'embedded';
  /** There is one connection: statements outside a transaction wait until it is over. */
  private last: Promise<unknown> = Promise.resolve();
  private closed = false;

  constructor(
    private thread: Thread,
    private readonly path: string,
    private readonly lock: FolderLock,
  ) {}

  query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]> {
    return this.alone(async () => {
      try {
        return await this.thread.run<Row>(text, values);
      } catch (error) {
        // A failed text of several statements may leave its BEGIN open.
        if (!values?.length) await this.thread.run('ROLLBACK').catch(() => {});
        throw error;
      }
    });
  }

  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    return this.alone(async () => {
      await this.thread.run('BEGIN');
      try {
        const result = await work({
          query: <Row extends object>(text: string, values?: unknown[]) => this.thread.run<Row>(text, values),
        });
        await this.thread.run('COMMIT');
        return result;
      } catch (error) {
        await this.thread.run('ROLLBACK').catch(() => {});
        throw error;
      }
    });
  }

  async listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>> {
    return await this.alone(() => this.thread.listen(channel, heard));
  }

  /**
   * A thread that died, for want of memory for instance, is replaced: the files are as after a loss of power, which the
   * database recovers from.
   */
  private async revive(): Promise<void> {
    if (!this.thread.lost || this.closed) return;
    try {
      const next = await Thread.start(this.path);
      await next.listenLike(this.thread);
      this.thread = next;
    } catch (error) {
      throw databaseUnavailable('The embedded database', error);
    }
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.last.catch(() => {});
    await this.thread.end();
    await this.lock.release();
  }

  private alone<T>(task: () => Promise<T>): Promise<T> {
    const whole = async (): Promise<T> => {
      await this.revive();
      return await task();
    };
    const mine = this.last.then(whole, whole);
    this.last = mine.catch(() => {});
    return mine;
  }
}

interface Waiting {
  resolve(rows: object[]): void;
  reject(error: Error): void;
}

/** The thread's side that this process sees. */
class Thread {
  private readonly waiting = new Map<number, Waiting>();
  private readonly listeners = new Map<string, Set<(payload: string) => void>>();
  private count = 0;
  private failure: Error | undefined;

  private constructor(private readonly worker: Worker) {
    worker.on('message', (message: FromDatabase) => this.receive(message));
    const lost = (error: Error): void => {
      this.failure ??= databaseUnavailable('The embedded database', error);
      for (const { reject } of this.waiting.values()) reject(this.failure);
      this.waiting.clear();
    };
    worker.on('error', lost);
    worker.on('exit', () => lost(new Error('the thread of the embedded database ended')));
  }

  get lost(): boolean {
    return this.failure !== undefined;
  }

  static async start(path: string): Promise<Thread> {
    const thread = new Thread(startThread(new URL('./embeddedDatabaseThread', import.meta.url), path));
    await thread.ask({ id: 0, type: 'open' });
    return thread;
  }

  run<Row extends object>(text: string, values?: unknown[]): Promise<Row[]> {
    return this.ask({ id: 0, type: 'run', text, values }) as Promise<Row[]>;
  }

  async listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>> {
    const all = this.listeners.get(channel) ?? new Set();
    all.add(heard);
    if (!this.listeners.has(channel)) {
      this.listeners.set(channel, all);
      await this.ask({ id: 0, type: 'listen', channel });
    }
    return async () => {
      all.delete(heard);
    };
  }

  /** Hears what another thread heard. */
  async listenLike(other: Thread): Promise<void> {
    for (const [channel, all] of other.listeners) {
      this.listeners.set(channel, all);
      await this.ask({ id: 0, type: 'listen', channel });
    }
  }

  async end(): Promise<void> {
    await this.ask({ id: 0, type: 'close' }).catch(() => {});
    await this.worker.terminate();
  }

  private ask(message: ToDatabase): Promise<object[]> {
    if (this.failure) return Promise.reject(this.failure);
    const id = ++this.count;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ ...message, id });
    });
  }

  private receive(message: FromDatabase): void {
    if (message.type === 'notify') {
      for (const heard of this.listeners.get(message.channel) ?? []) heard(message.payload);
      return;
    }
    const waiting = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.type === 'rows') waiting?.resolve(message.rows);
    else waiting?.reject(Object.assign(new Error(message.message), { code: message.code }));
  }
}
