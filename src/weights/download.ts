import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDiskFull, PlinthError, throwIfCancelled } from '../core/errors.js';
import {
  checkForm,
  type FileRecord,
  hashFile,
  nameOf,
  notAccepted,
  pathOf,
  readNotes,
  sizeAt,
  writeNotes,
} from './folder.js';
import { type FileFacts, failed, GOES_ON, type Hub } from './hub.js';
import { filesOf, type PlacedFile, type WeightManifest } from './manifest.js';

/** How far a download is. */
export interface DownloadProgress {
  /** The file at work. */
  name: string;
  /** Bytes of all files that are here, and of all as far as the server states sizes. */
  done: number;
  total: number;
}

/** What `downloadWeights` is given besides manifest and folder. */
export interface DownloadOptions {
  hub: Hub;
  /** The licences were shown and are accepted now. */
  acceptLicences: boolean;
  /** Also the files that the method runs without. */
  optional: boolean;
  signal?: AbortSignal;
  report?: (progress: DownloadProgress) => void;
  /** Free bytes where the folder is; default: as the file system says. */
  freeBytes?: (folder: string) => Promise<number>;
}

/** A file with what is known of it before it is fetched. */
interface Wanted extends PlacedFile {
  facts: FileFacts;
  /** Bytes that lie in the `.partial` file. */
  partial: number;
}

/**
 * Fetches what a method's weights lack. A file arrives as `.partial`, goes on there after an interruption, and gets its
 * name once size, SHA-256 and form are right.
 * @returns names of the files that were fetched
 * @throws `WEIGHTS_LICENCE`, `WEIGHTS_DOWNLOAD_FAILED`, `WEIGHTS_INVALID`, `DISK_LOW`, `OUTPUT_NOT_WRITABLE`
 */
