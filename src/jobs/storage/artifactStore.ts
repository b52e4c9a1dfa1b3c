import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { PlinthError } from '../../core/errors.js';

export interface ArtifactFacts {
  bytes: number;
  /** Strong validator, without quotes. */
  etag: string;
  modified: Date;
  /** Differs after every write, where ETag and date can be made the same again. */
  changed?: string;
}

/**
 * Where inputs, results, previews and logs are kept. Keys are relative paths with forward slashes, such as
 * `jobs/<id>/input/capture.zip`. A key is whole or absent: nobody ever reads a half-written one.
 */
export interface ArtifactStore {
  readonly kind: 'folder' | 's3';
  /** For messages: the folder, or bucket and prefix. */
  readonly place: string;
  /** Takes a local file or folder over as `key`; the local one is gone afterwards. Replaces what was there. */
  adopt(local: string, key: string): Promise<void>;
  /**
   * Copies these files of a local folder below `key`, in one step where the store can; the local ones stay. They are on
   * the disk when it returns.
   */
  keep(local: string, key: string, names: string[]): Promise<void>;
  /** Writes a small object. */
  put(key: string, data: Uint8Array): Promise<void>;
  /** Absent when there is no such key. */
  stat(key: string): Promise<ArtifactFacts | undefined>;
  /** Bytes `start`…`end` (both inclusive), or all. @throws `FILE_NOT_FOUND` */
  read(key: string, range?: { start: number; end: number }): Promise<Readable>;
  /** Keys below a prefix, sorted, relative to it. */
  list(prefix: string): Promise<string[]>;
  /** Names directly below a prefix, sorted. */
  children(prefix: string): Promise<string[]>;
  /** When something below a prefix was last written; absent when nothing is there. */
  newest(prefix: string): Promise<Date | undefined>;
  /** Removes everything below a prefix. Nothing there is no error. */
  remove(prefix: string): Promise<void>;
  /**
   * A local path that holds what is below the prefix: the store's own where it is a folder, else downloaded to `into`.
   * Read-only.
   */
  local(prefix: string, into: string): Promise<string>;
  /**
   * An address from which anybody who has it can fetch the file for `seconds`, past the service; absent where the
   * storage has none that clients reach.
   */
  address?(key: string, file: { name: string; type: string; seconds: number }): Promise<string>;
  /** How clients bring a file past the service; absent where the storage has no address that they reach. */
  direct?: {
    /** An address to which anybody who has it can, for `seconds`, put a file of exactly so many bytes. */
    address(key: string, file: { bytes: number; seconds: number }): Promise<string>;
    /** Copies a file within the storage. */
    copy(from: string, to: string): Promise<void>;
  };
  /** Proves that it can be written and read. @throws `STORAGE_UNAVAILABLE` */
  check(): Promise<void>;
}

/** Refuses keys that would leave the store. Keys are made by Plinth; names in them may come from a URL. */
export function checkKey(key: string): string {
  if (
    key === '' ||
    key.startsWith('/') ||
    key.includes('\\') ||
    key.includes('\0') ||
    key.split('/').some((part) => part === '' || part === '.' || part === '..')
  ) {
    throw new PlinthError('FILE_NOT_FOUND', { found: `"${key}" is no file name`, subject: key });
  }
  return key;
}

export const etagOf = (...parts: (string | number)[]): string =>
  createHash('sha256').update(parts.join('|')).digest('base64url').slice(0, 22);

export const missing = (key: string): PlinthError =>
  new PlinthError('FILE_NOT_FOUND', { found: `There is no file ${key}`, subject: key });

export const storageUnavailable = (place: string, cause: unknown): PlinthError =>
  new PlinthError('STORAGE_UNAVAILABLE', {
    found: `The artifact storage at ${place} failed: ${(cause as Error).message}`,
    remedy: 'Check space, permissions and, for S3, endpoint, bucket and credentials',
    subject: place,
    cause,
  });
