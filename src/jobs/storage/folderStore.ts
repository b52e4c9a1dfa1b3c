import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, cp, link, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { type ArtifactStore, checkKey, etagOf, missing, storageUnavailable } from './artifactStore.js';

/** Half-made things live here, on the same file system, and get their name by a rename. */
const TEMPORARY = '.partial';

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Makes what was written outlast a loss of power, where the file system can. */
async function toDisk(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR'].includes(codeOf(error) ?? '')) throw error;
  } finally {
    await file.close();
  }
}

/** Artifacts in a local or shared folder. */
export class FolderStore implements ArtifactStore {
  readonly kind = 'folder';

  constructor(readonly place: string) {}

  async adopt(local: string, key: string): Promise<void> {
    const target = this.path(key);
    await mkdir(dirname(target), { recursive: true });
    const temporary = await this.temporary();
    try {
      await rename(local, temporary);
    } catch (error) {
      if (codeOf(error) !== 'EXDEV') throw error;
      await cp(local, temporary, { recursive: true });
    }
    // What was on its way for long is new here: nobody may take it for a leftover.
    const now = new Date();
    await utimes(temporary, now, now);
    await this.settle(temporary, target);
    await rm(local, { recursive: true, force: true });
  }

  async keep(local: string, key: string, names: string[]): Promise<void> {
    const target = this.path(key);
    await mkdir(dirname(target), { recursive: true });
    const temporary = await this.temporary();
    await mkdir(temporary);
    const folders = new Set([temporary]);
    for (const name of names) {
      const path = join(temporary, ...checkKey(name).split('/'));
      await mkdir(dirname(path), { recursive: true });
      folders.add(dirname(path));
      const source = join(local, ...name.split('/'));
      // A second name for the same bytes costs no space; not every file system has that, nor has it over two of them.
      await link(source, path).catch(() => copyFile(source, path));
      await toDisk(path);
    }
    for (const folder of folders) await toDisk(folder);
    await this.settle(temporary, target);
    await toDisk(dirname(target));
  }

  async put(key: string, data: Uint8Array): Promise<void> {
    const target = this.path(key);
    await mkdir(dirname(target), { recursive: true });
    const temporary = await this.temporary();
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  }

  async stat(key: string) {
    try {
      const facts = await stat(this.path(key));
      if (!facts.isFile()) return undefined;
      const etag = etagOf(key, facts.size, facts.mtimeMs, facts.ino);
      return { bytes: facts.size, etag, modified: facts.mtime, changed: String(facts.ctimeMs) };
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  async read(key: string, range?: { start: number; end: number }) {
    const stream = createReadStream(this.path(key), range);
    await new Promise<void>((opened, failed) => {
      stream.once('open', () => opened());
      stream.once('error', (error) => failed(codeOf(error) === 'ENOENT' ? missing(key) : error));
    });
    return stream;
  }

  async list(prefix: string): Promise<string[]> {
    const folder = this.path(prefix);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error) => {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    });
    return entries
      .filter((e) => e.isFile())
      .map((e) => relative(folder, join(e.parentPath, e.name)).split(sep).join('/'))
      .sort();
  }

  async children(prefix: string): Promise<string[]> {
    return (await readdir(this.path(prefix)).catch(() => [])).sort();
  }

  async newest(prefix: string): Promise<Date | undefined> {
    const folder = this.path(prefix);
    const entries = await readdir(folder, { recursive: true }).catch(() => []);
    const times = await Promise.all(
      ['', ...entries].map((name) =>
        stat(join(folder, name)).then(
          (facts) => facts.mtimeMs,
          () => 0,
        ),
      ),
    );
    const newest = Math.max(...times);
    return newest > 0 ? new Date(newest) : undefined;
  }

  async remove(prefix: string): Promise<void> {
    const target = this.path(prefix);
    const temporary = await this.temporary();
    try {
      // First out of sight, then removed: a reader sees all or nothing.
      await rename(target, temporary);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return;
      throw error;
    }
    await rm(temporary, { recursive: true, force: true });
  }

  async local(prefix: string): Promise<string> {
    return this.path(prefix);
  }

  /** Also removes what a killed process left half-made more than an hour ago. */
  async check(): Promise<void> {
    try {
      const probe = await this.temporary();
      await (await open(probe, 'wx')).close();
      await rm(probe);
      for (const name of await readdir(join(this.place, TEMPORARY))) {
        const path = join(this.place, TEMPORARY, name);
        const facts = await stat(path).catch(() => undefined);
        if (facts && Date.now() - facts.mtimeMs > 3_600_000) await rm(path, { recursive: true, force: true });
      }
    } catch (error) {
      throw storageUnavailable(this.place, error);
    }
  }

  private path(key: string): string {
    return join(this.place, ...checkKey(key).split('/'));
  }

  private async temporary(): Promise<string> {
    const folder = join(this.place, TEMPORARY);
    await mkdir(folder, { recursive: true });
    return join(folder, randomUUID());
  }

  private async settle(temporary: string, target: string): Promise<void> {
    try {
      await rename(temporary, target);
    } catch (error) {
      // A folder that is not empty is not replaced by a rename.
      if (!['ENOTEMPTY', 'EEXIST', 'EISDIR', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw error;
      const old = await this.temporary();
      await rename(target, old);
      await rename(temporary, target);
      await rm(old, { recursive: true, force: true });
    }
  }
}
