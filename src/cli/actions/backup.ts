import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { pino } from 'pino';
import { PlinthError } from '../../core/errors.js';
import { backup } from '../../jobs/backup/backup.js';
import type { BackupManifest } from '../../jobs/backup/backupFormat.js';
import { restore } from '../../jobs/backup/restore.js';
import type { Database } from '../../jobs/database/database.js';
import { SCHEMA } from '../../jobs/database/migrations.js';
import { openDatabase } from '../../jobs/database/openDatabase.js';
import type { ArtifactStore } from '../../jobs/storage/artifactStore.js';
import { openArtifacts } from '../../jobs/storage/openArtifacts.js';
import { serviceOptions } from '../../server/serve.js';
import type { Settings } from '../../server/settings.js';
import { settingsOf } from '../settingsOf.js';
import { bytes, cancelOnInterrupt, emit } from '../terminal.js';

export async function runBackup(output: string, options: { json?: boolean }, command: Command): Promise<void> {
  const settings = settingsOf(command).value;
  await refuseWhereNothingIs(settings);
  await withService(settings, async (db, artifacts) => {
    const signal = cancelOnInterrupt(() => {});
    const progress = counter(options.json, 'jobs');
    say(await backup({ db, artifacts, output, signal, progress }), `Saved to ${output}`, options.json);
  });
}

export async function runRestore(input: string, options: { json?: boolean }, command: Command): Promise<void> {
  await withService(settingsOf(command).value, async (db, artifacts) => {
    const signal = cancelOnInterrupt(() => {});
    const progress = counter(options.json, 'files');
    say(await restore({ db, artifacts, input, signal, progress }), `Restored from ${input}`, options.json);
  });
}

async function withService(
  settings: Settings,
  action: (db: Database, artifacts: ArtifactStore) => Promise<void>,
): Promise<void> {
  const { data, databaseUrl, storage } = serviceOptions(settings, pino({ level: 'silent' }));
  const db = await openDatabase({ url: databaseUrl, folder: data });
  try {
    await action(db, await openArtifacts(storage, data));
  } finally {
    await db.close();
  }
}

/** Opening an embedded database would make one. */
async function refuseWhereNothingIs(settings: Settings): Promise<void> {
  const { database, data } = settings;
  const there = database.url
    ? await withTables(database.url)
    : await access(join(data, 'postgres', 'PG_VERSION')).then(
        () => true,
        () => false,
      );
  if (there) return;
  throw new PlinthError('SETTINGS_INVALID', {
    found: `There is no service in ${database.url ? 'this database' : `the data folder ${data}`}`,
    expected: 'the settings that the service runs with',
    remedy: 'Give --data, or DATABASE_URL and the storage; `plinth config` prints what is set',
    subject: database.url ? 'database.url' : 'data',
  });
}

async function withTables(url: string): Promise<boolean> {
  const db = await openDatabase({ url, folder: '' });
  try {
    const [{ there }] = await db.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
      `${SCHEMA}.jobs`,
    ]);
    return there;
  } finally {
    await db.close();
  }
}

const counter = (json: boolean | undefined, what: string) => (done: number, all: number) => {
  if (!json && process.stderr.isTTY) process.stderr.write(`\r${done} of ${all} ${what}${done === all ? '\n' : ''}`);
};

function say(manifest: BackupManifest, what: string, json: boolean | undefined): void {
  if (json) {
    emit({ event: 'backup', ...manifest });
    return;
  }
  const jobs = manifest.tables.find((table) => table.name === 'jobs')?.rows ?? 0;
  process.stdout.write(`${what}: ${jobs} jobs, ${manifest.files.count} files, ${bytes(manifest.files.bytes)}\n`);
}
