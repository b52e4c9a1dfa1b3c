import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Scope } from '../../api/scopes.js';
import { PlinthError } from '../../core/errors.js';
import { command, remedy } from '../../core/remedy.js';
import type { Database, Queryable } from '../../jobs/database/database.js';
import type { Quotas } from '../../jobs/database/quotas.js';
import { addAudit } from './audit.js';

export interface ApiKey {
  id: string;
  name: string;
  scope: Scope;
  /** Keys of one project see each other's jobs; without one a key sees its own. */
  project: string | null;
  /** In the place of the installation's. */
  quotas: Quotas;
  createdAt: Date;
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

export interface NewApiKey {
  name: string;
  scope: Scope;
  project?: string;
  quotas?: Quotas;
}

/** Who manages keys, for the audit log. */
export interface Actor {
  /** Absent: somebody with access to the machine. */
  key?: string;
  name: string;
  /** Where from. */
  address?: string;
  /** Id of the request. */
  request?: string;
}

export const COLUMNS = `id, name, scopes->>0 AS scope, project, quotas, created_at AS "createdAt", last_used_at AS "lastUsedAt",
  revoked_at AS "revokedAt"`;
/** Channel on which the id of a key that was revoked is told. */
export const REVOKED_CHANNEL = 'plinth_key';
export const KEY_PREFIX = 'plinth_';

/** Keys hold 256 random bits, so a plain hash is as good as a slow one. */
export const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');

export const randomKey = (): string => KEY_PREFIX + randomBytes(32).toString('base64url');

/** Makes a key. Its text is returned here and never again; the database holds a hash. */
export async function createKey(db: Database, key: NewApiKey, by: Actor): Promise<ApiKey & { key: string }> {
  const text = randomKey();
  return await db.transaction(async (tx) => {
    const [row] = await tx.query<ApiKey>(
      'INSERT INTO plinth.api_keys (id, name, hash, scopes, project, quotas) VALUES ($1, $2, $3, $4, $5, $6) ' +
        `RETURNING ${COLUMNS}`,
      [
        randomUUID(),
        key.name,
        hashOf(text),
        JSON.stringify([key.scope]),
        key.project ?? null,
        JSON.stringify(key.quotas ?? {}),
      ],
    );
    await addAudit(tx, { ...by, action: 'createKey', subject: row.id });
    return { ...row, key: text };
  });
}

export const listKeys = (db: Queryable): Promise<ApiKey[]> =>
  db.query<ApiKey>(`SELECT ${COLUMNS} FROM plinth.api_keys ORDER BY created_at, id`);

/**
 * Revokes a key for good, here and in every other process.
 * @param keepAdmin refuse to revoke the last key that manages keys
 * @throws `KEY_NOT_FOUND`, `KEY_LAST_ADMIN`
 */
export async function revokeKey(db: Database, id: string, by: Actor, keepAdmin: boolean): Promise<void> {
  await db.transaction(async (tx) => {
    // Two admins that revoke each other at the same moment wait for one another here.
    const admins = await tx.query<{ id: string }>(
      `SELECT id FROM plinth.api_keys WHERE revoked_at IS NULL AND scopes->>0 = 'admin' ORDER BY id FOR UPDATE`,
    );
    if (keepAdmin && admins.length === 1 && admins[0].id === id) {
      throw new PlinthError('KEY_LAST_ADMIN', {
        found: `The key ${id} is the last one that manages keys`,
        expected: 'another admin key that works',
        remedy: remedy`Make another admin key first, or revoke it on the machine of the service with ${command('keys revoke')}`,
        subject: 'id',
      });
    }
    const rows = await tx.query(
      'UPDATE plinth.api_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id',
      [id],
    );
    if (rows.length === 0) {
      throw new PlinthError('KEY_NOT_FOUND', {
        found: `There is no key ${id} that works`,
        remedy: remedy`${command('keys list')} shows them`,
        subject: 'id',
      });
    }
    await addAudit(tx, { ...by, action: 'revokeKey', subject: id });
    await tx.query(`SELECT pg_notify('${REVOKED_CHANNEL}', $1)`, [id]);
  });
}

/** Whose the jobs of a key are, in `jobs.owner`: its project's, else its own. */
export function ownerOfKey({ id, project }: Pick<ApiKey, 'id' | 'project'>): string {
  if (project === null) return id;
  // A name becomes an id of the same form: a UUID of version 8 (RFC 9562).
  const hex = createHash('sha256').update(`project:${project}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
