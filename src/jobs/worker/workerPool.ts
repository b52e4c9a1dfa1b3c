import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { toFailure } from '../../core/errors.js';
import { command, remedy } from '../../core/remedy.js';
import { VERSION } from '../../core/version.js';
import { WORK_CHANNEL } from '../database/jobStore.js';
import type { Failure, JobRecord } from '../jobRecord.js';
import { Attempt, type AttemptEnd, type RunnerOptions } from './attempt.js';
import type { ProbeReport } from './engine.js';
import { ProcessNotes } from './leftovers.js';
import { WorkerProcess } from './workerProcess.js';

/** Idle workers look for work at least this often; a notification wakes them at once. */
const POLL_MS = 2_000;
const HEARTBEAT_MS = 5_000;
/** A running job whose heartbeat is older than this has lost its worker. */
export const SILENT_SECONDS = 20;
/** Times the service may end under a job before the job itself is suspected. */
const MAX_INTERRUPTIONS = 20;
const RESTART_PAUSE_MS = [0, 500, 2_000, 5_000, 10_000, 30_000];
/** A job that is quiet for this long proves nothing about the device any more, though it may be well. */
const QUIET_MS = 5_000;
/** A process that has been starting for this long is suspected. */
const START_PATIENCE_MS = 20_000;

export interface PoolOptions extends RunnerOptions {
  /** One worker process for each; `undefined` = automatic choice. */
  adapters: (string | number | undefined)[];
  /** URL of the module that exports the engine. */
  engine: string;
  /** Folder of everything local, where worker processes are noted. */
  data: string;
  /** A job without a report for this long is stalled; after twice as long its process is ended. */
  stallSeconds: number;
  onEnd: (end: AttemptEnd) => void;
}

/** State of one worker process, for health. */
export interface SlotState {
  state: 'starting' | 'idle' | 'busy' | 'stalled' | 'broken' | 'stopped';
  adapter: Record<string, unknown>;
  pid?: number;
  job?: string;
  /** Seconds since the process last reported about its job. */
  silentSeconds?: number;
  /** Times its process had to be started anew. */
  restarts: number;
  /** Why it is broken. */
  failure?: Failure;
}

/** Worker processes of this machine: each takes jobs off the queue one at a time. */
export class WorkerPool {
  readonly id = randomUUID();
  private readonly slots: Slot[];
  private notes: ProcessNotes | undefined;
  private stopHeartbeat: (() => void) | undefined;
  private unlisten: (() => Promise<void>) | undefined;
  private wakeUps = new Set<() => void>();

  constructor(private readonly options: PoolOptions) {
    const noted = (pid: number, runs: boolean): void => void this.notes?.note(pid, runs);
    this.slots = options.adapters.map((adapter) => new Slot(adapter, this.id, options, () => this.idle(), noted));
  }

  async start(): Promise<void> {
    const { db } = this.options.store;
    this.notes = await ProcessNotes.open(this.options.data, this.id);
    this.unlisten = await db.listen(WORK_CHANNEL, (payload) => {
      if (payload === 'cancel') void this.beat();
      else this.wake();
    });
    await this.beat();
    const timer = setInterval(() => void this.beat(), HEARTBEAT_MS);
    this.stopHeartbeat = () => clearInterval(timer);
    for (const slot of this.slots) void slot.loop();
  }

  states(): SlotState[] {
    return this.slots.map((slot) => slot.state());
  }

  /**
   * Runs the engine's small compute job for every worker. `busy` = left out, since its job makes progress. Beside a job
   * that is quiet, a process of its own asks the device: the job's may be computing on the CPU, or waiting for a driver
   * that is dead.
   */
  async probe(timeoutMs: number): Promise<(ProbeReport | 'busy')[]> {
    return await Promise.all(this.slots.map((slot) => slot.probe(timeoutMs)));
  }

  /** Stops taking jobs, lets running ones reach a point to resume from, puts them back into the queue. */
  async close(graceMs: number): Promise<void> {
    for (const slot of this.slots) slot.stop(false);
    this.wake();
    const all = Promise.all(this.slots.map((slot) => slot.done));
    const ended = await Promise.race([all.then(() => true), sleep(graceMs * 0.6, false)]);
    if (!ended) {
      for (const slot of this.slots) slot.stop(true);
      const late = await Promise.race([all.then(() => true), sleep(graceMs * 0.2, false)]);
      if (!late) for (const slot of this.slots) slot.kill();
      await Promise.race([all, sleep(graceMs * 0.2)]);
    }
    for (const slot of this.slots) slot.kill();
    this.stopHeartbeat?.();
    await this.notes?.close();
    await this.unlisten?.();
    await this.options.store.db.query('DELETE FROM plinth.workers WHERE id = $1', [this.id]).catch(() => {});
  }

