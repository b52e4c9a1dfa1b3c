import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import yauzl from 'yauzl';
import { diskFull, isDiskFull, PlinthError, throwIfCancelled } from '../../core/errors.js';
import { anyOf, option, step } from '../../core/remedy.js';
import { isLitter } from '../layout/names.js';
import type { ResolvedReadOptions } from '../options.js';
import { isInside } from './captureFolder.js';

export interface Unpacked {
  /** A folder of its own, with the archive's files in it. */
  folder: string;
  /** Names of entries that no reader can use and that were left packed; at most a few. */
  left: string[];
  /** Removes the folder. Safe to call twice. */
  remove(): Promise<void>;
}

/** Only what a reader can use is unpacked; other files, archives within the archive among them, are left packed. */
const USEFUL = /(\.(json|txt|bin|ply|png|jpe?g|webp|avif|tiff?|exr|npy|npz|xml|csv|sfm|out)|(^|\/)metadata)$/i;
/** Names of files that are left packed which are told at most. */
const MOST_LEFT = 1000;
/** Below this size a ratio says nothing: text and plain depth maps pack well. */
const RATIO_FREE_BYTES = 32 * 2 ** 20;
const SYMBOLIC_LINK = 0o120000;
const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;
const DIRECTORY = 0o040000;

/**
 * Unpacks a .zip into a new temporary folder. Sizes are checked twice: as the directory declares them, before anything
 * is written, and as the bytes really come. Nothing is left behind on an error.
 *
 * `reserve` is told the bytes that will be unpacked before the first is written, and may refuse. The temporary folder
 * must have room for them.
 *
 * Throws `ARCHIVE_INVALID` (not a zip, damaged, encrypted, duplicate names), `ARCHIVE_TOO_LARGE` (bytes, entries,
 * ratio), `ARCHIVE_UNSAFE_PATH` (`..`, absolute names, links), `DISK_LOW`, `CANCELLED`.
 */
export async function unpackArchive(
  file: string,
  options: ResolvedReadOptions,
  reserve: (bytes: number) => Promise<void> = async () => {},
): Promise<Unpacked> {
  const zip = await open(file);
  let folder: string | undefined;
  const remove = async (): Promise<void> => {
    if (folder) await rm(folder, { recursive: true, force: true });
  };
  try {
    const { kept: entries, left } = await examine(zip, file, (await stat(file)).size, options);
    const bytes = entries.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0);
    await reserve(bytes);
    const parent = options.tempFolder ?? tmpdir();
    await requireRoom(parent, bytes);
    folder = await mkdtemp(join(parent, 'plinth-capture-'));
    let written = 0;
    for (const { entry, path } of entries) {
      throwIfCancelled(options.signal);
      let sum = 0;
      const target = join(folder, path);
      if (!isInside(folder, target)) throw unsafe(file, path, 'leads out of the archive');
      await mkdir(dirname(target), { recursive: true });
      const counter = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          written += chunk.length;
          sum = crc32(chunk, sum);
          if (written > options.maxArchiveBytes)
            done(tooLarge(file, `more than ${mib(options.maxArchiveBytes)}`, options));
          else done(null, chunk);
        },
      });
      const stream = await zip.openReadStreamPromise(entry);
      await pipeline(stream, counter, createWriteStream(target, { flags: 'wx' }), { signal: options.signal });
      if (sum !== entry.crc32) throw damaged(file, new Error(`${path} is not what was packed: its CRC-32 is another`));
    }
    return { folder, left, remove };
  } catch (error) {
    await remove();
    throwIfCancelled(options.signal);
    if (error instanceof PlinthError) throw error;
    throw isDiskFull(error) ? diskFull(error) : damaged(file, error);
  } finally {
    zip.close();
  }
}

/** @throws `DISK_LOW` */
async function requireRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes) return;
  throw new PlinthError('DISK_LOW', {
    found: `${mib(bavail * bsize)} are free for unpacking the archive`,
    expected: `at least ${mib(bytes)}`,
    remedy: 'Free some disk, or unpack it elsewhere and give the folder',
  });
}

/** Entries stay open while the list is read, names are checked here, and sizes are asserted as data come. */
export const ZIP_OPTIONS: yauzl.Options = {
  lazyEntries: true,
  autoClose: false,
  validateEntrySizes: true,
  strictFileNames: false,
};

async function open(file: string): Promise<yauzl.ZipFile> {
  try {
    return await yauzl.openPromise(file, ZIP_OPTIONS);
  } catch (error) {
    throw damaged(file, error);
  }
}

/**
 * Reads the whole directory and refuses the archive before a byte is unpacked.
 * @param file what the archive is called in messages
 * @param packedSize bytes of the archive
 * @throws as `unpackArchive`
 */
