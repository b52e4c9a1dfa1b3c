import { type Command, Option } from 'commander';
import { SCOPES, type Scope } from '../../api/key.js';
import { PlinthError } from '../../core/errors.js';
import { createKey, listKeys, revokeKey } from '../../server/access/apiKeys.js';
import { manage, type Place, withPlace } from '../manage.js';
import { emit, numberFlag } from '../terminal.js';

/** Who works on the machine itself, in the audit log. */
const OPERATOR = { name: 'operator' };

interface CreateFlags extends Place {
  name: string;
  scope: Scope;
  project?: string;
  quotaJobs?: number;
  quotaStoredBytes?: number;
  quotaGpuSeconds?: number;
}

export function addKeys(program: Command): void {
  const keys = program
    .command('keys')
    .description(
      'make, list and revoke API keys, also while the service runs: read sees jobs, submit also starts and ends them, admin sees all jobs and manages keys',
    );

  withPlace(keys.command('create').description('make a key and print it; it is not shown again'))
    .requiredOption('--name <name>', 'who or what it is for')
    .addOption(new Option('--scope <scope>', 'what it may do').choices(SCOPES).default('submit'))
    .option('--project <name>', "keys of one project see each other's jobs; without one a key sees its own")
    .option('--quota-jobs <n>', 'jobs that may wait or run', numberFlag('--quota-jobs'))
    .option('--quota-stored-bytes <n>', 'bytes that its jobs may hold', numberFlag('--quota-stored-bytes'))
    .option('--quota-gpu-seconds <n>', 'seconds that its jobs may run in a day', numberFlag('--quota-gpu-seconds'))
    .action(async (flags: CreateFlags) => {
      const quotas = {
        jobs: flags.quotaJobs,
        storedBytes: flags.quotaStoredBytes,
        gpuSecondsPerDay: flags.quotaGpuSeconds,
      };
      for (const [name, value] of Object.entries({ name: flags.name, project: flags.project ?? 'none' })) {
        if (value.trim() !== '' && value.trim().length <= 100) continue;
        throw new PlinthError('OPTION_INVALID', {
          found: `--${name} has ${value.trim().length} characters`,
          expected: '1 to 100',
          subject: name,
        });
      }
      const [wrong] = Object.entries(quotas).filter(([, n]) => n !== undefined && !(Number.isInteger(n) && n >= 0));
      if (wrong) {
        throw new PlinthError('OPTION_INVALID', {
          found: `The quota ${wrong[0]} is ${wrong[1]}`,
          expected: 'a whole number of 0 or more; 0 = no limit',
          subject: wrong[0],
        });
      }
      const key = { name: flags.name.trim(), scope: flags.scope, project: flags.project?.trim(), quotas };
      const made = await manage<{ id: string; name: string; scope: Scope; key: string }>(
        flags,
        (db) => createKey(db, key, OPERATOR),
        (client) => client.createKey(key.name, key.scope, { project: key.project, quotas }),
      );
      if (flags.json) emit({ ...made });
      // The key alone on standard output, so that a script can take it.
      else {
        process.stderr.write(`Key ${made.id} "${made.name}" with scope ${made.scope}. It is not shown again:\n`);
        process.stdout.write(`${made.key}\n`);
      }
    });

  withPlace(keys.command('list').description('list the keys, without their text')).action(async (flags: Place) => {
    const all = await manage<KeyLine[]>(flags, listKeys, (client) => client.keys());
    for (const key of all) {
      if (flags.json) emit({ ...key });
      else process.stdout.write(`${line(key)}\n`);
    }
  });

  withPlace(
    keys.command('revoke').description('revoke a key for good').argument('<id>', 'as `plinth keys list` shows'),
  ).action(async (id: string, flags: Place) => {
    if (!/^[0-9a-f-]{36}$/i.test(id)) {
      throw new PlinthError('KEY_NOT_FOUND', {
        found: `There is no key ${id} that works`,
        expected: 'an id of `plinth keys list`',
        subject: 'id',
      });
    }
    await manage(
      flags,
      (db) => revokeKey(db, id, OPERATOR, false),
      (client) => client.revokeKey(id),
    );
    process.stderr.write(`Key ${id} is revoked\n`);
  });
}

interface KeyLine {
  id: string;
  name: string;
  scope: Scope;
  project: string | null;
  createdAt: Date | string;
  lastUsedAt: Date | string | null;
  revokedAt: Date | string | null;
}

const day = (date: Date | string | null): string => (date ? new Date(date).toISOString().slice(0, 10) : 'never');
const line = (key: KeyLine): string =>
  `${key.id}  ${key.scope.padEnd(6)}  ${key.revokedAt ? 'revoked' : 'works  '}  made ${day(key.createdAt)}, used ${day(key.lastUsedAt)}  ${key.name}${key.project === null ? '' : ` (${key.project})`}`;
