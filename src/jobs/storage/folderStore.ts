import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { cp, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { type ArtifactStore, checkKey, etagOf, missing, storageUnavailable } from './artifactStore.js';

/** Half-made things live here, on the same file system, and get their name by a rename. */
const TEMPORARY = '.partial';

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

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
      await rm(local, { recursive: true, force: true });
    }
    await this.settle(temporary, target);
  }

  async put(key: string, data: Uint8Array): Promise<void> {
    const target = this.path(key);
    await mkdir(dirname(target), { recursive: true });
    const temporary = await this.temporary();
    await writeFile(temporary, data);
    await rename(temporary, target);
  }

  async stat(key: string) {
    try {
      const facts = await stat(this.path(key));
      if (!facts.isFile()) return undefined;
      return { bytes: facts.size, etag: etagOf(key, facts.size, facts.mtimeMs, facts.ino), modified: facts.mtime };
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
      await writeFile(probe, 'plinth');
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
