import { statfs } from 'node:fs/promises';
import { PlinthError } from '../../core/errors.js';

/** With less free than this nothing works, the database least of all, whatever the settings say. */
const FLOOR_BYTES = 16 * 2 ** 20;
/** What is written without a known size asks for room in such steps. */
const STEP_BYTES = 16 * 2 ** 20;

/** Room that was promised to something that is still to be written. */
export interface Reservation {
  /** Bytes that are on disk now and count there, or will not come any more. */
  spend(bytes: number): void;
  /** Bytes that are not on disk any more and will come again. */
  restore(bytes: number): void;
  /**
   * Before `bytes` more are written: takes room beyond what was promised where that is used up, and refuses where the
   * disk has gone below its reserve all the same. @throws `DISK_LOW`
   */
  need(bytes: number): Promise<void>;
  /** Gives back what is left. */
  release(): void;
}

/**
 * The free disk of this process's data, shared out before it is written to: the promises of two uploads that begin at
 * the same time are added, and none may touch the reserve in which running jobs and the database end their work.
 */
export class DiskBudget {
  private promised = 0;
  private turn: Promise<unknown> = Promise.resolve();

  /**
   * @param folders on every file system that what is taken in goes through; @param reserve bytes that must stay free
   */
  constructor(
    private readonly folders: readonly string[],
    readonly reserve: number,
  ) {}

  /** The least free bytes of the folders' file systems, and the size of that one. */
  async space(): Promise<{ free: number; total: number }> {
    const all = await Promise.all(this.folders.map(diskSpace));
    return all.reduce((least, space) => (space.free < least.free ? space : least));
  }

  /** Why too little is free to begin anything; absent when there is enough. */
  async shortage(): Promise<PlinthError | undefined> {
    return this.shortageOf((await this.space()).free);
  }

  /** The same of a number that is known. */
  shortageOf(free: number): PlinthError | undefined {
    const least = Math.max(this.reserve, FLOOR_BYTES);
    return free < least ? low(free, least) : undefined;
  }

  /** @throws `DISK_LOW` where the reserve would be touched if all that was promised came. */
  async claim(bytes: number): Promise<Reservation> {
    return this.reservation(await this.take(bytes));
  }

  private reservation(bytes: number): Reservation {
    let left = bytes;
    let checked = 0;
    return {
      spend: (count) => {
        const used = Math.min(left, count);
        left -= used;
        this.promised -= used;
      },
      restore: (count) => {
        left += count;
        this.promised += count;
      },
      need: async (count) => {
        if (left < count) {
          // A whole step where there is room, so that not every piece asks.
          left += await this.take(Math.max(count - left, STEP_BYTES)).catch(() => this.take(count - left));
        }
        checked -= count;
        if (checked > 0) return;
        checked = STEP_BYTES;
        const { free } = await this.space();
        if (free - count < this.reserve) throw low(free, this.reserve + count);
      },
      release: () => {
        this.promised -= left;
        left = 0;
      },
    };
  }

  /** A promise that was given before, by a process that has ended, and is kept whether there is room now or not. */
  promise(bytes: number): Reservation {
    this.promised += bytes;
    return this.reservation(bytes);
  }

  /** One after the other: of two that fit alone but not together the second is refused. */
  private take(bytes: number): Promise<number> {
    const mine = this.turn.then(async () => {
      const { free } = await this.space();
      const needed = this.reserve + this.promised + bytes;
      if (free < needed) throw low(free, needed);
      this.promised += bytes;
      return bytes;
    });
    this.turn = mine.catch(() => {});
    return mine;
  }
}

/** Free and total bytes of the file system that holds `folder`. */
export async function diskSpace(folder: string): Promise<{ free: number; total: number }> {
  const facts = await statfs(folder);
  return { free: facts.bavail * facts.bsize, total: facts.blocks * facts.bsize };
}

const mib = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

const low = (free: number, needed: number): PlinthError =>
  new PlinthError('DISK_LOW', {
    found: `${Math.floor(free / 2 ** 20)} MiB are free where Plinth keeps its data`,
    expected: `at least ${mib(needed)}, for this and what is running and on its way`,
    remedy: 'Delete jobs, lower the retention, or give it more disk',
  });
