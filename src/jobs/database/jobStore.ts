import { randomUUID } from 'node:crypto';
import type { JobRequest } from '../../api/jobRequest.js';
import type { JobProgress } from '../../core/context.js';
import { PlinthError } from '../../core/errors.js';
import {
  type EventType,
  type Failure,
  isFinished,
  type JobEvent,
  type JobInput,
  type JobRecord,
  type JobResult,
  type JobState,
  type JobSummary,
  type ResultFile,
  thumbnailOf,
} from '../jobRecord.js';
import type { NamedRun } from '../jobRequest.js';
import { unknownUpload } from '../unknownUpload.js';
import { queueDelivery } from '../webhooks/webhookStore.js';
import type { Database, Queryable } from './database.js';
import { Gate } from './gate.js';
import { type JobFilter, listStatement, searchStatement } from './listJobs.js';
import type { Queue } from './queue.js';
import { nextTurn, type Quotas, requireQuotas } from './quotas.js';
import { admitHeld, holdBack } from './runningLimit.js';

/** Channel on which every change of a job is told: the job's id. */
export const JOB_CHANNEL = 'plinth_job';
/** Channel that wakes idle workers. */
export const WORK_CHANNEL = 'plinth_work';
/** Counts that take no longer are not kept. */
const COUNT_FREE_MS = 10;

const SUMMARY = `id, name, state, request, input, owner, key, created_at AS "createdAt", queued_at AS "queuedAt",
  started_at AS "startedAt", finished_at AS "finishedAt", ticket, claim, worker, attempt, machine_failures AS "machineFailures",
  interruptions, reduced, cancel_requested AS "cancelRequested", progress, failure, result, result_claim AS "resultClaim",
  result_bytes AS "resultBytes", result_files AS "resultFiles", thumbnail, last_event AS "lastEvent"`;
const COLUMNS = `${SUMMARY}, files`;

/**
 * Files have a column of their own, so that nobody reads them who does not ask for them. Of jobs from before that they
 * are in the result.
 */
type SummaryRow = Omit<JobSummary, 'result'> & { result: (Omit<JobResult, 'files'> & Partial<JobResult>) | null };
type JobRow = SummaryRow & { files: ResultFile[] | null };

function toSummary({ result, ...job }: SummaryRow): JobSummary {
  if (!result?.files) return { ...job, result };
  const { files, ...others } = result;
  const thumbnail = thumbnailOf({ files, best: others.best }) ?? null;
  return { ...job, result: others, resultFiles: files.length, thumbnail };
}

function toRecord({ files, ...job }: JobRow): JobRecord {
  const known = files ?? job.result?.files ?? [];
  const { result, ...summary } = toSummary(job);
  return { ...summary, result: result && { ...result, files: known } };
}

export interface NewJob {
  id: string;
  name: string;
  request: JobRequest & { runs: NamedRun[] };
  input: JobInput;
  /** Who may see it. */
  owner: string | null;
  /** API key that makes it, with what that key may use. */
  key: string | null;
  quotas?: Quotas;
  /** Direct upload that it is made of. */
  upload?: string;
  idempotency?: { owner: string; key: string; fingerprint: string };
}

/** Outcome of the idempotency check when a job is accepted. */
export interface Accepted {
  job: JobRecord;
  /** The same request was accepted before; nothing new was queued. */
  repeated: boolean;
}

/** Whose job to act on; absent means everybody's. */
export interface Claim {
  id: string;
  claim: string;
}

/** All changes of jobs. Each is one transaction, and each that a worker makes holds only while its claim does. */
export class JobStore {
  /** Many lists at once wait for each other, so that what takes the database a moment does not wait for all of them. */
  private readonly lists = new Gate(4);
  private counted: { counts: Record<JobState, number>; until: number } | undefined;

  constructor(
    readonly db: Database,
    readonly queue: Queue,
  ) {}

