import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeWhole } from '../../platform/writeWhole.js';
import { startTicks } from '../database/folderLock.js';

/** A process that runs or ran; the ticks since boot at which it began tell it from a later one of the same id. */
interface Process {
  pid: number;
  startTicks?: string;
}

/** What a service with workers notes in its data folder, for the one after it. */
interface Note extends Process {
  host: string;
  /** Id of its pool, which running jobs name. */
  worker: string;
  children: Process[];
}

/**
 * Worker processes of this service, noted in its data folder so that the next one there finds those that outlived it.
 */
export class ProcessNotes {
  private readonly children: Process[] = [];
  private writing: Promise<void> = Promise.resolve();
  private closed = false;

  private constructor(
    private readonly folder: string,
    private readonly worker: string,
  ) {}

  static async open(data: string, worker: string): Promise<ProcessNotes> {
    const folder = join(data, 'processes');
    await mkdir(folder, { recursive: true });
    const notes = new ProcessNotes(folder, worker);
    await notes.write();
    return notes;
  }

  /** A child began, or ended. Never throws: without a note the child still ends with its parent. */
  async note(pid: number, runs: boolean): Promise<void> {
    // Children that end with the service are of no interest to the next one.
    if (this.closed) return;
    const at = this.children.findIndex((c) => c.pid === pid);
    if (at >= 0) this.children.splice(at, 1);
    if (runs) this.children.push({ pid, startTicks: await startTicks(pid) });
    if (!this.closed) await this.write().catch(() => {});
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.writing.catch(() => {});
    await rm(this.path, { force: true });
  }

  private get path(): string {
    return join(this.folder, `${this.worker}.json`);
  }

  private write(): Promise<void> {
    this.writing = this.writing
      .catch(() => {})
      .then(async () => {
        const { worker, children } = this;
        const me = { pid: process.pid, startTicks: await startTicks(process.pid), host: hostname() };
        await writeWhole(this.path, [JSON.stringify({ ...me, worker, children } satisfies Note)]);
      });
    return this.writing;
  }
}

/**
 * Ends worker processes that outlived their service in this data folder, and answers the ids of the pools that are
 * gone, whose jobs nobody works on any more. Only processes of this host are touched, and only those that began when
 * the note says.
 */
export async function endLeftovers(data: string): Promise<{ pools: string[]; ended: number[] }> {
  const folder = join(data, 'processes');
  const pools: string[] = [];
  const ended: number[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const note = await readNote(path);
    if (note && (note.host !== hostname() || (await runs(note)))) continue;
    for (const child of note?.children ?? []) {
      // Without its start it could be anybody's process by now.
      if (child.startTicks === undefined || !(await runs(child))) continue;
      process.kill(child.pid, 'SIGKILL');
      ended.push(child.pid);
      for (let i = 0; i < 100 && (await runs(child)); i++) await sleep(20);
    }
    if (note) pools.push(note.worker);
    await rm(path, { force: true });
  }
  return { pools, ended };
}

async function readNote(path: string): Promise<Note | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Note;
  } catch {
    return undefined;
  }
}

/** Whether it is that process which runs. A process that has ended and waits for its parent does not. */
async function runs({ pid, startTicks: begun }: Process): Promise<boolean> {
  const now = await startTicks(pid);
  if (begun !== undefined) return now === begun;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