  /** Ids of the jobs that run here. */
  running(): string[] {
    return this.slots.flatMap((slot) => slot.attempt?.job.id ?? []);
  }

  private wake(): void {
    for (const wakeUp of this.wakeUps) wakeUp();
    this.wakeUps.clear();
  }

  /** Waits for a hint that there is work. */
  private async idle(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(wakeUp, POLL_MS);
      function wakeUp(): void {
        clearTimeout(timer);
        resolve();
      }
      this.wakeUps.add(wakeUp);
    });
  }

  private async beat(): Promise<void> {
    const { store, log } = this.options;
    try {
      await store.db.query(
        `INSERT INTO plinth.workers (id, host, pid, version, facts) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (id) DO UPDATE SET heartbeat_at = now(), facts = excluded.facts`,
        [this.id, hostname(), process.pid, VERSION, JSON.stringify({ slots: this.states() })],
      );
      const attempts = this.slots.flatMap((slot) => slot.attempt ?? []);
      const held = await store.heartbeat(attempts.map((a) => a.claim));
      for (const attempt of attempts) {
        const claim = held.get(attempt.job.id);
        if (claim?.cancel) attempt.cancel();
        // Between the two it may have ended by itself.
        else if (!claim && !attempt.settled) attempt.lost();
      }
    } catch (error) {
      log.warn({ err: error }, 'the heartbeat of the workers could not be recorded');
    }
    const { stallSeconds } = this.options;
    for (const slot of this.slots) {
      const silent = slot.attempt ? (Date.now() - slot.attempt.lastProgress) / 1000 : 0;
      if (slot.attempt && !slot.attempt.settled && silent > 2 * stallSeconds) {
        slot.attempt.kill({
          code: 'WORKER_STALLED',
          message: `The worker process made no progress for ${Math.round(silent)} s.`,
          remedy: 'Look at the driver and at the log of the job',
        });
      }
    }
  }
}

class Slot {
  attempt: Attempt | undefined;
  private process: WorkerProcess | undefined;
  private starting: Promise<void> | undefined;
  private startingSince = Date.now();
  private restarts = -1;
  private failures = 0;
  private failure: Failure | undefined;
  private stopping = false;
  private stopped = false;
  private finish!: () => void;
  /** Resolves when the slot has ended. */
  readonly done = new Promise<void>((resolve) => {
    this.finish = resolve;
  });

  constructor(
    private readonly adapter: string | number | undefined,
    private readonly worker: string,
    private readonly options: PoolOptions,
    private readonly idle: () => Promise<void>,
    private readonly noted: (pid: number, runs: boolean) => void,
  ) {}

  state(): SlotState {
    const silentSeconds = this.attempt && (Date.now() - this.attempt.lastProgress) / 1000;
    const state = (): SlotState['state'] => {
      if (this.stopped) return 'stopped';
      if (silentSeconds !== undefined) return silentSeconds > this.options.stallSeconds ? 'stalled' : 'busy';
      if (this.process?.alive) return 'idle';
      return this.failure ? 'broken' : 'starting';
    };
    return {
      state: state(),
      adapter: this.process?.facts ?? {},
      pid: this.process?.pid,
      job: this.attempt?.job.id,
      silentSeconds,
      restarts: Math.max(0, this.restarts),
      failure: this.process?.alive ? undefined : this.failure,
    };
  }

  async probe(timeoutMs: number): Promise<ProbeReport | 'busy'> {
    if (this.attempt) return await this.probeBeside(this.attempt, timeoutMs);
    const started = await Promise.race([this.starting ?? true, sleep(timeoutMs, 'late' as const)]);
    if (this.attempt) return 'busy';
    if (started === 'late') {
      const ms = Date.now() - this.startingSince;
      return ms < START_PATIENCE_MS ? 'busy' : notRunning(`has been starting for ${Math.round(ms / 1000)} s.`);
    }
    if (this.process?.alive) return await this.process.probe(timeoutMs);
    return this.failure ? { ok: false, seconds: 0, failure: this.failure } : notRunning('is not running.');
  }