  /** Once this returns, the job is safe. @throws `IDEMPOTENCY_KEY_REUSED`, `UPLOAD_NOT_FOUND`, `QUOTA_…` */
  async accept(job: NewJob): Promise<Accepted> {
    return await this.db.transaction(async (tx) => {
      const { idempotency } = job;
      if (idempotency) {
        const [own] = await tx.query(
          `INSERT INTO plinth.idempotency (owner, key, fingerprint, job) VALUES ($1, $2, $3, $4)
           ON CONFLICT DO NOTHING RETURNING job`,
          [idempotency.owner, idempotency.key, idempotency.fingerprint, job.id],
        );
        if (!own) return { job: await this.repeatIn(tx, idempotency), repeated: true };
      }
      await requireQuotas(tx, job.key, job.quotas, job.input.bytes);
      const turn = await nextTurn(tx, job.key);
      const ticket = await this.queue.send(tx, job.id, job.request.priority, turn);
      // Row and first event at once: whoever submits waits for every statement.
      const { id, name, owner, key, upload } = job;
      const [row] = await tx.query<JobRow>(
        `WITH job AS (
           INSERT INTO plinth.jobs (id, name, state, request, input, owner, key, turn, upload, running_limit, ticket, last_event)
           VALUES ($1, $2, 'queued', $3, $4, $5, $6, $7, $8, $9, $10, 1)
           ON CONFLICT (upload) WHERE upload IS NOT NULL DO NOTHING RETURNING ${COLUMNS}
         ), event AS (
           INSERT INTO plinth.events (job, seq, type, data) SELECT id, 1, 'state', '{"state": "queued"}' FROM job
         ) SELECT * FROM job`,
        [
          id,
          name,
          JSON.stringify(job.request),
          JSON.stringify(job.input),
          owner,
          key,
          turn,
          upload ?? null,
          job.quotas?.runningJobs ?? null,
          ticket,
        ],
      );
      // Of requests that take one upload at the same moment, on whatever servers, one makes the job.
      if (!row) throw unknownUpload(upload!);
      await tx.query(`SELECT pg_notify('${JOB_CHANNEL}', $1), pg_notify('${WORK_CHANNEL}', '')`, [job.id]);
      return { job: toRecord(row), repeated: false };
    });
  }

  /** The job that an earlier request with this key and content made. @throws `IDEMPOTENCY_KEY_REUSED` */
  async repeated(idempotency: NonNullable<NewJob['idempotency']>): Promise<JobRecord | undefined> {
    const known = await this.knows(idempotency.owner, idempotency.key);
    return known ? await this.repeat(idempotency) : undefined;
  }

  /** Whether a request with this key was accepted before, whatever its content. */
  async knows(owner: string, key: string): Promise<boolean> {
    const rows = await this.db.query('SELECT 1 FROM plinth.idempotency WHERE owner = $1 AND key = $2', [owner, key]);
    return rows.length > 0;
  }

  /** The job of a key that is known. @throws `IDEMPOTENCY_KEY_REUSED` */
  repeat(idempotency: NonNullable<NewJob['idempotency']>): Promise<JobRecord> {
    return this.repeatIn(this.db, idempotency);
  }

  private async repeatIn(tx: Queryable, idempotency: NonNullable<NewJob['idempotency']>): Promise<JobRecord> {
    const [earlier] = await tx.query<{ fingerprint: string; job: string }>(
      'SELECT fingerprint, job FROM plinth.idempotency WHERE owner = $1 AND key = $2',
      [idempotency.owner, idempotency.key],
    );
    const job = earlier && (await get(tx, earlier.job));
    if (!job || earlier.fingerprint !== idempotency.fingerprint) {
      throw new PlinthError('IDEMPOTENCY_KEY_REUSED', {
        found:
          `Idempotency-Key "${idempotency.key}" belongs to ` +
          `${job ? 'a request with another body' : 'a job that was deleted'}`,
        remedy: 'Use a new key for every new job',
        subject: 'Idempotency-Key',
      });
    }
    return job;
  }

  /** @throws `JOB_NOT_FOUND` */
  async get(id: string): Promise<JobRecord> {
    const job = await get(this.db, id);
    if (!job) throw notFound(id);
    return job;
  }

  /** Newest first; `cursor` is the `createdAt|id` of the last job of the page before. */
  async list(filter: JobFilter): Promise<JobSummary[]> {
    return await this.lists.through(() => this.listNow(filter));
  }

