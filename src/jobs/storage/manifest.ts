import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ArtifactStore } from './artifactStore.js';

/** One file of a folder, and what it must hold. */
export interface ManifestFile {
  /** Path within the folder, with forward slashes. */
  name: string;
  bytes: number;
  /** SHA-256 of the content, in hexadecimal. */
  sha256: string;
}

/** SHA-256 of everything that a stream gives, in hexadecimal. */
export async function digest(source: Readable): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(source, hash);
  return hash.digest('hex');
}

/** Every file below a folder, sorted by name; names begin with `prefix`. */
export async function describeFolder(folder: string, prefix = ''): Promise<ManifestFile[]> {
  const files: ManifestFile[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = prefix + relative(folder, path).split(sep).join('/');
    files.push({ name, bytes: (await stat(path)).size, sha256: await digest(createReadStream(path)) });
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Whether a folder holds exactly these files. */
export async function isWhole(folder: string, files: ManifestFile[]): Promise<boolean> {
  const found = await describeFolder(folder).catch(() => []);
  return JSON.stringify(found) === JSON.stringify(files);
}

/**
 * What is wrong with stored files, in words; absent when nothing is. `content`: read them all again; else only their
 * presence and sizes are looked at.
 */
export async function storedFault(
  store: ArtifactStore,
  prefix: string,
  files: ManifestFile[],
  content: boolean,
): Promise<string | undefined> {
  for (const { name, bytes, sha256 } of files) {
    const key = `${prefix}/${name}`;
    const facts = await store.stat(key);
    if (!facts) return `${name} is missing`;
    if (facts.bytes !== bytes) return `${name} has ${facts.bytes} bytes instead of ${bytes}`;
    if (content && (await digest(await store.read(key))) !== sha256) return `${name} holds something else`;
  }
  return undefined;
}
