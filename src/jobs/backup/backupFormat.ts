/**
 * A backup is a folder:
 *
 *     backup.json             what it is: format, versions, rows by table, sums of the files below
 *     database/<table>.jsonl  a row in each line, as JSON
 *     files.jsonl             a file of the storage in each line: key, bytes, SHA-256
 *     store/<key>             the files
 *
 * It does not depend on the kind of database or storage: what was kept in the embedded database and a folder can be
 * restored to PostgreSQL and S3.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

export const MANIFEST = 'backup.json';
export const FILES = 'files.jsonl';
export const FORMAT = 1;

export interface BackupManifest {
  format: number;
  /** Of the Plinth that wrote it. */
  version: string;
  /** Of the database's tables. */
  schemaVersion: number;
  madeAt: string;
  /** In an order in which no row comes before one that it refers to. */
  tables: { name: string; rows: number; sha256: string }[];
  files: { count: number; bytes: number; sha256: string };
}

export interface StoredFile {
  key: string;
  bytes: number;
  sha256: string;
}

/** SHA-256 of a file, in hexadecimal. */
export async function sumOf(path: string): Promise<string> {
  const sum = createHash('sha256');
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) sum.update(chunk);
  return sum.digest('hex');
}