  private async listNow(filter: JobFilter): Promise<JobSummary[]> {
    const limit = Math.max(1, filter.limit);
    const page = (await this.db.query<SummaryRow>(...listStatement(SUMMARY, filter))).map(toSummary);
    // Few of the newest jobs match, so few of all probably do: those are found by their names.
    if (!filter.search || page.length >= limit) return page;
    return (await this.db.query<SummaryRow>(...searchStatement(SUMMARY, filter))).map(toSummary);
  }

  /**
   * How many jobs are in each state. Counting reads an entry of an index for every job, so an answer holds for twenty
   * times as long as it took: however often it is asked for, it takes no more than a twentieth of the database's time.
   */
  async counts(): Promise<Record<JobState, number>> {
    if (this.counted && Date.now() < this.counted.until) return this.counted.counts;
    const begin = Date.now();
    const counts: Record<JobState, number> = { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 };
    const rows = await this.db.query<{ state: JobState; count: number }>(
      'SELECT state, count(*)::int AS count FROM plinth.jobs GROUP BY state',
    );
    for (const row of rows) counts[row.state] = row.count;
    this.counted = { counts, until: Date.now() + 20 * (Date.now() - begin - COUNT_FREE_MS) };
    return counts;
  }

  /** Whether at least `count` jobs wait. */
  async queuedAtLeast(count: number): Promise<boolean> {
    const rows = await this.db.query(`SELECT 1 FROM plinth.jobs WHERE state = 'queued' OFFSET $1 LIMIT 1`, [count - 1]);
    return rows.length > 0;
  }

  /** The number of the job's last event, and whether it has ended; absent when there is no such job. */
  async tail(id: string): Promise<{ lastEvent: number; finished: boolean } | undefined> {
    const [row] = await this.db.query<{ lastEvent: number; finished: boolean }>(
      `SELECT last_event AS "lastEvent", state NOT IN ('queued', 'running') AS finished FROM plinth.jobs WHERE id = $1`,
      [id],
    );
    return row;
  }

  /** Events after `seq`, oldest first. */
  async events(id: string, seq: number, limit = 500): Promise<JobEvent[]> {
    return await this.db.query<JobEvent>(
      'SELECT seq, type, data, at FROM plinth.events WHERE job = $1 AND seq > $2 ORDER BY seq LIMIT $3',
      [id, seq, limit],
    );
  }

  /**
   * Takes the next job off the queue and claims it, in one transaction: a process that dies in the middle leaves it
   * queued. Absent when there is none.
   */
  async claimNext(worker: string): Promise<JobRecord | undefined> {
    return await this.db.transaction(async (tx) => {
      // Tickets of jobs that were cancelled or deleted are void and skipped.
      for (;;) {
        const taken = await this.queue.take(tx);
        if (!taken) return undefined;
        if (await holdBack(tx, taken)) continue;
        const [row] = await tx.query<{ id: string }>(
          `UPDATE plinth.jobs SET state = 'running', claim = $3, worker = $4, heartbeat_at = now(), attempt = attempt + 1,
             ticket = NULL, started_at = coalesce(started_at, now())
           WHERE id = $1 AND ticket = $2 AND state = 'queued' RETURNING id`,
          [taken.job, taken.ticket, randomUUID(), worker],
        );
        if (!row) continue;
        const job = (await get(tx, row.id))!;
        await addEvent(tx, job.id, 'state', { state: 'running', attempt: job.attempt });
        return { ...job, lastEvent: job.lastEvent + 1 };
      }
    });
  }

  /** Keeps claims alive. Answers which of them still hold, and which of those are to be cancelled. */
  async heartbeat(claims: Claim[]): Promise<Map<string, { cancel: boolean }>> {
    const held = new Map<string, { cancel: boolean }>();
    for (const { id, claim } of claims) {
      const [row] = await this.db.query<{ cancel: boolean }>(
        `UPDATE plinth.jobs SET heartbeat_at = now() WHERE id = $1 AND claim = $2 AND state = 'running'
         RETURNING cancel_requested AS cancel`,
        [id, claim],
      );
      if (row) held.set(id, row);
    }
    return held;
  }

