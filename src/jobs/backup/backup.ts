import { createHash, type Hash } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { PlinthError, throwIfCancelled } from '../../core/errors.js';
import { VERSION } from '../../core/version.js';
import type { Database, Queryable } from '../database/database.js';
import { SCHEMA } from '../database/migrations.js';
import type { ArtifactStore } from '../storage/artifactStore.js';
import { type BackupManifest, FILES, FORMAT, MANIFEST, type StoredFile } from './backupFormat.js';

/** Tables that tell of the moment: a backup leaves them out. */
const TRANSIENT = ['version', 'workers'];
const ROWS_AT_ONCE = 1000;

export interface BackupOptions {
  db: Database;
  artifacts: ArtifactStore;
  /** Folder to make; it must not be there. */
  output: string;
  signal?: AbortSignal;
  progress?: (done: number, jobs: number) => void;
}

/**
 * Writes everything that the service keeps into a folder, while it runs if it is on PostgreSQL. All rows are those of
 * one moment. What they refer to in the storage never changes, so it is copied afterwards; jobs that somebody deletes
 * meanwhile come without their files, as they were about to be. The folder gets its name when it is whole, and only its
 * owner can read it: it holds hashes of keys and secrets of webhooks.
 * @throws `OUTPUT_EXISTS`, `STORAGE_UNAVAILABLE`, `CANCELLED`
 */
export async function backup(options: BackupOptions): Promise<BackupManifest> {
  const { db, output } = options;
  if (await readdir(output).catch(() => undefined)) {
    throw new PlinthError('OUTPUT_EXISTS', {
      found: `${output} is there already`,
      expected: 'a folder that the backup makes',
      remedy: 'Give it another name, such as one with the date',
      subject: output,
    });
  }
  const work = `${output}.partial-${process.pid}`;
  await mkdir(join(work, 'database'), { recursive: true, mode: 0o700 });
  try {
    const { schemaVersion, tables, jobs } = await db.transaction(async (tx) => {
      await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
      const [{ version }] = await tx.query<{ version: number }>(`SELECT version FROM ${SCHEMA}.version`);
      const written: BackupManifest['tables'] = [];
      for (const name of await tablesInOrder(tx)) written.push(await writeTable(tx, name, work));
      const rows = await tx.query<{ id: string }>(`SELECT id FROM ${SCHEMA}.jobs ORDER BY id`);
      return { schemaVersion: version, tables: written, jobs: rows.map((row) => row.id) };
    });
    const files = await copyFiles(options, jobs, work);
    const madeAt = new Date().toISOString();
    const manifest: BackupManifest = { format: FORMAT, version: VERSION, schemaVersion, madeAt, tables, files };
    await writeFile(join(work, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
    await rename(work, output);
    return manifest;
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    throw error;
  }
}

/** The schema's tables, each after those that it refers to. */
async function tablesInOrder(tx: Queryable): Promise<string[]> {
  const all = await tx.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'r' ORDER BY relname`,
    [SCHEMA],
  );
  const references = await tx.query<{ from: string; to: string }>(
    `SELECT a.relname AS "from", b.relname AS "to" FROM pg_constraint
       JOIN pg_class a ON a.oid = conrelid JOIN pg_class b ON b.oid = confrelid
     WHERE contype = 'f' AND connamespace = $1::regnamespace AND conrelid <> confrelid`,
    [SCHEMA],
  );
  const left = new Set(all.map((t) => t.name).filter((name) => !TRANSIENT.includes(name)));
  const order: string[] = [];
  while (left.size > 0) {
    const next = [...left].find((name) => !references.some((r) => r.from === name && left.has(r.to)));
    if (!next) throw new PlinthError('INTERNAL', `Tables refer to each other in a circle: ${[...left].join(', ')}`);
    order.push(next);
    left.delete(next);
  }
  return order;
}

async function writeTable(tx: Queryable, name: string, work: string): Promise<BackupManifest['tables'][number]> {
  const stream = createWriteStream(join(work, 'database', `${name}.jsonl`), { mode: 0o600 });
  const sum = createHash('sha256');
  let rows = 0;
  await tx.query(`DECLARE backup CURSOR FOR SELECT row_to_json(t)::text AS line FROM ${SCHEMA}.${name} t`);
  for (;;) {
    const page = await tx.query<{ line: string }>(`FETCH ${ROWS_AT_ONCE} FROM backup`);
    if (page.length === 0) break;
    rows += page.length;
    await writeLines(
      stream,
      sum,
      page.map((row) => row.line),
    );
  }
  await tx.query('CLOSE backup');
  await close(stream);
  return { name, rows, sha256: sum.digest('hex') };
}

/** Copies the files of all jobs. */
async function copyFiles(options: BackupOptions, jobs: string[], work: string): Promise<BackupManifest['files']> {
  const { artifacts, signal, progress } = options;
  const list = createWriteStream(join(work, FILES), { mode: 0o600 });
  const sum = createHash('sha256');
  let [count, bytes] = [0, 0];
  for (const [i, job] of jobs.entries()) {
    for (const name of await artifacts.list(`jobs/${job}`)) {
      throwIfCancelled(signal);
      const key = `jobs/${job}/${name}`;
      const file = await copyOne(artifacts, key, join(work, 'store', ...key.split('/')));
      // Previews and logs of a running job, and what a deleted one had, may go at any time.
      if (!file) continue;
      await writeLines(list, sum, [JSON.stringify(file)]);
      count++;
      bytes += file.bytes;
    }
    progress?.(i + 1, jobs.length);
  }
  await close(list);
  return { count, bytes, sha256: sum.digest('hex') };
}

async function copyOne(artifacts: ArtifactStore, key: string, path: string): Promise<StoredFile | undefined> {
  const source = await artifacts.read(key).catch((error: unknown) => {
    if (error instanceof PlinthError && error.code === 'FILE_NOT_FOUND') return undefined;
    throw error;
  });
  if (!source) return undefined;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const sum = createHash('sha256');
  let bytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sum.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(source, measure, createWriteStream(path, { mode: 0o600 }));
  return { key, bytes, sha256: sum.digest('hex') };
}

async function writeLines(stream: WriteStream, sum: Hash, lines: readonly string[]): Promise<void> {
  const text = `${lines.join('\n')}\n`;
  sum.update(text);
  if (!stream.write(text)) await new Promise<void>((resolve) => stream.once('drain', resolve));
}

async function close(stream: WriteStream): Promise<void> {
  stream.end();
  await finished(stream);
}
