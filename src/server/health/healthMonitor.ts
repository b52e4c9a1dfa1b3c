import { ERROR_CODES } from '../../core/errors.js';
import { VERSION } from '../../core/version.js';
import type { JobState } from '../../jobs/jobRecord.js';
import type { JobService } from '../../jobs/service.js';
import type { AttemptEnd } from '../../jobs/worker/attempt.js';
import type { ProbeReport } from '../../jobs/worker/engine.js';
import type { SlotState } from '../../jobs/worker/workerPool.js';
import type { GpuFigures, HealthSource } from './healthSource.js';

/** A small compute job runs this often on idle workers, so that a dead driver shows within half a minute. */
const PROBE_EVERY_MS = 10_000;
const PROBE_TIMEOUT_MS = 10_000;
/** Asked more often, `/health` answers with what it found this long ago. */
const FRESH_MS = 1_000;
const QUERY_TIMEOUT_MS = 3_000;
/** A worker elsewhere that has not been heard of for this long is gone. */
const WORKER_SILENT_SECONDS = 25;

export interface SelfTest {
  ok: boolean;
  seconds: number;
  at: Date;
  failure?: ProbeReport['failure'];
}

export interface RemoteWorker {
  id: string;
  host: string;
  version: string;
  /** Of this process. */
  own: boolean;
  silentSeconds: number;
  slots: SlotState[];
}

export interface HealthReport {
  healthy: boolean;
  /** Why not, in words. */
  reasons: string[];
  version: string;
  uptimeSeconds: number;
  facts: Record<string, unknown>;
  gpus: GpuFigures[];
  workers: RemoteWorker[];
  selfTest: SelfTest | undefined;
  jobs: Record<JobState, number> | undefined;
  disk: { free: number; total: number } | undefined;
}

/**
 * Attempts in a row, of more than one job, that failed by the machine before the machine is called broken, and how long
 * that holds.
 */
const FAILURES_IN_A_ROW = 3;
const FAILURES_HOLD_MS = 10 * 60_000;

const NO_JOBS = { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 };

/**
 * Watches the parts that the service needs, and answers from what it saw a moment ago, so that any number of askers
 * costs no more than one.
 */
export class HealthMonitor {
  private selfTest: SelfTest | undefined;
  private last: { report: HealthReport; at: number } | undefined;
  private looking: Promise<HealthReport> | undefined;
  private probing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly begin = Date.now();
  /** Attempts here that failed by the machine since one ended otherwise. */
  private failures: { job: string; code: string; at: number }[] = [];

  constructor(
    private readonly service: JobService,
    private readonly source: HealthSource,
    private readonly options: { onSelfTest?: (test: SelfTest) => void } = {},
  ) {}

  /** Every attempt that ends here is told: a GPU that passes the small test and fails every job is not healthy. */
  attempt({ job, state, failure }: Pick<AttemptEnd, 'job' | 'state' | 'failure'>): void {
    if (failure && ERROR_CODES[failure.code][0] === 'machine') {
      this.failures.push({ job: job.id, code: failure.code, at: Date.now() });
    } else if (state === 'succeeded' || failure) this.failures = [];
  }