  /** Records progress with its event. False when the claim is lost. */
  async progress({ id, claim }: Claim, progress: JobProgress): Promise<boolean> {
    const [row] = await this.db.query(
      `WITH job AS (
         UPDATE plinth.jobs SET progress = $3::jsonb, last_event = last_event + 1, heartbeat_at = now()
         WHERE id = $1 AND claim = $2 AND state = 'running' RETURNING id, last_event
       ), event AS (
         INSERT INTO plinth.events (job, seq, type, data) SELECT id, last_event, 'progress', $3::jsonb FROM job RETURNING job
       ) SELECT pg_notify('${JOB_CHANNEL}', job::text) FROM event`,
      [id, claim, JSON.stringify(progress)],
    );
    return row !== undefined;
  }

  /** Adds an event of a running job. */
  async note({ id, claim }: Claim, type: EventType, data: Record<string, unknown>): Promise<void> {
    await this.db.query(
      `WITH job AS (
         UPDATE plinth.jobs SET last_event = last_event + 1 WHERE id = $1 AND claim = $2 AND state = 'running' RETURNING id, last_event
       ), event AS (
         INSERT INTO plinth.events (job, seq, type, data) SELECT id, last_event, $3, $4::jsonb FROM job RETURNING job
       ) SELECT pg_notify('${JOB_CHANNEL}', job::text) FROM event`,
      [id, claim, type, JSON.stringify(data)],
    );
  }

  /**
   * Ends a claimed job. False when the claim is lost: then the outcome must be thrown away. May be asked again after an
   * error, since the transaction may have come through all the same. `from`: below whose claim the result's files are
   * stored.
   */
  async finish(
    { id, claim }: Claim,
    outcome: { result: JobResult; from: string } | { failure: Failure } | 'cancelled',
  ): Promise<boolean> {
    return await this.db.transaction(async (tx) => {
      const cancelled = outcome === 'cancelled';
      const result = !cancelled && 'result' in outcome ? outcome : undefined;
      const failure = !cancelled && 'failure' in outcome ? outcome.failure : undefined;
      const state: JobState = cancelled ? 'cancelled' : result ? 'succeeded' : 'failed';
      const made = result?.result;
      const { files = [], ...others } = made ?? {};
      const [row] = await tx.query(
        `UPDATE plinth.jobs SET state = $3, finished_at = now(), claim = NULL, worker = NULL, cancel_requested = false,
           failure = $4::jsonb, result = $5::jsonb, result_claim = $6, result_bytes = $7, result_files = $8, files = $9::jsonb, thumbnail = $10,
           progress = CASE WHEN $3 = 'succeeded' THEN progress || '{"fraction": 1, "overall": 1, "remainingSeconds": 0}' ELSE progress END
         WHERE id = $1 AND claim = $2 AND state = 'running' RETURNING id`,
        [
          id,
          claim,
          state,
          failure ? JSON.stringify(failure) : null,
          made ? JSON.stringify(others) : null,
          result?.from ?? null,
          files.reduce((sum, f) => sum + f.bytes, 0),
          files.length,
          made ? JSON.stringify(files) : null,
          (made && thumbnailOf(made)) ?? null,
        ],
      );
      if (!row) {
        const [done] = await tx.query(
          `SELECT 1 FROM plinth.jobs WHERE id = $1 AND state = 'succeeded' AND result_claim = $2`,
          [id, result?.from ?? null],
        );
        return done !== undefined;
      }
      await this.ended(tx, id, state, failure);
      await admitHeld(tx, this.queue, id);
      return true;
    });
  }

  /** Records that nothing is left of a job that has ended but what belongs to it. */
  async tidied(id: string): Promise<void> {
    await this.db.query('UPDATE plinth.jobs SET tidied = true WHERE id = $1 AND finished_at IS NOT NULL', [id]);
  }

  /**
   * Jobs that ended at least `olderThan` seconds ago and may have left something behind, with the claim whose result is
   * theirs.
   */
  async untidy(olderThan: number, limit = 100): Promise<{ id: string; claim: string | null }[]> {
    return await this.db.query<{ id: string; claim: string | null }>(
      `SELECT id, result_claim AS claim FROM plinth.jobs
       WHERE NOT tidied AND finished_at IS NOT NULL AND finished_at <= now() - make_interval(secs => $1)
       ORDER BY finished_at LIMIT $2`,
      [olderThan, limit],
    );
  }

