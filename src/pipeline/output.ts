/**
 * Result folders: written under another name beside their place and renamed at the end, so that a result is whole or
 * absent.
 */
import { access, constants, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { PlinthError } from '../core/errors.js';
import { anyOf, option, remedy, step } from '../core/remedy.js';
import { VERSION } from '../core/version.js';

/** The file that marks a folder as a Plinth result, and the one that marks parts of a result without a report. */
export const RESULT_MARK = 'quality.json';
export const PARTS_MARK = 'plinth.json';

/** The folder that this process writes a result for `output` into, before it gets its name. */
export const partialFolder = (output: string): string => {
  const path = resolve(output);
  return join(dirname(path), `.${basename(path)}.partial-${process.pid}`);
};

export class OutputFolder {
  private constructor(
    /** Absolute path of the finished result. */
    readonly path: string,
    /** Absolute path of the folder to write into. */
    readonly partial: string,
  ) {}

  /**
   * Throws `OPTION_INVALID` where there is no path, and `OUTPUT_EXISTS` where `output` holds something else than a Plinth result, or one that must not be replaced.
   */
  static async check(output: string, overwrite: boolean): Promise<void> {
    if (output === '') {
      throw new PlinthError('OPTION_INVALID', {
        found: 'A result folder without a name',
        expected: 'the path of a folder',
        subject: 'output',
      });
    }
    const path = resolve(output);
    const existing = await list(path);
    if (existing && existing.length > 0) {
      if (!(await isResult(path, existing))) {
        throw new PlinthError('OUTPUT_EXISTS', {
          found: `${path} holds files that are no Plinth result`,
          expected: 'a new or empty folder, or an earlier result',
          remedy: remedy`Choose another folder with ${option('output')}`,
          subject: path,
        });
      }
      if (!overwrite) {
        throw new PlinthError('OUTPUT_EXISTS', {
          found: `${path} holds an earlier result`,
          remedy: anyOf(step`choose another folder with ${option('output')}`, step`allow overwriting`),
          subject: path,
        });
      }
    }
  }

  /**
   * Prepares a partial folder beside `output`. Throws what `check` throws, and `OUTPUT_NOT_WRITABLE` where the disk
   * refuses.
   */
  static async open(output: string, overwrite: boolean): Promise<OutputFolder> {
    await OutputFolder.check(output, overwrite);
    const path = resolve(output);
    const parent = dirname(path);
    const partial = partialFolder(path);
    try {
      await mkdir(parent, { recursive: true });
      await access(parent, constants.W_OK);
      await removeAbandoned(parent, basename(path));
      await rm(partial, { recursive: true, force: true });
      await mkdir(partial);
    } catch (error) {
      throw notWritable(path, error);
    }
    return new OutputFolder(path, partial);
  }

  /** Marks a result without a report as one, with what it was made by. */
  async markParts(made: Record<string, unknown>): Promise<void> {
    try {
      const mark = { schemaVersion: 1, plinth: VERSION, ...made };
      await writeFile(join(this.partial, PARTS_MARK), `${JSON.stringify(mark, null, 2)}\n`);
    } catch (error) {
      throw notWritable(this.path, error);
    }
  }

  /** Puts the partial folder in its place. An earlier result stays until the new one is complete. */
  async commit(): Promise<void> {
    const old = `${this.partial}-old`;
    try {
      const replaced = (await list(this.path)) !== undefined;
      if (replaced) await rename(this.path, old);
      try {
        await rename(this.partial, this.path);
      } catch (error) {
        if (replaced) await rename(old, this.path);
        throw error;
      }
      if (replaced) await rm(old, { recursive: true, force: true });
    } catch (error) {
      throw notWritable(this.path, error);
    }
  }

  /** Removes the partial folder. Safe after `commit`. */
  async discard(): Promise<void> {
    await rm(this.partial, { recursive: true, force: true });
  }
}

/** All files below a folder, as sorted relative paths with forward slashes. */
export async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((e) => e.isFile())
    .map((e) =>
      join(e.parentPath, e.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}

/** Folders that a killed process left behind. */
async function removeAbandoned(parent: string, name: string): Promise<void> {
  for (const entry of await readdir(parent)) {
    const match = entry.startsWith(`.${name}.partial-`)
      ? /^(\d+)(-old)?$/.exec(entry.slice(`.${name}.partial-`.length))
      : null;
    if (!match || isAlive(Number(match[1]))) continue;
    const abandoned = join(parent, entry);
    // A process killed between the two renames of `commit` leaves the earlier result under its spare name only.
    if (match[2] && (await list(join(parent, name))) === undefined) await rename(abandoned, join(parent, name));
    else await rm(abandoned, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function list(path: string): Promise<string[] | undefined> {
  try {
    return await readdir(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return undefined;
    if (code === 'ENOTDIR')
      throw new PlinthError('OUTPUT_EXISTS', {
        found: `${path} is a file`,
        remedy: remedy`Choose a folder with ${option('output')}`,
        subject: path,
      });
    throw notWritable(path, error);
  }
}

async function isResult(path: string, entries: string[]): Promise<boolean> {
  const name = [RESULT_MARK, PARTS_MARK].find((mark) => entries.includes(mark));
  if (name === undefined) return false;
  try {
    const mark = JSON.parse(await readFile(join(path, name), 'utf8')) as { schemaVersion?: unknown };
    return mark.schemaVersion !== undefined;
  } catch {
    return false;
  }
}

const notWritable = (path: string, error: unknown): PlinthError =>
  error instanceof PlinthError
    ? error
    : new PlinthError('OUTPUT_NOT_WRITABLE', {
        found: `${path} cannot be written: ${(error as Error).message}`,
        remedy: anyOf(step`check free space and permissions`, step`choose another folder with ${option('output')}`),
        subject: path,
        cause: error,
      });