export async function downloadWeights(
  manifest: WeightManifest,
  folder: string,
  options: DownloadOptions,
): Promise<string[]> {
  try {
    return await fetchAll(manifest, folder, options);
  } catch (error) {
    if (!(error instanceof PlinthError) && isDiskFull(error)) {
      throw new PlinthError('DISK_LOW', {
        found: `The disk where ${folder} is became full`,
        remedy: `Give it more room, or name another folder with --weights or PLINTH_WEIGHTS. ${GOES_ON}`,
        subject: folder,
        cause: error,
      });
    }
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (error instanceof PlinthError || !['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'EISDIR'].includes(code)) {
      throw error;
    }
    throw new PlinthError('OUTPUT_NOT_WRITABLE', {
      found: `The folder of weights ${folder} cannot be written (${code})`,
      remedy: 'Name another one with --weights or PLINTH_WEIGHTS',
      subject: folder,
      cause: error,
    });
  }
}

async function fetchAll(manifest: WeightManifest, folder: string, options: DownloadOptions): Promise<string[]> {
  const { hub, optional, signal, report } = options;
  await acceptLicences(manifest, folder, options.acceptLicences);
  let done = 0;
  const wanted: Wanted[] = [];
  for (const placed of filesOf(manifest, optional)) {
    throwIfCancelled(signal);
    report?.({ name: nameOf(placed), done: 0, total: 0 });
    const stated = await hub.facts(placed, signal);
    const { size, sha256 } = placed.file;
    const facts = { ...stated, size: size ?? stated.size, sha256: sha256 ?? stated.sha256 };
    const here = await bytesHere(folder, placed, facts, signal);
    if (here !== undefined) done += here;
    else
      wanted.push({
        ...placed,
        facts,
        partial: (await sizeAt(`${pathOf(folder, placed)}.partial`, nameOf(placed))) ?? 0,
      });
  }
  const left = wanted.reduce((sum, { facts, partial }) => sum + Math.max(0, (facts.size ?? 0) - partial), 0);
  await checkDisk(folder, left, options.freeBytes ?? freeBytesAt);
  const total = done + wanted.reduce((sum, { facts }) => sum + (facts.size ?? 0), 0);
  for (const one of wanted) {
    const before = done;
    const record = await fetchFile(hub, folder, one, signal, (bytes) =>
      report?.({ name: nameOf(one), done: before + bytes, total }),
    );
    done += record.size;
    const notes = await readNotes(folder);
    notes.files[nameOf(one)] = record;
    await writeNotes(folder, notes);
  }
  return wanted.map(nameOf);
}

/** Notes that the licences are accepted, or throws where they are not. */
async function acceptLicences(manifest: WeightManifest, folder: string, accept: boolean): Promise<void> {
  const notes = await readNotes(folder);
  const refusal = notAccepted(manifest, notes);
  if (!refusal) return;
  if (!accept) throw refusal;
  for (const { name, licence } of manifest.repositories) notes.accepted[name] = licence.terms;
  await writeNotes(folder, notes);
}

/** Bytes of the file where it is here already, as the facts say; a file of other bytes is fetched again. */
async function bytesHere(
  folder: string,
  placed: PlacedFile,
  { size, sha256 }: FileFacts,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const path = pathOf(folder, placed);
  const found = await sizeAt(path, nameOf(placed));
  if (found === undefined || (size !== undefined && size !== found)) return undefined;
  const noted = (await readNotes(folder)).files[nameOf(placed)]?.sha256;
  const needed = sha256 ?? noted;
  if (needed === undefined || (await hashFile(path, signal)) !== needed) return undefined;
  return found;
}

async function checkDisk(folder: string, needed: number, freeBytes: (folder: string) => Promise<number>) {
  if (needed === 0) return;
  const free = await freeBytes(folder);
  if (free >= needed) return;
  throw new PlinthError('DISK_LOW', {
    found: `${free} bytes are free where ${folder} is`,
    expected: `${needed} bytes for the weights that are still to be fetched`,
    remedy: 'Give it more room, or name another folder with --weights or PLINTH_WEIGHTS',
    subject: folder,
  });
}

async function freeBytesAt(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Fetches one file to its place. */
async function fetchFile(
  hub: Hub,
  folder: string,
  wanted: Wanted,
  signal: AbortSignal | undefined,
  report: (bytes: number) => void,
): Promise<FileRecord> {
  const path = pathOf(folder, wanted);
  const partial = `${path}.partial`;
  const { size, sha256, revision } = wanted.facts;
  await mkdir(dirname(path), { recursive: true });
  // Without a hash nothing would tell whether the beginning is of the same file as the rest.
  let begin = sha256 !== undefined && size !== undefined && wanted.partial <= size ? wanted.partial : 0;
  for (;;) {
    const came = await fetchPartial(hub, partial, wanted, begin, signal, report);
    const wrong = sha256 !== undefined && came.sha256 !== sha256;
    if (!wrong) {
      try {
        await checkForm(partial, nameOf(wanted));
      } catch (error) {
        await rm(partial, { force: true });
        throw error;
      }
      await rename(partial, path);
      return { size: came.size, sha256: came.sha256, stated: sha256 !== undefined, revision };
    }
    await rm(partial, { force: true });
    if (!came.resumed) {
      throw new PlinthError('WEIGHTS_INVALID', {
        found: `${nameOf(wanted)} arrived with the SHA-256 ${came.sha256}`,
        expected: sha256,
        remedy: 'Run `plinth weights download` again; where it stays so, look at HF_ENDPOINT',
        subject: nameOf(wanted),
      });
    }
    // The beginning was of another version, or damaged on the disk.
    begin = 0;
  }
}

/** Lets the `.partial` file arrive whole, from `begin` on. */
async function fetchPartial(
  hub: Hub,
  partial: string,
  wanted: Wanted,
  begin: number,
  signal: AbortSignal | undefined,
  report: (bytes: number) => void,
): Promise<{ size: number; sha256: string; resumed: boolean }> {
  const { size, revision } = wanted.facts;
  if (begin > 0 && begin === size) return { size, sha256: await hashFile(partial, signal), resumed: true };
  const beginning = createHash('sha256');
  // Before the server is asked, which would not wait as long as that can take.
  if (begin > 0) await hashBeginning(beginning, partial, begin, signal);
  const { offset, pieces } = await hub.read(wanted, revision, begin, signal);
  const hash = offset > 0 ? beginning : createHash('sha256');
  let at = offset;
  try {
    const handle = await open(partial, offset > 0 ? 'r+' : 'w');
    try {
      for await (const piece of pieces) {
        if (size !== undefined && at + piece.length > size) {
          await handle.truncate(0);
          throw failed(wanted, `The server sends more of ${nameOf(wanted)} than the ${size} bytes that it stated`);
        }
        await writeAll(handle, piece, at);
        hash.update(piece);
        at += piece.length;
        report(at);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
  } finally {
    await pieces.return(undefined);
  }
  if (size !== undefined && at < size) {
    throw failed(wanted, `The server sent ${at} bytes of ${nameOf(wanted)}, of ${size}`);
  }
  return { size: at, sha256: hash.digest('hex'), resumed: offset > 0 };
}

/** Takes the first bytes of a file into the hash. */
async function hashBeginning(hash: Hash, path: string, length: number, signal?: AbortSignal): Promise<void> {
  for await (const piece of createReadStream(path, { end: length - 1, signal })) hash.update(piece as Buffer);
}

async function writeAll(handle: Awaited<ReturnType<typeof open>>, piece: Uint8Array, at: number): Promise<void> {
  for (let written = 0; written < piece.length; ) {
    const { bytesWritten } = await handle.write(piece, written, piece.length - written, at + written);
    written += bytesWritten;
  }
}