  /**
   * Puts a claimed job back into the queue: after a failure of the machine, or because the service stops. A job whose
   * cancellation was asked for is cancelled instead. False when the claim is lost.
   */
  async release(
    { id, claim }: Claim,
    why: { cause: 'machine' | 'interrupted' | 'stopping'; reduced?: boolean; failure?: Failure },
  ): Promise<boolean> {
    return await this.db.transaction(async (tx) => {
      const [row] = await tx.query<{ cancel: boolean; priority: number }>(
        `SELECT cancel_requested AS cancel, coalesce((request->>'priority')::int, 0) AS priority FROM plinth.jobs
         WHERE id = $1 AND claim = $2 AND state = 'running' FOR UPDATE`,
        [id, claim],
      );
      if (!row) return false;
      if (row.cancel) {
        await tx.query(
          `UPDATE plinth.jobs SET state = 'cancelled', finished_at = now(), claim = NULL, worker = NULL, ` +
            'cancel_requested = false WHERE id = $1',
          [id],
        );
        await this.ended(tx, id, 'cancelled');
        await admitHeld(tx, this.queue, id);
        return true;
      }
      // What was begun goes first.
      const ticket = await this.queue.send(tx, id, row.priority + 1000);
      await tx.query(
        `UPDATE plinth.jobs SET state = 'queued', queued_at = now(), claim = NULL, worker = NULL, ticket = $2,
           machine_failures = machine_failures + $3, interruptions = interruptions + $4, reduced = reduced OR $5 WHERE id = $1`,
        [id, ticket, why.cause === 'machine' ? 1 : 0, why.cause === 'interrupted' ? 1 : 0, why.reduced ?? false],
      );
      await admitHeld(tx, this.queue, id);
      await addEvent(tx, id, 'state', { state: 'queued', cause: why.cause, failure: why.failure });
      await tx.query(`SELECT pg_notify('${WORK_CHANNEL}', '')`);
      return true;
    });
  }

  /** Running jobs whose worker fell silent: `olderThan` seconds, or all (the embedded database at its start). */
  async orphans(olderThan: number | 'all'): Promise<JobRecord[]> {
    const seconds = olderThan === 'all' ? 0 : olderThan;
    const rows = await this.db.query<JobRow>(
      `SELECT ${COLUMNS} FROM plinth.jobs WHERE state = 'running' AND heartbeat_at <= now() - ` +
        'make_interval(secs => $1)',
      [seconds],
    );
    return rows.map(toRecord);
  }

  /** Cancels a queued job at once; asks the worker of a running one. @throws `JOB_NOT_FOUND`, `JOB_STATE_CONFLICT` */
  async cancel(id: string): Promise<JobRecord> {
    let ticket: string | null = null;
    const cancelled = await this.db.transaction(async (tx) => {
      const job = await lockJob(tx, id);
      if (isFinished(job.state)) throw conflict(job, 'Only a queued or running job can be cancelled');
      if (job.state === 'queued') {
        ticket = job.ticket;
        await tx.query(
          `UPDATE plinth.jobs SET state = 'cancelled', finished_at = now(), ticket = NULL, held = false WHERE id = $1`,
          [id],
        );
        await this.ended(tx, id, 'cancelled');
      } else if (!job.cancelRequested) {
        await tx.query('UPDATE plinth.jobs SET cancel_requested = true WHERE id = $1', [id]);
        await addEvent(tx, id, 'state', { state: 'running', cancelRequested: true });
        await tx.query(`SELECT pg_notify('${WORK_CHANNEL}', 'cancel')`);
      }
      return (await get(tx, id))!;
    });
    // Not in the transaction: `claimNext` locks the ticket before the job, and the other order here would be a
    // deadlock. What is left of a ticket when this fails is void.
    if (ticket) await this.queue.withdraw(ticket).catch(() => {});
    return cancelled;
  }

