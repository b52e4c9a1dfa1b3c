import { randomBytes, randomUUID } from 'node:crypto';
import { PlinthError } from '../../core/errors.js';
import type { Database, Queryable } from '../database/database.js';
import type { JobRecord } from '../jobRecord.js';

/** How long a message is signed with the secret before the newest as well. */
const OVERLAP_HOURS = 24;

/** A webhook message that waits to be delivered. */
export interface Delivery {
  id: string;
  job: string;
  url: string;
  /** Secret of the job; absent where the installation's sign. */
  secret: string | null;
  body: string;
  /** Attempts before this one. */
  attempts: number;
}

/** A message and how its delivery went, for people. */
export interface DeliveryRecord {
  id: string;
  url: string;
  type: string;
  /** Present while another attempt is due. */
  nextAt: Date | null;
  deliveredAt: Date | null;
  createdAt: Date;
  attempts: number;
  /** HTTP status of the last answer; absent where there was none. */
  lastStatus: number | null;
  lastError: string | null;
}

/**
 * Writes the message of a job that ended, in the transaction that ends it, so that none is lost or sent for a state
 * that never came.
 */
export async function queueDelivery(tx: Queryable, job: JobRecord): Promise<void> {
  const webhook = job.request.webhook!;
  const body = JSON.stringify({
    type: `job.${job.state}`,
    timestamp: (job.finishedAt ?? new Date()).toISOString(),
    data: {
      id: job.id,
      name: job.name,
      state: job.state,
      failure: job.failure,
      runs: job.result?.runs.map(({ name, method, quality, failure }) => ({ name, method, quality, failure })) ?? [],
    },
  });
  await tx.query(
    'INSERT INTO plinth.webhook_deliveries (id, job, url, receiver, secret, body) VALUES ($1, $2, $3, $4, $5, $6)',
    [randomUUID(), job.id, webhook.url, receiverOf(webhook.url), webhook.secret ?? null, body],
  );
}

/** Who receives: messages to one host share its limit. */
export const receiverOf = (url: string): string => new URL(url).host;

/**
 * Takes one due message and sets its next attempt in the future, so that only one process sends it. `busy`: receivers
 * that have enough to do.
 */
export async function takeDelivery(
  db: Queryable,
  holdSeconds: number,
  busy: string[],
): Promise<(Delivery & { receiver: string }) | undefined> {
  const [row] = await db.query<Delivery & { receiver: string }>(
    `UPDATE plinth.webhook_deliveries SET attempts = attempts + 1, next_at = now() + make_interval(secs => $1)
     WHERE id = (SELECT id FROM plinth.webhook_deliveries WHERE next_at <= now() AND NOT receiver = ANY($2::text[])
                 ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING id, job, url, receiver, secret, body, attempts - 1 AS attempts`,
    [holdSeconds, busy],
  );
  return row;
}

/** Records how an attempt went; `nextSeconds` absent = no further attempt. */
export async function settleDelivery(
  db: Queryable,
  id: string,
  outcome: { status?: number; error?: string; nextSeconds?: number },
): Promise<void> {
  await db.query(
    `UPDATE plinth.webhook_deliveries SET last_error = $2, last_status = $4,
       delivered_at = CASE WHEN $2::text IS NULL THEN now() END,
       next_at = now() + make_interval(secs => $3::double precision) WHERE id = $1`,
    [id, outcome.error ?? null, outcome.nextSeconds ?? null, outcome.status ?? null],
  );
}

/** The messages of a job, oldest first. */
export async function listDeliveries(db: Queryable, job: string): Promise<DeliveryRecord[]> {
  return await db.query<DeliveryRecord>(
    `SELECT id, url, body::jsonb->>'type' AS type, next_at AS "nextAt", delivered_at AS "deliveredAt", created_at AS "createdAt", attempts,
       last_status AS "lastStatus", last_error AS "lastError"
     FROM plinth.webhook_deliveries WHERE job = $1 ORDER BY created_at, id`,
    [job],
  );
}

/** Sends a message again, with all its attempts, whether or not it was taken before. @throws `DELIVERY_NOT_FOUND` */
export async function redeliver(db: Queryable, job: string, id: string): Promise<void> {
  const [row] = await db.query(
    'UPDATE plinth.webhook_deliveries SET next_at = now(), attempts = 0, delivered_at = NULL WHERE id = $1 ' +
      'AND job = $2 RETURNING id',
    [id, job],
  );
  if (row) return;
  throw new PlinthError('DELIVERY_NOT_FOUND', {
    found: `Job ${job} has no webhook message ${id}`,
    remedy: 'Messages are kept for a week after their last attempt',
    subject: id,
  });
}

/** Makes a new secret of the installation. The one before signs beside it for a day. */
export async function rotateSecret(db: Database): Promise<{ secret: string; overlapUntil: Date }> {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  return await db.transaction(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock(7406142)');
    await tx.query(
      'UPDATE plinth.webhook_secrets SET expires_at = now() + make_interval(hours => $1) WHERE expires_at IS NULL',
      [OVERLAP_HOURS],
    );
    const [{ until }] = await tx.query<{ until: Date }>(
      `INSERT INTO plinth.webhook_secrets (id, secret) VALUES ($1, $2)
       RETURNING created_at + make_interval(hours => $3) AS until`,
      [randomUUID(), secret, OVERLAP_HOURS],
    );
    await tx.query('DELETE FROM plinth.webhook_secrets WHERE expires_at < now()');
    return { secret, overlapUntil: until };
  });
}

/**
 * The secrets that sign now, the newest first: rotated ones, and the setting's until a day after the first rotation.
 */
export async function installationSecrets(db: Queryable, setting: string | undefined): Promise<string[]> {
  const rows = await db.query<{ secret: string; age: number }>(
    `SELECT secret, extract(epoch FROM now() - created_at)::double precision AS age FROM plinth.webhook_secrets
     WHERE expires_at IS NULL OR expires_at > now() ORDER BY created_at DESC`,
  );
  const secrets = rows.map((row) => row.secret);
  const settled = rows.some((row) => row.age > OVERLAP_HOURS * 3600);
  return setting && !settled ? [...secrets, setting] : secrets;
}
