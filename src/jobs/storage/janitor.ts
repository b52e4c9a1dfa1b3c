import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../core/context.js';
import { PlinthError } from '../../core/errors.js';
import type { JobStore } from '../database/jobStore.js';
import type { ArtifactStore } from './artifactStore.js';

export interface RetentionOptions {
  /** Finished jobs older than this many days are removed; 0 = never. */
  days: number;
  /** Inputs and results together hold at most this many bytes: the oldest finished jobs go first; 0 = no limit. */
  quotaBytes: number;
}

/** Folders of uploads that nobody touched for this long are removed. */
const ABANDONED_MS = 24 * 3_600_000;
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
    const jobs = await store.db.query<{ id: string; finished: boolean }>(
      'SELECT id, finished_at IS NOT NULL AS finished FROM plinth.jobs',
    );
    const finished = new Map(jobs.map((j) => [j.id, j.finished]));
    for (const id of await readdir(workRoot).catch(() => [])) {
      if (finished.get(id) !== false) await rm(join(workRoot, id), { recursive: true, force: true });
    }
    for (const id of await artifacts.children('jobs')) {
      if (!finished.has(id) && (await this.abandoned(id))) await artifacts.remove(`jobs/${id}`);
    }
  }

  /** Inputs are stored a moment before their job is recorded. */
  private async abandoned(id: string): Promise<boolean> {
    const { store, artifacts } = this.options;
    const names = await artifacts.list(`jobs/${id}`);
    const facts = names.length > 0 ? await artifacts.stat(`jobs/${id}/${names[0]}`) : undefined;
    if (facts && Date.now() - facts.modified.getTime() < ABANDONED_MS) return false;
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