export async function examine(
  zip: yauzl.ZipFile,
  file: string,
  packedSize: number,
  options: ResolvedReadOptions,
): Promise<{ kept: { entry: yauzl.Entry; path: string }[]; left: string[] }> {
  if (zip.entryCount > options.maxArchiveEntries) {
    throw tooLarge(file, `${zip.entryCount} entries`, options);
  }
  const seen = new Map<string, string>();
  const kept: { entry: yauzl.Entry; path: string }[] = [];
  const left: string[] = [];
  let packed = 0;
  let unpacked = 0;
  for await (const entry of zip.eachEntry()) {
    throwIfCancelled(options.signal);
    // Some archivers begin every name with `./`.
    const path = entry.fileName
      .replaceAll('\\', '/')
      .replace(/^(\.\/)+/, '')
      .normalize('NFC');
    checkName(file, path);
    const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE;
    if (type === SYMBOLIC_LINK) throw unsafe(file, path, 'is a symbolic link');
    if (type !== 0 && type !== REGULAR && type !== DIRECTORY) throw unsafe(file, path, 'is not a regular file');
    if (path === '' || path.endsWith('/') || isLitter(path)) continue;
    if (entry.isEncrypted()) {
      throw new PlinthError('ARCHIVE_INVALID', {
        found: `${basename(file)}: ${path} is encrypted`,
        expected: 'an archive without a password',
        remedy: 'Pack it again without encryption',
        subject: file,
      });
    }
    packed += entry.compressedSize;
    unpacked += entry.uncompressedSize;
    if (unpacked > options.maxArchiveBytes) throw tooLarge(file, `at least ${mib(unpacked)}`, options);
    const ratio = (bytes: number, from: number): void => {
      if (bytes <= RATIO_FREE_BYTES || bytes / Math.max(1, from) <= options.maxArchiveRatio) return;
      throw tooLarge(file, `${(bytes / Math.max(1, from)).toFixed(0)} times its packed size`, options, path);
    };
    ratio(entry.uncompressedSize, entry.compressedSize);
    // Entries that share their data (overlapping bombs) declare more packed bytes than the file has.
    ratio(unpacked, Math.min(packed, packedSize));
    if (packed > packedSize) throw damaged(file, new Error('its entries overlap'));
    if (!USEFUL.test(path)) {
      if (left.length < MOST_LEFT) left.push(path);
      continue;
    }
    const key = path.toLowerCase();
    const other = seen.get(key);
    if (other !== undefined) {
      throw new PlinthError('ARCHIVE_INVALID', {
        found:
          `${basename(file)} holds ` +
          `${other === path ? `${path} twice` : `both ${other} and ${path}, which differ in case only`}`,
        expected: 'every name once, on every file system',
        remedy: 'Rename one of them and pack the archive again',
        subject: file,
      });
    }
    seen.set(key, path);
    kept.push({ entry, path });
  }
  return { kept, left };
}

function checkName(file: string, path: string): void {
  if (path.startsWith('/') || /^[a-z]:/i.test(path)) throw unsafe(file, path, 'is an absolute name');
  if (path.split('/').includes('..')) throw unsafe(file, path, 'leads out of the archive');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f]/.test(path)) throw unsafe(file, path, 'contains control characters');
  if (path.length > 1000 || path.split('/').some((part) => Buffer.byteLength(part) > 255)) {
    throw unsafe(file, `${path.slice(0, 60)}…`, 'is longer than file systems allow');
  }
}

function unsafe(file: string, path: string, why: string): PlinthError {
  return new PlinthError('ARCHIVE_UNSAFE_PATH', {
    found: `${basename(file)}: the entry ${JSON.stringify(path)} ${why}`,
    expected: 'regular files with names that stay inside the archive',
    remedy: 'Pack the capture folder again, with links replaced by the files they point to',
    subject: path,
  });
}

/** `ARCHIVE_INVALID`, or `ARCHIVE_UNSAFE_PATH` where a name is at fault, for what went wrong with an archive. */
export function damaged(file: string, cause: unknown): PlinthError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const names = /^(invalid relative path|absolute path|invalid characters in fileName): (.*)$/.exec(message);
  if (names) return unsafe(file, names[2], 'leads out of the archive');
  return new PlinthError('ARCHIVE_INVALID', {
    found: `${basename(file)} cannot be unpacked: ${message.slice(0, 200)}`,
    expected: 'a complete .zip file',
    remedy: 'Copy or pack it again as .zip',
    subject: file,
    cause,
  });
}

function tooLarge(file: string, what: string, options: ResolvedReadOptions, entry?: string): PlinthError {
  const { maxArchiveBytes, maxArchiveEntries, maxArchiveRatio } = options;
  return new PlinthError('ARCHIVE_TOO_LARGE', {
    found: `${basename(file)}${entry ? `: ${entry}` : ''} unpacks to ${what}`,
    expected:
      `at most ${mib(maxArchiveBytes)}, ${maxArchiveEntries} entries, and ${maxArchiveRatio} times the packed ` +
      'size',
    remedy: anyOf(
      step`pack only the capture`,
      step`raise ${option('maxArchiveBytes')} or ${option('maxArchiveEntries')}`,
      step`raise ${option('maxArchiveRatio')}`,
    ),
    subject: file,
  });
}

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
