import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Logger } from '../core/context.js';
import { ownDataFolder } from '../platform/dataFolder.js';
import { moduleUrl } from '../platform/modules.js';
import type { Database } from './database/database.js';
import { EventHub } from './database/eventHub.js';
import { JobStore } from './database/jobStore.js';
import { indexNames, migrate } from './database/migrations.js';
import { openDatabase } from './database/openDatabase.js';
import { Queue } from './database/queue.js';
import type { ArtifactStore } from './storage/artifactStore.js';
import { DiskBudget } from './storage/diskBudget.js';
import { Janitor } from './storage/janitor.js';
import { openArtifacts, type StorageChoice } from './storage/openArtifacts.js';
import { type WebhookOptions, WebhookSender } from './webhooks/webhooks.js';
import type { AttemptEnd } from './worker/attempt.js';
import type { ReadLimits } from './worker/engine.js';
import { endLeftovers } from './worker/leftovers.js';
import { recoverOrphans, SILENT_SECONDS, WorkerPool } from './worker/workerPool.js';

export interface ServiceOptions {
  /** Folder of everything local. */
  data: string;
  databaseUrl?: string;
  storage: StorageChoice;
  /** One worker process for each entry; empty = this process only serves the API. */
  adapters: (string | number | undefined)[];
  /** URL of the engine module. Default: Plinth's own. */
  engine?: string;
  timeLimitSeconds: number;
  stallSeconds: number;
  maxAttempts: number;
  limits: ReadLimits;
  retention: { days: number; quotaBytes: number; minimumFreeBytes: number };
  webhooks: WebhookOptions;
  log: Logger;
  onEnd?: (end: AttemptEnd) => void;
}

const ORPHANS_MS = 5_000;
const JANITOR_MS = 10 * 60_000;

/**
 * Everything about jobs that the HTTP server and `plinth worker` share: database, queue, storage, workers and
 * housekeeping.
 */
export interface JobService {
  db: Database;
  store: JobStore;
  artifacts: ArtifactStore;
  events: EventHub;
  janitor: Janitor;
  pool: WorkerPool;
  /** Local folder of uploads on their way. */
  incoming: string;
  /** The free disk of the data folder and, where it is one, of the storage folder. */
  disk: DiskBudget;
  /** Begins to take jobs. */
  start(): Promise<void>;
  /** Stops within `graceMs`: running jobs reach a point to resume from and go back into the queue. */
  close(graceMs?: number): Promise<void>;
}

/**
 * @throws `DATA_FOLDER_FOREIGN`, `DATA_FOLDER_IN_USE`, `DATABASE_UNAVAILABLE`, `DATABASE_TOO_NEW`,
 * `STORAGE_UNAVAILABLE`
 */
export async function openService(options: ServiceOptions): Promise<JobService> {
  const { log } = options;
  const data = resolve(options.data);
  const incoming = join(data, 'incoming');
  const workRoot = join(data, 'work');
  await ownDataFolder(data);
  await mkdir(incoming, { recursive: true });
  await mkdir(workRoot, { recursive: true });
  const db = await openDatabase({ url: options.databaseUrl, folder: data });
  try {
    const artifacts = await openArtifacts(options.storage, data);
    await migrate(db);
    if (!(await indexNames(db)))
      log.warn({}, 'the database has no pg_trgm: searches in the names of many jobs are slow');
    const queue = await Queue.open(db, (error) => log.warn({ err: error }, 'the queue reported an error'));
    const store = new JobStore(db, queue);
    const local = artifacts.kind === 'folder' ? [data, artifacts.place] : [data];
    const disk = new DiskBudget(local, options.retention.minimumFreeBytes);
    const events = new EventHub();
    await events.open(db);
    const janitor = new Janitor({ ...options.retention, store, artifacts, incoming, workRoot, log });
    const pool = new WorkerPool({
      store,
      artifacts,
      disk,
      workRoot,
      data,
      log,
      adapters: options.adapters,
      engine: options.engine ?? defaultEngine(),
      timeLimitSeconds: options.timeLimitSeconds,
      stallSeconds: options.stallSeconds,
      maxAttempts: options.maxAttempts,
      limits: options.limits,
      shared: db.kind === 'postgres',
      onEnd: options.onEnd ?? (() => {}),
    });
    const webhooks = new WebhookSender(db, options.webhooks, log);
    const timers: NodeJS.Timeout[] = [];
    let recovering = false;
    const recover = async (): Promise<void> => {
      if (recovering) return;
      recovering = true;
      await recoverOrphans({ store, log }, SILENT_SECONDS, pool.running())
        .catch((error) => log.warn({ err: error }, 'jobs without a worker could not be looked up'))
        .finally(() => {
          recovering = false;
        });
    };
    let tidying = false;
    const tidy = async (): Promise<void> => {
      if (tidying) return;
      tidying = true;
      await janitor
        .tidy()
        .catch((error) => log.warn({ err: error }, 'what jobs left behind could not be removed'))
        .finally(() => {
          tidying = false;
        });
    };
    return {
      db,
      store,
      artifacts,
      events,
      janitor,
      pool,
      incoming,
      disk,
      async start() {
        // What outlived its service still burns the device, and would write beside its successor.
        const { pools, ended } = await endLeftovers(data);
        if (ended.length > 0) log.warn({ pids: ended }, 'worker processes that outlived their service were ended');
        // Nobody else can be working on the embedded database's jobs.
        await recoverOrphans({ store, log }, db.kind === 'embedded' ? 'all' : { pools });
        await recoverOrphans({ store, log }, SILENT_SECONDS);
        await pool.start();
        webhooks.start();
        timers.push(
          setInterval(() => void recover(), ORPHANS_MS),
          setInterval(() => void tidy(), ORPHANS_MS),
          setInterval(() => void janitor.run(), JANITOR_MS),
        );
        void janitor.run();
      },
      async close(graceMs = 8_000) {
        for (const timer of timers) clearInterval(timer);
        await pool.close(graceMs);
        await webhooks.close();
        await events.close();
        await queue.close();
        await db.close();
      },
    };
  } catch (error) {
    await db.close();
    throw error;
  }
}

const defaultEngine = (): string => moduleUrl(new URL('./worker/reconstructEngine', import.meta.url)).href;