  private async probeBeside(attempt: Attempt, timeoutMs: number): Promise<ProbeReport | 'busy'> {
    const last = attempt.lastProgress;
    if (Date.now() - last < QUIET_MS) return 'busy';
    const begin = performance.now();
    let report: ProbeReport;
    let beside: WorkerProcess | undefined;
    try {
      beside = await WorkerProcess.start({
        engine: this.options.engine,
        adapter: this.adapter,
        onOutput: () => {},
        startTimeoutMs: timeoutMs,
      });
      report = await beside.probe(timeoutMs);
    } catch (error) {
      report = { ok: false, seconds: (performance.now() - begin) / 1000, failure: toFailure(error) };
    } finally {
      beside?.kill();
    }
    // Work that went on meanwhile is the better proof.
    const progressed = attempt.lastProgress !== last || this.attempt !== attempt;
    return !report.ok && progressed ? 'busy' : report;
  }

  stop(force: boolean): void {
    this.stopping = true;
    this.attempt?.stop(force);
  }

  kill(): void {
    this.process?.kill();
  }

  async loop(): Promise<void> {
    const { store, disk, log } = this.options;
    while (!this.stopping) {
      let job: JobRecord | undefined;
      try {
        await this.ensureProcess();
        // A job that begins on a full disk takes the room in which the others end.
        const shortage = await disk.shortage();
        if (this.process?.alive && !this.stopping && !shortage) job = await store.claimNext(this.worker);
        if (job) await this.work(job);
      } catch (error) {
        log.error({ err: error, job: job?.id }, 'a worker could not take or end a job');
        job = undefined;
      }
      if (!job && !this.stopping) await this.idle();
    }
    this.stopped = true;
    this.kill();
    this.finish();
  }

  private async work(job: JobRecord): Promise<void> {
    const attempt = new Attempt(job, this.process!, this.options);
    this.attempt = attempt;
    if (this.stopping) attempt.stop(false);
    try {
      this.options.onEnd(await attempt.run(this.adapter));
    } finally {
      this.attempt = undefined;
    }
  }

  private async ensureProcess(): Promise<void> {
    if (this.process?.alive) return;
    this.starting ??= this.startProcess().finally(() => {
      this.starting = undefined;
    });
    await this.starting;
  }

  private async startProcess(): Promise<void> {
    const { engine, log } = this.options;
    this.restarts++;
    await sleep(RESTART_PAUSE_MS[Math.min(this.failures, RESTART_PAUSE_MS.length - 1)]);
    this.startingSince = Date.now();
    try {
      this.process = await WorkerProcess.start({
        engine,
        adapter: this.adapter,
        onOutput: (line) => (this.attempt ? this.attempt.output(line) : log.info({ worker: this.adapter }, line)),
      });
      this.failures = 0;
      this.failure = undefined;
      const { pid, gone } = this.process;
      if (pid !== undefined) {
        this.noted(pid, true);
        void gone.then(() => this.noted(pid, false));
      }
    } catch (error) {
      this.failures++;
      this.failure = toFailure(error);
      log.error({ err: error }, 'a worker process could not be started');
    }
  }
}

const notRunning = (what: string): ProbeReport => ({
  ok: false,
  seconds: 0,
  failure: { code: 'WORKER_LOST', message: `The worker process ${what}`, remedy: remedy`Run ${command('doctor')}` },
});

/**
 * Puts jobs whose worker fell silent, or those of pools that are gone, back into the queue. Several processes may do
 * this at once. Answers how many.
 */
export async function recoverOrphans(
  options: Pick<RunnerOptions, 'store' | 'log'>,
  olderThan: number | 'all' | { pools: string[] },
  own: string[] = [],
): Promise<number> {
  let recovered = 0;
  for (const job of await options.store.orphans(typeof olderThan === 'object' ? 'all' : olderThan)) {
    if (own.includes(job.id)) continue;
    if (typeof olderThan === 'object' && !olderThan.pools.includes(job.worker ?? '')) continue;
    const claim = { id: job.id, claim: job.claim! };
    const done =
      job.interruptions < MAX_INTERRUPTIONS
        ? await options.store.release(claim, { cause: 'interrupted' })
        : await options.store.finish(claim, {
            failure: {
              code: 'WORKER_LOST',
              message: `The service ended ${job.interruptions} times while the job ran.`,
              remedy: 'The job may need more memory than there is: choose a smaller preset',
            },
          });
    if (!done) continue;
    recovered++;
    options.log.warn({ job: job.id, worker: job.worker }, 'a job whose worker fell silent is queued again');
  }
  return recovered;
}