  /** Gives a job another name. @throws `JOB_NOT_FOUND` */
  async rename(id: string, name: string): Promise<JobRecord> {
    return await this.db.transaction(async (tx) => {
      await lockJob(tx, id);
      await tx.query('UPDATE plinth.jobs SET name = $2 WHERE id = $1', [id, name]);
      return (await get(tx, id))!;
    });
  }

  /**
   * Queues a failed or cancelled job again, on the account of the key that made it. @throws `JOB_NOT_FOUND`,
   * `JOB_STATE_CONFLICT`, `QUOTA_…`
   */
  async retry(id: string, quotas?: Quotas): Promise<JobRecord> {
    return await this.db.transaction(async (tx) => {
      const job = await lockJob(tx, id);
      if (job.state !== 'failed' && job.state !== 'cancelled')
        throw conflict(job, 'Only a failed or cancelled job can be retried');
      await requireQuotas(tx, job.key, quotas, 0);
      const turn = await nextTurn(tx, job.key);
      const ticket = await this.queue.send(tx, id, job.request.priority, turn);
      await tx.query(
        `UPDATE plinth.jobs SET state = 'queued', queued_at = now(), started_at = NULL, finished_at = NULL, failure = NULL, progress = NULL, tidied = false,
           ticket = $2, turn = $3, running_limit = $4, machine_failures = 0, interruptions = 0 WHERE id = $1`,
        [id, ticket, turn, quotas?.runningJobs ?? null],
      );
      await addEvent(tx, id, 'state', { state: 'queued' });
      await tx.query(`SELECT pg_notify('${WORK_CHANNEL}', '')`);
      return (await get(tx, id))!;
    });
  }

  /**
   * Removes the record of a finished job; its artifacts are the caller's to remove. @throws `JOB_NOT_FOUND`,
   * `JOB_STATE_CONFLICT`
   */
  async remove(id: string): Promise<void> {
    await this.db.transaction(async (tx) => {
      const job = await lockJob(tx, id);
      if (!isFinished(job.state)) throw conflict(job, 'Cancel it first');
      await tx.query('DELETE FROM plinth.jobs WHERE id = $1', [id]);
      await tx.query(`SELECT pg_notify('${JOB_CHANNEL}', $1)`, [id]);
    });
  }

  private async ended(tx: Queryable, id: string, state: JobState, failure?: Failure): Promise<void> {
    await addEvent(tx, id, 'state', { state, failure });
    const job = (await get(tx, id))!;
    if (job.request.webhook) await queueDelivery(tx, job);
  }
}

async function get(db: Queryable, id: string): Promise<JobRecord | undefined> {
  const [row] = await db.query<JobRow>(`SELECT ${COLUMNS} FROM plinth.jobs WHERE id = $1`, [id]);
  return row && toRecord(row);
}

async function lockJob(tx: Queryable, id: string): Promise<JobRecord> {
  const [row] = await tx.query<JobRow>(`SELECT ${COLUMNS} FROM plinth.jobs WHERE id = $1 FOR UPDATE`, [id]);
  if (!row) throw notFound(id);
  return toRecord(row);
}

/** The job's row is locked by the update, so numbers have no gaps and commit in their order. */
async function addEvent(tx: Queryable, id: string, type: EventType, data: Record<string, unknown>): Promise<void> {
  await tx.query(
    `WITH job AS (UPDATE plinth.jobs SET last_event = last_event + 1 WHERE id = $1 RETURNING last_event)
     INSERT INTO plinth.events (job, seq, type, data) SELECT $1, last_event, $2, $3::jsonb FROM job`,
    [id, type, JSON.stringify(data)],
  );
  await tx.query(`SELECT pg_notify('${JOB_CHANNEL}', $1)`, [id]);
}

/** `JOB_NOT_FOUND`, for what is not there and for what the asker may not see. */
export const notFound = (id: string): PlinthError =>
  new PlinthError('JOB_NOT_FOUND', {
    found: `There is no job ${id}`,
    remedy: 'It may have been deleted or have reached its age; `GET /v1/jobs` lists what is there',
    subject: id,
  });

const conflict = (job: JobRecord, remedy: string): PlinthError =>
  new PlinthError('JOB_STATE_CONFLICT', { found: `Job ${job.id} is ${job.state}`, remedy, subject: job.id });
