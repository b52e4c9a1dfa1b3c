import { type Command, Option } from 'commander';
import { SCOPES, type Scope } from '../../api/key.js';
import { PlinthError } from '../../core/errors.js';
import { migrate } from '../../jobs/database/migrations.js';
import { openDatabase } from '../../jobs/database/openDatabase.js';
import { type ApiKey, createKey, listKeys, revokeKey } from '../../server/apiKeys.js';
import { loadSettings } from '../../server/settings.js';
import { emit } from '../terminal.js';

interface Place {
  config?: string;
  data?: string;
  databaseUrl?: string;
  json?: boolean;
}

type Database = Awaited<ReturnType<typeof openDatabase>>;

/** Opens the service's own database for the length of one action. */
async function withDatabase(place: Place, action: (db: Database) => Promise<void>): Promise<void> {
  const flags = { data: place.data, 'database.url': place.databaseUrl };
  const { data, database } = loadSettings({ flags, file: place.config }).value;
  const db = await openDatabase({ url: database.url, folder: data }).catch((error: unknown) => {
    if (!(error instanceof PlinthError) || error.code !== 'DATA_FOLDER_IN_USE') throw error;
    throw new PlinthError('DATA_FOLDER_IN_USE', {
      found: `${error.found}: most likely by the server that runs`,
      expected: 'a database that nobody uses, or PostgreSQL',
      remedy:
        'Stop the server, make the key, and start it again; a running one makes keys over HTTP: POST /v1/keys with an admin key',
      subject: error.subject,
      cause: error,
    });
  });
  try {
    await migrate(db);
    await action(db);
  } finally {
    await db.close();
  }
}

export function addKeys(program: Command): void {
  const keys = program
    .command('keys')
    .description(
      'make, list and revoke API keys: read sees everything, submit also starts and ends jobs, admin also manages keys',
    );
  const withPlace = (command: Command): Command =>
    command
      .option('--config <file>', 'settings file of the service')
      .option('--data <folder>', 'data folder of the service (PLINTH_DATA)')
      .option('--database-url <url>', 'PostgreSQL of the service (DATABASE_URL)')
      .option('--json', 'print as JSON');

  withPlace(keys.command('create').description('make a key and print it; it is not shown again'))
    .requiredOption('--name <name>', 'who or what it is for')
    .addOption(new Option('--scope <scope>', 'what it may do').choices(SCOPES).default('submit'))
    .action(async (options: Place & { name: string; scope: Scope }) => {
      const name = options.name.trim();
      if (name === '' || name.length > 100) {
        throw new PlinthError('OPTION_INVALID', {
          found: `--name has ${name.length} characters`,
          expected: '1 to 100',
          subject: 'name',
        });
      }
      await withDatabase(options, async (db) => {
        const made = await createKey(db, name, options.scope);
        if (options.json) emit({ ...made });
        // The key alone on standard output, so that a script can take it.
        else {
          process.stderr.write(`Key ${made.id} "${made.name}" with scope ${made.scope}. It is not shown again:\n`);
          process.stdout.write(`${made.key}\n`);
        }
      });
    });

  withPlace(keys.command('list').description('list the keys, without their text')).action(async (options: Place) => {
    await withDatabase(options, async (db) => {
      for (const key of await listKeys(db)) {
        if (options.json) emit({ ...key });
        else process.stdout.write(`${line(key)}\n`);
      }
    });
  });

  withPlace(
    keys.command('revoke').description('revoke a key for good').argument('<id>', 'as `plinth keys list` shows'),
  ).action(async (id: string, options: Place) => {
    await withDatabase(options, async (db) => {
      const known = (await listKeys(db)).some((key) => key.id === id && key.revokedAt === null);
      if (!known || !(await revokeKey(db, id))) {
        throw new PlinthError('OPTION_INVALID', {
          found: `There is no key ${id} that works`,
          expected: 'an id of `plinth keys list`',
          subject: 'id',
        });
      }
      process.stderr.write(`Key ${id} is revoked\n`);
    });
  });
}

const day = (date: Date | null): string => (date ? date.toISOString().slice(0, 10) : 'never');
const line = (key: ApiKey): string =>
  `${key.id}  ${key.scope.padEnd(6)}  ${key.revokedAt ? 'revoked' : 'works  '}  made ${day(key.createdAt)}, used ${day(key.lastUsedAt)}  ${key.name}`;
