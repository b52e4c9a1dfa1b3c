import { PlinthError } from '../../core/errors.js';
import type { Queryable } from './database.js';

/** What one API key may use; 0 or absent = no limit. */
export interface Quotas {
  /** Jobs that wait or run. */
  jobs?: number;
  /** Jobs that run at the same time; what goes beyond waits. */
  runningJobs?: number;
  /** Bytes of the inputs and results of its jobs. */
  storedBytes?: number;
  /** Seconds that its jobs may run in a day (UTC). */
  gpuSecondsPerDay?: number;
}

/** Any number apart from the locks that others take. */
const LOCK = 7406142;

/** Until the transaction ends, others that count what this key has wait. */
export async function lockKey(tx: Queryable, key: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCK, key]);
}

/** What a key has used of its quotas. */
export interface Usage {
  /** That wait or run. */
  jobs: number;
  runningJobs: number;
  /** Of the inputs and results of its jobs. */
  storedBytes: number;
  gpuSecondsToday: number;
}

export async function usageOf(db: Queryable, key: string): Promise<Usage> {
  const [{ jobs, running }] = await db.query<{ jobs: number; running: number }>(
    `SELECT count(*)::int AS jobs, (count(*) FILTER (WHERE state = 'running'))::int AS running FROM plinth.jobs
     WHERE key = $1 AND state IN ('queued', 'running')`,
    [key],
  );
  const [storedBytes, gpuSecondsToday] = [await storedBytesOf(db, key), await gpuSecondsOf(db, key)];
  return { jobs, runningJobs: running, storedBytes, gpuSecondsToday };
}

/** Bytes of the inputs and results of all jobs of a key. */
async function storedBytesOf(db: Queryable, key: string): Promise<number> {
  const [{ sum }] = await db.query<{ sum: number }>(
    `SELECT coalesce(sum(result_bytes + (input->>'bytes')::double precision), 0)::double precision AS sum
     FROM plinth.jobs WHERE key = $1`,
    [key],
  );
  return sum;
}

/**
 * Checks what a key has used before it gets one more job. In a transaction that adds the job: others of the same key
 * wait for its end, so that many requests at once get no more than one after another would.
 * @param bytes of the new job's input
 * @throws `QUOTA_JOBS`, `QUOTA_STORAGE`, `QUOTA_GPU_TIME`
 */
export async function requireQuotas(
  tx: Queryable,
  key: string | null,
  quotas: Quotas | undefined,
  bytes: number,
): Promise<void> {
  const { jobs, storedBytes, gpuSecondsPerDay } = quotas ?? {};
  if (key === null || !(jobs || storedBytes || gpuSecondsPerDay)) return;
  await lockKey(tx, key);
  if (jobs) {
    const [{ count }] = await tx.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM plinth.jobs WHERE key = $1 AND state IN ('queued', 'running')`,
      [key],
    );
    if (count >= jobs) {
      throw new PlinthError('QUOTA_JOBS', {
        found: `${count} jobs of this API key wait or run`,
        expected: `fewer than ${jobs}`,
        remedy: 'Wait until one has ended, or cancel one',
        subject: 'quotas.jobs',
      });
    }
  }
  if (storedBytes) {
    const sum = await storedBytesOf(tx, key);
    if (sum + bytes > storedBytes) {
      throw new PlinthError('QUOTA_STORAGE', {
        found: `The jobs of this API key hold ${sum} bytes, and this one brings ${bytes}`,
        expected: `at most ${storedBytes}`,
        remedy: 'Delete jobs that are no longer needed',
        subject: 'quotas.storedBytes',
      });
    }
  }
  if (gpuSecondsPerDay) {
    const used = await gpuSecondsOf(tx, key);
    if (used >= gpuSecondsPerDay) {
      throw new PlinthError('QUOTA_GPU_TIME', {
        found: `The jobs of this API key have run for ${Math.round(used)} s today`,
        expected: `less than ${gpuSecondsPerDay} s`,
        remedy: 'Go on after midnight UTC',
        subject: 'quotas.gpuSecondsPerDay',
      });
    }
  }
}

/** Seconds that the jobs of a key have run since midnight UTC, those that run now included. */
async function gpuSecondsOf(db: Queryable, key: string): Promise<number> {
  const [{ seconds }] = await db.query<{ seconds: number }>(
    `SELECT (coalesce((SELECT gpu_seconds FROM plinth.usage WHERE key = $1 AND day = (now() AT TIME ZONE 'UTC')::date), 0)
       + coalesce((SELECT sum(greatest(0, extract(epoch FROM least(now(), heartbeat_at + interval '20 seconds') - claimed_at)))
         FROM plinth.jobs WHERE key = $1 AND state = 'running'), 0)
     )::double precision AS seconds`,
    [key],
  );
  return seconds;
}

/**
 * The turn of a key's next job (start-time fair queuing: Goyal, Vin, Cheng, 1996). Every job of a key comes one turn
 * after the one before, and a key that has none waiting begins at the turn that is being served: so keys with jobs
 * alternate, however many each has sent, and who sends one job need not wait for the thousand of another.
 */
export async function nextTurn(tx: Queryable, key: string | null): Promise<number> {
  // While API keys are off, all jobs are one client's.
  if (key === null) return 0;
  const [{ now, last }] = await tx.query<{ now: number | null; last: number | null }>(
    `SELECT (SELECT min(turn) FROM plinth.jobs WHERE state = 'queued' AND turn >= 0 AND NOT held) AS now,
            (SELECT max(turn) FROM plinth.jobs WHERE state = 'queued' AND key = $1) AS last`,
    [key],
  );
  return last === null ? (now ?? 0) : last + 1;
}
