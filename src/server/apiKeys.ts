import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { SCOPES, type Scope } from '../api/key.js';
import { PlinthError } from '../core/errors.js';
import { command, remedy } from '../core/remedy.js';
import type { Database } from '../jobs/database/database.js';

export interface ApiKey {
  id: string;
  name: string;
  scope: Scope;
  createdAt: Date;
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

const COLUMNS = `id, name, scopes->>0 AS scope, created_at AS "createdAt", last_used_at AS "lastUsedAt", revoked_at AS "revokedAt"`;
const PREFIX = 'plinth_';
/** A key that was found is not looked up again for this long; a revoked one works no longer than that elsewhere. */
const CACHE_MS = 5_000;
const CACHE_ENTRIES = 1000;

/** Keys hold 256 random bits, so a plain hash is as good as a slow one. */
const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');

/** Makes a key. Its text is returned here and never again; the database holds a hash. */
export async function createKey(db: Database, name: string, scope: Scope): Promise<ApiKey & { key: string }> {
  const key = PREFIX + randomBytes(32).toString('base64url');
  const [row] = await db.query<ApiKey>(
    `INSERT INTO plinth.api_keys (id, name, hash, scopes) VALUES ($1, $2, $3, $4) RETURNING ${COLUMNS}`,
    [randomUUID(), name, hashOf(key), JSON.stringify([scope])],
  );
  return { ...row, key };
}

export const listKeys = (db: Database): Promise<ApiKey[]> =>
  db.query<ApiKey>(`SELECT ${COLUMNS} FROM plinth.api_keys ORDER BY created_at`);

/** False when there is no such key that still works. */
export async function revokeKey(db: Database, id: string): Promise<boolean> {
  const rows = await db.query(
    'UPDATE plinth.api_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id',
    [id],
  );
  return rows.length > 0;
}

/** Looks keys up, with a short memory. */
export class KeyRing {
  private readonly seen = new Map<string, { key: ApiKey | undefined; until: number }>();

  constructor(private readonly db: Database) {}

  /** @throws `UNAUTHENTICATED`, `FORBIDDEN` */
  async require(text: string | undefined, scope: Scope): Promise<ApiKey> {
    const key = text === undefined ? undefined : await this.find(text);
    if (!key) {
      throw new PlinthError('UNAUTHENTICATED', {
        found: text === undefined ? 'The request has no API key' : 'The API key is unknown or revoked',
        expected: 'header `Authorization: Bearer <key>`',
        remedy: remedy`Make a key with ${command('keys create')}`,
      });
    }
    if (SCOPES.indexOf(key.scope) < SCOPES.indexOf(scope)) {
      throw new PlinthError('FORBIDDEN', {
        found: `The API key "${key.name}" has scope ${key.scope}`,
        expected: `scope ${scope}`,
        remedy: 'Use a key with that scope',
      });
    }
    return key;
  }

  /** Forgets what it knows, after a key was revoked here. */
  forget(): void {
    this.seen.clear();
  }

  private async find(text: string): Promise<ApiKey | undefined> {
    if (!text.startsWith(PREFIX) || text.length > 200) return undefined;
    const hash = hashOf(text);
    const known = this.seen.get(hash);
    if (known && known.until > Date.now()) return known.key;
    const [key] = await this.db.query<ApiKey>(
      `UPDATE plinth.api_keys SET last_used_at = now() WHERE hash = $1 AND revoked_at IS NULL RETURNING ${COLUMNS}`,
      [hash],
    );
    if (this.seen.size >= CACHE_ENTRIES) this.seen.clear();
    this.seen.set(hash, { key, until: Date.now() + CACHE_MS });
    return key;
  }
}
