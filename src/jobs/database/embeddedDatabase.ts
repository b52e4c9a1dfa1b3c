import { access, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { isDiskFull, PlinthError } from '../../core/errors.js';
import { closeFolder, ownDataFolder } from '../../platform/dataFolder.js';
import { startThread } from '../../platform/modules.js';
import { type Database, databaseUnavailable, type Queryable } from './database.js';
import type { FromDatabase, ToDatabase } from './embeddedDatabaseThread.js';
import { type FolderLock, lockFolder } from './folderLock.js';

/** What it takes to write on: its log grows by pieces of 16 MiB, and one that does not fit it waits for without end. */
const LOG_PIECE_BYTES = 16 * 2 ** 20;
/** Without an answer for this long, the disk is looked at. */
const LOOK_MS = 5_000;

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
  const { code = '' } = cause as NodeJS.ErrnoException;
  const refused = ['EACCES', 'EPERM', 'EROFS', 'DATABASE_UNAVAILABLE'].includes(code) || isDiskFull(cause);
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
      // Its recovery writes as well.
      if (await lacksRoom(this.path, 2)) throw noRoom();
      const next = await Thread.start(this.path);
      await next.listenLike(this.thread);
      this.thread = next;
    } catch (error) {
      throw error instanceof PlinthError ? error : databaseUnavailable('The embedded database', error);
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

  private constructor(
    private readonly worker: Worker,
    private readonly path: string,
  ) {
    worker.on('message', (message: FromDatabase) => this.receive(message));
    worker.on('error', (error) => this.fail(error));
    worker.on('exit', () => this.fail(new Error('the thread of the embedded database ended')));
  }

  private fail(error: Error): void {
    this.failure ??= error instanceof PlinthError ? error : databaseUnavailable('The embedded database', error);
    for (const { reject } of this.waiting.values()) reject(this.failure);
    this.waiting.clear();
  }

  get lost(): boolean {
    return this.failure !== undefined;
  }

  static async start(path: string): Promise<Thread> {
    const thread = new Thread(startThread(new URL('./embeddedDatabaseThread', import.meta.url), path), path);
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
    const looking = setInterval(() => void this.look(id), LOOK_MS);
    return new Promise<object[]>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ ...message, id });
    }).finally(() => clearInterval(looking));
  }

  /**
   * Ends the thread where it gives no answer and the disk is full: it then turns in a circle that nothing else ends.
   * Nothing is lost by that: what was committed is in the log that it could not write on.
   */
  private async look(id: number): Promise<void> {
    if (!this.waiting.has(id) || !(await lacksRoom(this.path, 1)) || !this.waiting.has(id)) return;
    this.fail(noRoom());
    await this.worker.terminate();
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

const noRoom = (): PlinthError =>
  new PlinthError('DATABASE_UNAVAILABLE', {
    found: 'The embedded database cannot write: the disk is full',
    expected: `${(2 * LOG_PIECE_BYTES) / 2 ** 20} MiB that are free`,
    remedy: 'Give it more room: it then goes on by itself, with all that it had taken',
  });

/** Whether fewer pieces of the log than so many would fit. */
async function lacksRoom(path: string, pieces: number): Promise<boolean> {
  // While it is made its folder may not be there yet.
  const facts = await statfs(path).catch(() => statfs(dirname(path)));
  return facts.bavail * facts.bsize < pieces * LOG_PIECE_BYTES;
}
