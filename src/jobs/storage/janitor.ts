import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../core/context.js';
import { PlinthError } from '../../core/errors.js';
import type { JobStore } from '../database/jobStore.js';
import type { ArtifactStore } from './artifactStore.js';
import { expireDirectUploads } from './directUploads.js';
import { tidyJob } from './resultCommit.js';

export interface RetentionOptions {
  /** Finished jobs older than this many days are removed; 0 = never. */
  days: number;
  /** Inputs and results together hold at most this many bytes: the oldest finished jobs go first; 0 = no limit. */
  quotaBytes: number;
}

/** Folders of uploads that nobody touched for this long are removed. */
const ABANDONED_MS = 24 * 3_600_000;
/** A work folder that was touched within this time may be of a job that just begins. */
const JUST_BEGUN_MS = 60_000;
/** Jobs that ended within this time are still tidied by their worker. */
const JUST_ENDED_SECONDS = 10;
/** Artifacts without a job are removed when the job would have been accepted long ago. */
const KEYS_KEPT_DAYS = 7;

export interface JanitorOptions extends RetentionOptions {
  store: JobStore;
  artifacts: ArtifactStore;
  /** Local folders of uploads and of work in progress. */
  incoming: string;
  workRoot: string;
  log: Logger;
}

/** Removes what has reached its age, what exceeds the quota, and what killed processes left behind. */
export class Janitor {
  constructor(private readonly options: JanitorOptions) {}

  async run(): Promise<void> {
    for (const [what, task] of [
      ['age', () => this.byAge()],
      ['quota', () => this.byQuota()],
      ['leftovers', () => this.leftovers()],
      ['direct uploads', () => expireDirectUploads(this.options.artifacts)],
    ] as const) {
      await task().catch((error) => this.options.log.warn({ err: error, what }, 'tidying up failed'));
    }
  }

  /** Removes a finished job with everything of it. */
  async removeJob(id: string): Promise<void> {
    // First the record: artifacts without a record are leftovers, a record without artifacts would be a lie.
    await this.options.store.remove(id);
    await this.options.artifacts.remove(`jobs/${id}`);
  }

  /**
   * Removes the stored input of a job that could not be accepted. Where the database does not say so, it stays: the job
   * may have been recorded although the answer was lost, and what belongs to no job is removed a day later.
   */
  async removeUnaccepted(id: string): Promise<void> {
    const { store, artifacts, log } = this.options;
    try {
      const [job] = await store.db.query('SELECT 1 FROM plinth.jobs WHERE id = $1', [id]);
      if (!job) await artifacts.remove(`jobs/${id}`);
    } catch (error) {
      log.warn({ job: id, err: error }, 'the input of a job that was not accepted could not be removed yet');
    }
  }

  private async byAge(): Promise<void> {
    const { store, days } = this.options;
    await store.db.query('DELETE FROM plinth.idempotency WHERE created_at < now() - make_interval(days => $1)', [
      KEYS_KEPT_DAYS,
    ]);
    await store.db.query(
      'DELETE FROM plinth.webhook_deliveries WHERE next_at IS NULL AND created_at < now() - make_interval(days => $1)',
      [KEYS_KEPT_DAYS],
    );
    await store.db.query("DELETE FROM plinth.workers WHERE heartbeat_at < now() - interval '10 minutes'");
    if (days === 0) return;
    const old = await store.db.query<{ id: string }>(
      'SELECT id FROM plinth.jobs WHERE finished_at < now() - make_interval(secs => $1)',
      [days * 86_400],
    );
    for (const { id } of old) await this.quietly(id, 'a job reached its age and was removed');
  }

  private async byQuota(): Promise<void> {
    const { store, quotaBytes } = this.options;
    if (quotaBytes === 0) return;
    const over = await store.db.query<{ id: string }>(
      `SELECT id FROM (
         SELECT id, finished_at, sum(result_bytes + (input->>'bytes')::double precision)
           OVER (ORDER BY (finished_at IS NULL) DESC, finished_at DESC, id) AS total FROM plinth.jobs
       ) AS held WHERE total > $1 AND finished_at IS NOT NULL`,
      [quotaBytes],
    );
    for (const { id } of over) await this.quietly(id, 'a job was removed to keep the disk quota');
  }

  private async leftovers(): Promise<void> {
    const { store, artifacts, incoming, workRoot } = this.options;
    for (const name of await readdir(incoming).catch(() => [])) {
      // Resumable uploads have an expiry of their own.
      if (name.startsWith('upload-')) continue;
      const path = join(incoming, name);
      const facts = await stat(path).catch(() => undefined);
      if (facts && Date.now() - facts.mtimeMs > ABANDONED_MS) await rm(path, { recursive: true, force: true });
    }
    for (const id of await readdir(workRoot).catch(() => [])) {
      // First the folder, then the job: what begins meanwhile has touched the one or is found running in the other.
      const facts = await stat(join(workRoot, id)).catch(() => undefined);
      if (!facts || Date.now() - facts.mtimeMs < JUST_BEGUN_MS) continue;
      if (await this.needsNoWork(id)) await rm(join(workRoot, id), { recursive: true, force: true });
    }
    // In this order: a job that is accepted after the folders were listed is among the jobs.
    const stored = await artifacts.children('jobs');
    const jobs = new Set((await store.db.query<{ id: string }>('SELECT id FROM plinth.jobs')).map((j) => j.id));
    for (const id of stored) {
      if (!jobs.has(id) && (await this.abandoned(id))) await artifacts.remove(`jobs/${id}`);
    }
  }

  /** Removes what jobs that have ended left behind, where their workers could not. */
  async tidy(): Promise<void> {
    const { store, artifacts, workRoot } = this.options;
    for (const { id, claim } of await store.untidy(JUST_ENDED_SECONDS)) {
      await rm(join(workRoot, id), { recursive: true, force: true });
      await tidyJob(artifacts, id, claim);
      await store.tidied(id);
    }
  }

  private async needsNoWork(id: string): Promise<boolean> {
    if (!/^[0-9a-f-]{36}$/.test(id)) return true;
    const [job] = await this.options.store.db.query<{ finished: boolean }>(
      'SELECT finished_at IS NOT NULL AS finished FROM plinth.jobs WHERE id = $1',
      [id],
    );
    return !job || job.finished;
  }

  /** Inputs are stored a moment before their job is recorded. */
  private async abandoned(id: string): Promise<boolean> {
    const { store, artifacts } = this.options;
    const newest = await artifacts.newest(`jobs/${id}`);
    if (newest && Date.now() - newest.getTime() < ABANDONED_MS) return false;
    if (!/^[0-9a-f-]{36}$/.test(id)) return true;
    return (await store.db.query('SELECT 1 FROM plinth.jobs WHERE id = $1', [id])).length === 0;
  }

  private async quietly(id: string, message: string): Promise<void> {
    try {
      await this.removeJob(id);
      this.options.log.info({ job: id }, message);
    } catch (error) {
      // Retried or deleted a moment ago.
      if (!(error instanceof PlinthError)) throw error;
    }
  }
}
