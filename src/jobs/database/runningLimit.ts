/**
 * How many jobs of one API key run at the same time. What goes beyond is held back without a place in the queue, so
 * that it stands in nobody's way, and gets one when a job of its key stops running.
 */
import type { Queryable } from './database.js';
import type { Queue } from './queue.js';
import { lockKey } from './quotas.js';

/** Whether the job whose ticket was just taken has to wait for others of its key; then it is held back. */
export async function holdBack(tx: Queryable, { job, ticket }: { job: string; ticket: string }): Promise<boolean> {
  const [limited] = await tx.query<{ key: string; limit: number }>(
    `SELECT key, running_limit AS limit FROM plinth.jobs
     WHERE id = $1 AND ticket = $2 AND state = 'queued' AND key IS NOT NULL AND running_limit > 0`,
    [job, ticket],
  );
  if (!limited) return false;
  // Whoever takes another job of the key, or ends one, waits: so none is counted twice, and none is held for ever.
  await lockKey(tx, limited.key);
  if ((await countRunning(tx, limited.key)) < limited.limit) return false;
  await tx.query('UPDATE plinth.jobs SET held = true, ticket = NULL WHERE id = $1', [job]);
  return true;
}

/** A job has stopped running: gives a place in the queue to those of its key that may run now. */
export async function admitHeld(tx: Queryable, queue: Queue, job: string): Promise<void> {
  const [limited] = await tx.query<{ key: string; limit: number }>(
    'SELECT key, running_limit AS limit FROM plinth.jobs WHERE id = $1 AND key IS NOT NULL AND running_limit > 0',
    [job],
  );
  if (!limited) return;
  const { key, limit } = limited;
  await lockKey(tx, key);
  const held = await tx.query<{ id: string; priority: number; turn: number }>(
    `SELECT id, coalesce((request->>'priority')::int, 0) AS priority, turn FROM plinth.jobs
     WHERE held AND state = 'queued' AND key = $1 ORDER BY priority DESC, turn, queued_at LIMIT $2`,
    [key, Math.max(0, limit - (await countRunning(tx, key)))],
  );
  for (const { id, priority, turn } of held) {
    const ticket = await queue.send(tx, id, priority, turn);
    await tx.query('UPDATE plinth.jobs SET held = false, ticket = $2 WHERE id = $1', [id, ticket]);
  }
}

async function countRunning(tx: Queryable, key: string): Promise<number> {
  const [{ count }] = await tx.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM plinth.jobs WHERE key = $1 AND state = 'running'`,
    [key],
  );
  return count;
}
