import { randomUUID } from 'node:crypto';
import { toFailureResource } from '../../api/remedy.js';
import type { Queryable } from '../database/database.js';
import type { JobRecord } from '../jobRecord.js';

/** A webhook message that waits to be delivered. */
export interface Delivery {
  id: string;
  job: string;
  url: string;
  secret: string;
  body: string;
  /** Attempts before this one. */
  attempts: number;
}

/**
 * Writes the message of a job that ended, in the transaction that ends it, so that none is lost or sent for a state that never came.
 * Without a secret of the job or the installation there is nothing to sign with; such requests are refused on acceptance.
 */
export async function queueDelivery(
  tx: Queryable,
  job: JobRecord,
  installationSecret: string | undefined,
): Promise<void> {
  const webhook = job.request.webhook!;
  const secret = webhook.secret ?? installationSecret;
  if (!secret) return;
  const body = JSON.stringify({
    type: `job.${job.state}`,
    timestamp: (job.finishedAt ?? new Date()).toISOString(),
    data: {
      id: job.id,
      name: job.name,
      state: job.state,
      failure: job.failure && toFailureResource(job.failure),
      runs:
        job.result?.runs.map(({ name, method, quality, failure }) => ({
          name,
          method,
          quality,
          failure: failure && toFailureResource(failure),
        })) ?? [],
    },
  });
  await tx.query('INSERT INTO plinth.webhook_deliveries (id, job, url, secret, body) VALUES ($1, $2, $3, $4, $5)', [
    randomUUID(),
    job.id,
    webhook.url,
    secret,
    body,
  ]);
}

/** Takes one due message and sets its next attempt in the future, so that only one process sends it. */
export async function takeDelivery(db: Queryable, holdSeconds: number): Promise<Delivery | undefined> {
  const [row] = await db.query<Delivery>(
    `UPDATE plinth.webhook_deliveries SET attempts = attempts + 1, next_at = now() + make_interval(secs => $1)
     WHERE id = (SELECT id FROM plinth.webhook_deliveries WHERE next_at <= now() ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING id, job, url, secret, body, attempts - 1 AS attempts`,
    [holdSeconds],
  );
  return row;
}

/** Records how an attempt went; `nextSeconds` absent = no further attempt. */
export async function settleDelivery(
  db: Queryable,
  id: string,
  outcome: { error?: string; nextSeconds?: number },
): Promise<void> {
  await db.query(
    `UPDATE plinth.webhook_deliveries SET last_error = $2, delivered_at = CASE WHEN $2::text IS NULL THEN now() END,
       next_at = now() + make_interval(secs => $3::double precision) WHERE id = $1`,
    [id, outcome.error ?? null, outcome.nextSeconds ?? null],
  );
}
