import { Readable } from 'node:stream';
import yauzl from 'yauzl';
import { PlinthError, throwIfCancelled } from '../../core/errors.js';
import { type FileAccess, HEAD_BYTES } from '../layout/access.js';
import { FileList } from '../layout/fileList.js';
import type { ResolvedReadOptions } from '../options.js';
import { damaged, examine, ZIP_OPTIONS } from './archive.js';

/** A .zip that lies elsewhere and is read in parts. */
export interface RemoteArchive {
  /** What it is called in messages. */
  name: string;
  bytes: number;
  /** Bytes `start` to before `end`. */
  fetch(start: number, end: number): Promise<Buffer>;
}

/** Bytes that are fetched at a time: the directory has many small entries, each of which is asked for alone. */
const BLOCK_BYTES = 256 * 1024;
/** Blocks that are kept: the directory is read in order, and beginnings of files lie anywhere. */
const BLOCKS_KEPT = 8;
/** Bytes that are fetched of one archive at most. The directory of 10,000 files has about one MiB. */
const MOST_FETCHED = 64 * 2 ** 20;

class BlockReader extends yauzl.RandomAccessReader {
  private readonly blocks = new Map<number, Buffer>();
  private fetched = 0;

  constructor(private readonly archive: RemoteArchive) {
    super();
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.pieces(start, end), { objectMode: false });
  }

  private async *pieces(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end; ) {
      const first = at - (at % BLOCK_BYTES);
      const piece = (await this.block(first)).subarray(at - first, end - first);
      if (piece.length === 0) throw new Error('it ends too early');
      yield piece;
      at += piece.length;
    }
  }

  private async block(first: number): Promise<Buffer> {
    const known = this.blocks.get(first);
    if (known) return known;
    const end = Math.min(first + BLOCK_BYTES, this.archive.bytes);
    if (end <= first) throw new Error('it ends too early');
    this.fetched += end - first;
    if (this.fetched > MOST_FETCHED) throw new Error('its directory is too large');
    const block = await this.archive.fetch(first, end);
    const [oldest] = this.blocks.keys();
    if (this.blocks.size >= BLOCKS_KEPT) this.blocks.delete(oldest);
    this.blocks.set(first, block);
    return block;
  }
}

/**
 * Looks into an archive without fetching what is in it: the directory, by the rules of `unpackArchive`, then `work`
 * with the files that would be unpacked and the beginnings of those that it asks for.
 * @throws `ARCHIVE_INVALID`, `ARCHIVE_TOO_LARGE`, `ARCHIVE_UNSAFE_PATH`, `CANCELLED`, and what `work` and `fetch` throw
 */
export async function lookIntoArchive<T>(
  archive: RemoteArchive,
  options: ResolvedReadOptions,
  work: (access: FileAccess) => Promise<T>,
): Promise<T> {
  let zip: yauzl.ZipFile | undefined;
  try {
    zip = await yauzl.fromRandomAccessReaderPromise(new BlockReader(archive), archive.bytes, ZIP_OPTIONS);
    const { kept } = await examine(zip, archive.name, archive.bytes, options);
    const entries = new Map(kept.map(({ entry, path }) => [path, entry]));
    const open = zip;
    return await work({
      list: new FileList(entries.keys()),
      // Layouts are told by the beginnings of files alone.
      read: async (path, most = HEAD_BYTES) => await beginning(open, entries.get(path)!, most),
    });
  } catch (error) {
    throwIfCancelled(options.signal);
    throw error instanceof PlinthError ? error : damaged(archive.name, error);
  } finally {
    zip?.close();
  }
}

/** At least the first `most` bytes of an entry where it has them. */
async function beginning(zip: yauzl.ZipFile, entry: yauzl.Entry, most: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= most) break;
  }
  return Buffer.concat(pieces);
}