  start(): void {
    void this.probe();
    this.timer = setInterval(() => void this.probe(), PROBE_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  async report(): Promise<HealthReport> {
    if (this.last && Date.now() - this.last.at < FRESH_MS) return this.last.report;
    this.looking ??= this.look().finally(() => {
      this.looking = undefined;
    });
    // Whoever asks meanwhile gets the last answer unless it is too old to be true.
    if (this.last && Date.now() - this.last.at < 5 * FRESH_MS) return this.last.report;
    return await this.looking;
  }

  /** Like `report`, after a small compute job that is no older than a few seconds. */
  async ready(): Promise<HealthReport> {
    const age = this.selfTest ? Date.now() - this.selfTest.at.getTime() : Number.POSITIVE_INFINITY;
    if (age > PROBE_EVERY_MS / 2) await this.probe();
    this.last = undefined;
    const report = await this.report();
    // A worker that is only starting has proved nothing yet.
    const slots = this.service.pool.states();
    if (this.selfTest || slots.length === 0 || slots.some((slot) => slot.state === 'busy')) return report;
    return { ...report, healthy: false, reasons: [...report.reasons, 'No self-test has been run yet'] };
  }

  private probe(): Promise<void> {
    this.probing ??= this.runProbe().finally(() => {
      this.probing = undefined;
    });
    return this.probing;
  }

  private async runProbe(): Promise<void> {
    const reports = (await this.service.pool.probe(PROBE_TIMEOUT_MS)).filter((r) => r !== 'busy');
    // Work that makes progress proves the device; a worker that makes none shows as stalled.
    if (reports.length === 0) return;
    const bad = reports.find((r) => !r.ok);
    this.selfTest = {
      ok: !bad,
      seconds: Math.max(...reports.map((r) => r.seconds)),
      at: new Date(),
      failure: bad?.failure,
    };
    this.options.onSelfTest?.(this.selfTest);
  }

  private async look(): Promise<HealthReport> {
    const reasons: string[] = [];
    const { store, pool } = this.service;
    const silently = async <T>(what: string, asked: Promise<T>): Promise<T | undefined> => {
      try {
        return await withTimeout(asked, QUERY_TIMEOUT_MS);
      } catch (error) {
        reasons.push(`${what}: ${(error as Error).message}`);
        return undefined;
      }
    };
    const [jobs, rows, gpus, disk] = await Promise.all([
      silently('The database does not answer', store.counts()),
      silently('The workers cannot be listed', this.workers()),
      silently('The GPU figures cannot be read', this.source.live(QUERY_TIMEOUT_MS)),
      silently('The disk cannot be read', this.service.disk.space()),
    ]);
    const shortage = disk && this.service.disk.shortageOf(disk.free);
    if (shortage) reasons.push(`Too little disk: ${shortage.found}, ${shortage.expected}`);
    for (const gpu of gpus ?? []) if (gpu.error) reasons.push(`GPU ${gpu.index}: ${gpu.error}`);
    for (const [i, slot] of pool.states().entries()) {
      if (slot.state === 'broken') reasons.push(`Worker ${i} is broken: ${slot.failure?.message}`);
      if (slot.state === 'stalled') {
        reasons.push(
          `Worker ${i} is stalled: job ${slot.job} made no progress for ${Math.round(slot.silentSeconds ?? 0)} s`,
        );
      }
    }
    const elsewhere = (rows ?? []).filter((w) => !w.own).flatMap((w) => w.slots);
    const sick = elsewhere.filter((slot) => slot.state === 'broken' || slot.state === 'stalled');
    if (pool.states().length === 0 && sick.length > 0 && sick.length === elsewhere.length) {
      reasons.push(`Every worker is broken or stalled: ${sick[0].failure?.message ?? 'no progress'}`);
    }
    const recent = this.failures.slice(-FAILURES_IN_A_ROW);
    const jobsHit = new Set(recent.map((f) => f.job)).size;
    if (recent.length === FAILURES_IN_A_ROW && jobsHit > 1 && Date.now() - recent[0].at < FAILURES_HOLD_MS) {
      const codes = [...new Set(recent.map((f) => f.code))].join(', ');
      reasons.push(`The last ${FAILURES_IN_A_ROW} attempts, at ${jobsHit} jobs, failed by the machine: ${codes}`);
    }
    if (this.selfTest && !this.selfTest.ok) reasons.push(`The self-test failed: ${this.selfTest.failure?.message}`);
    const report: HealthReport = {
      healthy: reasons.length === 0,
      reasons,
      version: VERSION,
      uptimeSeconds: (Date.now() - this.begin) / 1000,
      facts: this.source.facts(),
      gpus: gpus ?? [],
      workers: rows ?? [],
      selfTest: this.selfTest,
      jobs: jobs ?? (reasons.length > 0 ? undefined : NO_JOBS),
      disk,
    };
    this.last = { report, at: Date.now() };
    return report;
  }

  private async workers(): Promise<RemoteWorker[]> {
    const { db, pool } = this.service;
    const rows = await db.query<{
      id: string;
      host: string;
      version: string;
      silent: number;
      facts: { slots: SlotState[] };
    }>(
      `SELECT id, host, version, facts, extract(epoch FROM now() - heartbeat_at)::double precision AS silent FROM plinth.workers
       WHERE heartbeat_at > now() - make_interval(secs => $1) ORDER BY started_at, id`,
      [WORKER_SILENT_SECONDS],
    );
    return rows.map(({ id, host, version, silent, facts }) => {
      const own = id === pool.id;
      return { id, host, version, own, silentSeconds: own ? 0 : silent, slots: own ? pool.states() : facts.slots };
    });
  }
}

async function withTimeout<T>(asked: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
