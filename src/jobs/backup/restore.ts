import { createReadStream } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PlinthError, throwIfCancelled } from '../../core/errors.js';
import type { Database, Queryable } from '../database/database.js';
import { applySteps, SCHEMA, SCHEMA_VERSION } from '../database/migrations.js';
import { Queue } from '../database/queue.js';
import type { ArtifactStore } from '../storage/artifactStore.js';
import { type BackupManifest, FILES, FORMAT, MANIFEST, type StoredFile, sumOf } from './backupFormat.js';

const ROWS_AT_ONCE = 500;

export interface RestoreOptions {
  /** A database without jobs and keys. */
  db: Database;
  artifacts: ArtifactStore;
  /** The backup's folder. */
  input: string;
  signal?: AbortSignal;
  progress?: (done: number, files: number) => void;
}

/**
 * Brings a backup back. All of it is checked before anything is written; then come the files, and last all rows in one
 * transaction, so that a restore that breaks off leaves a service without jobs and can be done again. Rows of an older
 * version take the same way as an upgrade. Jobs that waited or ran are queued.
 * @throws `BACKUP_INVALID`, `RESTORE_NOT_EMPTY`, `DATABASE_TOO_NEW`, `STORAGE_UNAVAILABLE`, `CANCELLED`
 */
export async function restore(options: RestoreOptions): Promise<BackupManifest> {
  const { db, input } = options;
  const manifest = await readManifest(input);
  const files = await check(input, manifest, options.signal);
  await refuseUnlessEmpty(db);
  await putFiles(files, options);
  const queue = await Queue.open(db, () => {});
  try {
    await db.transaction(async (tx) => {
      // Rows come as they were, so the tables have to be as they were; the steps since then follow.
      await tx.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`);
      await applySteps(tx, 0, manifest.schemaVersion);
      for (const { name } of manifest.tables) await readTable(tx, name, input);
      await applySteps(tx, manifest.schemaVersion, SCHEMA_VERSION);
      await queueAgain(tx, queue);
    });
  } finally {
    await queue.close();
  }
  return manifest;
}

async function readManifest(input: string): Promise<BackupManifest> {
  let manifest: BackupManifest;
  try {
    manifest = JSON.parse(await readFile(join(input, MANIFEST), 'utf8')) as BackupManifest;
  } catch (error) {
    throw invalid(input, `${MANIFEST} cannot be read: ${(error as Error).message}`, error);
  }
  if (manifest.format !== FORMAT)
    throw invalid(input, `its format is ${manifest.format}, and this Plinth reads ${FORMAT}`);
  if (manifest.schemaVersion > SCHEMA_VERSION) {
    throw new PlinthError('DATABASE_TOO_NEW', {
      found: `The backup is of Plinth ${manifest.version} with schema version ${manifest.schemaVersion}`,
      expected: `at most ${SCHEMA_VERSION}`,
      remedy: 'Restore it with the Plinth version that wrote it, or a newer one',
      subject: input,
    });
  }
  return manifest;
}

/** Compares every sum. Answers the files of the storage. */
async function check(input: string, manifest: BackupManifest, signal?: AbortSignal): Promise<StoredFile[]> {
  const same = async (name: string, sha256: string): Promise<void> => {
    throwIfCancelled(signal);
    const found = await sumOf(join(input, name)).catch((error: Error) => {
      throw invalid(input, `${name} cannot be read: ${error.message}`, error);
    });
    if (found !== sha256) throw invalid(input, `${name} is not what was written: its SHA-256 is another`);
  };
  for (const { name, sha256 } of manifest.tables) {
    if (!/^[a-z_]+$/.test(name)) throw invalid(input, `"${name}" is no table of Plinth`);
    await same(`database/${name}.jsonl`, sha256);
  }
  await same(FILES, manifest.files.sha256);
  const lines = (await readFile(join(input, FILES), 'utf8')).split('\n').filter(Boolean);
  const files = lines.map((line) => JSON.parse(line) as StoredFile);
  for (const { key, sha256 } of files) await same(`store/${key}`, sha256);
  return files;
}

async function refuseUnlessEmpty(db: Database): Promise<void> {
  for (const table of ['jobs', 'api_keys']) {
    const [{ there }] = await db.query<{ there: boolean }>(`SELECT to_regclass($1) IS NOT NULL AS there`, [
      `${SCHEMA}.${table}`,
    ]);
    if (!there || (await db.query(`SELECT 1 FROM ${SCHEMA}.${table} LIMIT 1`)).length === 0) continue;
    throw new PlinthError('RESTORE_NOT_EMPTY', {
      found: `The database holds ${table === 'jobs' ? 'jobs' : 'API keys'} already`,
      expected: 'an empty one: a restore replaces nothing',
      remedy: 'Give it a new data folder, or a new database and bucket',
      subject: table,
    });
  }
}

async function putFiles(files: readonly StoredFile[], options: RestoreOptions): Promise<void> {
  const { artifacts, input, signal, progress } = options;
  const work = await mkdtemp(join(tmpdir(), 'plinth-restore-'));
  try {
    for (const [i, { key }] of files.entries()) {
      throwIfCancelled(signal);
      // The storage takes its files over, and the backup's own stay.
      const copy = join(work, String(i));
      await copyFile(join(input, 'store', ...key.split('/')), copy);
      await artifacts.adopt(copy, key);
      progress?.(i + 1, files.length);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function readTable(tx: Queryable, name: string, input: string): Promise<void> {
  const table = `${SCHEMA}.${name}`;
  const columns = await tx.query<{ name: string; sequence: string | null }>(
    `SELECT quote_ident(attname) AS name, pg_get_serial_sequence($1, attname) AS sequence FROM pg_attribute
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`,
    [table],
  );
  const names = columns.map((column) => column.name).join(', ');
  let batch: string[] = [];
  const flush = async (): Promise<void> => {
    await tx.query(
      `INSERT INTO ${table} (${names}) OVERRIDING SYSTEM VALUE
       SELECT ${names} FROM json_populate_recordset(NULL::${table}, $1::json)`,
      [`[${batch.join(',')}]`],
    );
    batch = [];
  };
  for await (const line of createInterface({ input: createReadStream(join(input, 'database', `${name}.jsonl`)) })) {
    if (batch.push(line) === ROWS_AT_ONCE) await flush();
  }
  if (batch.length > 0) await flush();
  for (const { name: column, sequence } of columns) {
    if (sequence) await tx.query(`SELECT setval($1, coalesce(max(${column}), 0) + 1, false) FROM ${table}`, [sequence]);
  }
}

/**
 * The queue is not part of a backup: what waited gets a new place in it, and what ran begins anew, unless it was being
 * cancelled.
 */
async function queueAgain(tx: Queryable, queue: Queue): Promise<void> {
  await tx.query(
    `UPDATE ${SCHEMA}.jobs SET state = 'cancelled', finished_at = now(), cancel_requested = false
     WHERE state = 'running' AND cancel_requested`,
  );
  const jobs = await tx.query<{ id: string; priority: number; turn: number }>(
    `SELECT id, coalesce((request->>'priority')::int, 0) AS priority, turn FROM ${SCHEMA}.jobs
     WHERE state IN ('queued', 'running') ORDER BY queued_at`,
  );
  for (const { id, priority, turn } of jobs) {
    const ticket = await queue.send(tx, id, priority, turn);
    await tx.query(`UPDATE ${SCHEMA}.jobs SET state = 'queued', ticket = $2, held = false WHERE id = $1`, [id, ticket]);
  }
  await tx.query(`UPDATE ${SCHEMA}.jobs SET claim = NULL, worker = NULL, heartbeat_at = NULL WHERE claim IS NOT NULL`);
}

const invalid = (input: string, what: string, cause?: unknown): PlinthError =>
  new PlinthError('BACKUP_INVALID', {
    found: `${input} is no whole backup: ${what}`,
    expected: 'a folder that `plinth backup` made',
    subject: input,
    cause,
  });
