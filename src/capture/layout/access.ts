import type { FileList } from './fileList.js';

/**
 * The files of a capture with the small things in them on demand, wherever they lie: on disk, or in what was dropped
 * into the page.
 */
export interface FileAccess {
  list: FileList;
  /** A file's bytes; with `most`, at least that many of its first where it has them. */
  read(path: string, most?: number): Promise<Uint8Array>;
}

/** Bytes from which a metadata file can be told. */
export const HEAD_BYTES = 4096;

/** The beginning of a text file, without its byte order mark. */
export const headText = async ({ read }: FileAccess, path: string): Promise<string> =>
  new TextDecoder('utf-8').decode(await read(path, HEAD_BYTES)).replace(/^\ufeff/, '');
