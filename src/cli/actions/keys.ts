import type { Scope } from '../../api/scopes.js';
import { PlinthError } from '../../core/errors.js';
import { rotateSecret } from '../../jobs/webhooks/webhookStore.js';
import { createKey, listKeys, revokeKey } from '../../server/access/apiKeys.js';
import { addAudit } from '../../server/access/audit.js';
import { manage } from '../manage.js';
import type { Place } from '../place.js';
import { emit } from '../terminal.js';

/** Who works on the machine itself, in the audit log. */
const OPERATOR = { name: 'operator' };

interface CreateFlags extends Place {
  name: string;
  scope: Scope;
  project?: string;
  quotaJobs?: number;
  quotaRunningJobs?: number;
  quotaStoredBytes?: number;
  quotaGpuSeconds?: number;
}

export async function runKeysCreate(flags: CreateFlags): Promise<void> {
  const quotas = {
    jobs: flags.quotaJobs,
    runningJobs: flags.quotaRunningJobs,
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
}

export async function runKeysList(flags: Place): Promise<void> {
  const all = await manage<KeyLine[]>(flags, listKeys, (client) => client.keys());
  for (const key of all) {
    if (flags.json) emit({ ...key });
    else process.stdout.write(`${line(key)}\n`);
  }
}

export async function runKeysRevoke(id: string, flags: Place): Promise<void> {
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
}

export async function runRotateWebhookSecret(flags: Place): Promise<void> {
  const made = await manage<{ secret: string; overlapUntil: Date | string }>(
    flags,
    async (db) => {
      const rotated = await rotateSecret(db);
      await addAudit(db, { ...OPERATOR, action: 'rotateWebhookSecret' });
      return rotated;
    },
    (client) => client.rotateWebhookSecret(),
  );
  const overlapUntil = new Date(made.overlapUntil).toISOString();
  if (flags.json) emit({ secret: made.secret, overlapUntil });
  else {
    process.stderr.write(
      `Until ${overlapUntil} webhooks are signed with the one before as well. It is not shown again:\n`,
    );
    process.stdout.write(`${made.secret}\n`);
  }
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
  `${key.id}  ${key.scope.padEnd(6)}  ${key.revokedAt ? 'revoked' : 'works  '}  made ${day(key.createdAt)}, ` +
  `used ${day(key.lastUsedAt)}  ${key.name}${key.project === null ? '' : ` (${key.project})`}`;
