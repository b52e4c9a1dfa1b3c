import type { Queryable } from '../../jobs/database/database.js';

/** Something that somebody did. */
export interface AuditEntry {
  /** API key; absent while keys are off, and for whoever works on the machine itself. */
  key?: string;
  /** Name of the key, `operator`, or `anybody` while keys are off. */
  name: string;
  /** Operation of the API, such as `submitJob`. */
  action: string;
  /** Id of what it was done to. */
  subject?: string;
  /** Where from. */
  address?: string;
  /** Id of the request, as in the log. */
  request?: string;
  /** Code of the error, where it was refused. */
  refusal?: string;
  /** How many like it there were; 1 where it is absent. */
  times?: number;
}

export interface AuditRecord {
  id: string;
  at: Date;
  key: string | null;
  name: string;
  action: string;
  subject: string | null;
  address: string | null;
  request: string | null;
  refusal: string | null;
  times: number;
}

/** Writes an entry; in the transaction of what was done where there is one. Answers its id. */
export async function addAudit(db: Queryable, entry: AuditEntry): Promise<string> {
  const { key, name, action, subject, address, request, refusal, times = 1 } = entry;
  const [{ id }] = await db.query<{ id: string }>(
    `INSERT INTO plinth.audit (key, name, action, subject, address, request, refusal, times)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id::text AS id`,
    [key ?? null, name, action, subject ?? null, address ?? null, request ?? null, refusal ?? null, times],
  );
  return id;
}

/** Says of an entry how many like it there were. */
export async function countAudit(db: Queryable, id: string, times: number): Promise<void> {
  await db.query('UPDATE plinth.audit SET times = $2 WHERE id = $1::bigint', [id, times]);
}

/** Entries, newest first; `before` is the id of the last one of the page before. */
export async function listAudit(
  db: Queryable,
  filter: { limit: number; before?: string; action?: string; key?: string; refused?: boolean },
): Promise<AuditRecord[]> {
  const values: unknown[] = [];
  const where: string[] = ['true'];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  if (filter.before) where.push(`id < ${bind(filter.before)}::bigint`);
  if (filter.action) where.push(`action = ${bind(filter.action)}`);
  if (filter.key) where.push(`key = ${bind(filter.key)}::uuid`);
  if (filter.refused !== undefined) where.push(`refusal IS ${filter.refused ? 'NOT NULL' : 'NULL'}`);
  return await db.query<AuditRecord>(
    `SELECT id::text AS id, at, key, name, action, subject, address, request, refusal, times FROM plinth.audit
     WHERE ${where.join(' AND ')} ORDER BY plinth.audit.id DESC LIMIT ${bind(filter.limit)}`,
    values,
  );
}

/** Removes entries that are older. */
export async function pruneAudit(db: Queryable, days: number): Promise<void> {
  if (days > 0) await db.query('DELETE FROM plinth.audit WHERE at < now() - make_interval(days => $1)', [days]);
}
