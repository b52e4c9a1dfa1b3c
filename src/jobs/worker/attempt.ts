import { createReadStream } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobProgress, Logger } from '../../core/context.js';
import { type ErrorCode, toFailure, toPlinthError } from '../../core/errors.js';
import { anyOf, option, setting, step } from '../../core/remedy.js';
import type { Claim, JobStore } from '../database/jobStore.js';
import type { Failure, JobRecord, JobResult, RunResult } from '../jobRecord.js';
import type { ArtifactStore } from '../storage/artifactStore.js';
import type { DiskBudget } from '../storage/diskBudget.js';
import { describeFolder, digest, type ManifestFile } from '../storage/manifest.js';
import { findResult, type StoredResult, storeResult, tidyJob } from '../storage/resultCommit.js';
import { WorkFolder } from '../storage/workFolder.js';
import { COMPARISON_FILE } from './compareRuns.js';
import type { ReadLimits } from './engine.js';
import { JobLog } from './jobLog.js';
import { withoutPaths } from './withoutPaths.js';
import { lostFailure, type Outcome, type Report, type WorkerProcess } from './workerProcess.js';

/** Progress is recorded at most this often, save when the stage changes. */
const PROGRESS_MS = 500;
/**
 * How long an attempt waits for a database or a storage that is away. Longer, and the next one goes on with what is
 * there.
 */
const PATIENCE_MS = 300_000;
/** Preview images that a job keeps. */
const PREVIEWS = 60;

export interface RunnerOptions {
  store: JobStore;
  artifacts: ArtifactStore;
  disk: DiskBudget;
  /** Local folder for work in progress. */
  workRoot: string;
  timeLimitSeconds: number;
  limits: ReadLimits;
  /** Failures of the machine after which a job fails for good. */
  maxAttempts: number;
  /** Other workers may take a released job, so what it reached goes into the store. */
  shared: boolean;
  log: Logger;
}

/** How an attempt ended, for metrics. */
export interface AttemptEnd {
  job: JobRecord;
  state: 'succeeded' | 'failed' | 'cancelled' | 'queued';
  failure?: Failure;
  runs: RunResult[];
  /** Time of the attempt. */
  seconds: number;
}

/** One attempt at one claimed job in a worker process. */
export class Attempt {
  readonly claim: Claim;
  /** When the process last said something about the job (`Date.now()`). */
  lastProgress = Date.now();
  /** The process has given its outcome, or never will; the claim may end at any moment now. */
  settled = false;
  private readonly begin = Date.now();
  private cancelled = false;
  private stopping = false;
  private killed: Failure | undefined;
  private log!: JobLog;
  private pending: JobProgress | undefined;
  private writing: Promise<void> = Promise.resolve();
  private lastWrite = 0;
  private lastStage = '';
  private preview: string | undefined;
  private previews: string[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    readonly job: JobRecord,
    private readonly process: WorkerProcess,
    private readonly options: RunnerOptions,
  ) {
    this.claim = { id: job.id, claim: job.claim! };
  }

  private readonly clean = (text: string): string => {
    const { workRoot, artifacts } = this.options;
    return withoutPaths(text, artifacts.kind === 'folder' ? [workRoot, artifacts.place] : [workRoot]);
  };

  /** The job was cancelled: end it. */
  cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    this.process.cancel();
    // An engine that does not obey within its second is ended.
    setTimeout(() => !this.settled && this.process.kill(), 10_000).unref();
  }

  /** The service stops: end at a point from which the job can go on later; `force` = at once. */
  stop(force: boolean): void {
    this.stopping = true;
    if (force) this.process.cancel();
    else this.process.stop();
  }

  /** Somebody else has the job now, or it is gone: whatever comes out is thrown away. */
  lost(): void {
    this.process.kill();
  }

  /** The process must go: its outcome counts as `failure`. */
  kill(failure: Failure): void {
    this.killed ??= failure;
    this.process.kill();
  }

  async run(adapter: string | number | undefined): Promise<AttemptEnd> {
    const { artifacts, store, timeLimitSeconds } = this.options;
    const { job } = this;
    this.log = await this.outlast(() => JobLog.open(artifacts, job.id, this.clean));
    let folder: WorkFolder | undefined;
    const limit = setTimeout(() => {
      this.kill({
        code: 'JOB_TIME_LIMIT',
        message: `The job ran longer than the limit of ${timeLimitSeconds} s.`,
        remedy: anyOf(step`choose a faster ${option('preset')}`, step`raise ${setting('jobs.timeLimitSeconds')}`),
      });
    }, timeLimitSeconds * 1000);
    try {
      const stored = await this.outlast(() => findResult(artifacts, job.id));
      if (stored) {
        this.settled = true;
        this.log.add('info', `attempt ${job.attempt}: takes the whole result that an earlier one stored`);
        return await this.commit(stored);
      }
      const { workRoot } = this.options;
      folder = await this.outlast(() => WorkFolder.open(workRoot, artifacts, job.id, this.claim.claim));
      this.previews = await this.outlast(() => artifacts.children(`jobs/${job.id}/previews`));
      this.log.add('info', `attempt ${job.attempt}: ${job.request.runs.map((r) => r.name).join(', ')}`);
      const running = this.process.run(
        {
          job: job.id,
          input: await this.outlast(() => folder!.input()),
          output: folder.output,
          checkpoint: folder.checkpoint,
          runs: job.request.runs,
          formats: job.request.formats,
          seed: job.request.seed,
          holdout: job.request.holdout,
          invertMasks: job.request.invertMasks,
          scale: job.request.scale,
          limits: this.options.limits,
          reduced: job.reduced,
          adapter,
        },
        (report) => this.report(report),
      );
      // Asked for before the process had the job.
      if (this.cancelled) this.process.cancel();
      if (this.stopping) this.process.stop();
      const outcome = await running;
      this.settled = true;
      clearTimeout(limit);
      clearTimeout(this.timer);
      await this.writing;
      return await this.conclude(outcome, folder);
    } catch (error) {
      this.settled = true;
      const coded = toPlinthError(error);
      this.log.add('error', coded.stack ?? coded.message);
      this.options.log.error({ job: job.id, err: coded }, 'an attempt could not be carried out');
      return await this.failMachine(toFailure(coded), folder);
    } finally {
      clearTimeout(limit);
      clearTimeout(this.timer);
      await this.log.close();
      // A claim that was lost meanwhile may have written log and previews of a job that is deleted.
      await store.get(job.id).catch((error) => {
        if (toPlinthError(error).code === 'JOB_NOT_FOUND') return artifacts.remove(`jobs/${job.id}`);
      });
    }
  }

  private async conclude(outcome: Outcome, folder: WorkFolder): Promise<AttemptEnd> {
    if (this.killed) {
      if (this.killed.code === 'JOB_TIME_LIMIT') return await this.fail(this.killed);
      return await this.failMachine(this.killed, folder);
    }
    if (outcome.type === 'done') return await this.succeed(outcome.runs, folder);
    if (this.cancelled) return await this.end('cancelled');
    if (this.stopping && (outcome.type === 'exited' || outcome.kind === 'cancelled')) {
      this.log.add('info', 'the service stops; the job goes on later from its checkpoint');
      return await this.release('stopping', folder);
    }
    if (outcome.type === 'exited') return await this.failMachine(lostFailure(outcome.code, outcome.signal), folder);
    this.log.add('error', outcome.detail ?? outcome.failure.message);
    if (outcome.kind === 'machine') return await this.failMachine(outcome.failure, folder);
    return await this.fail(outcome.failure);
  }

  private async succeed(runs: RunResult[], folder: WorkFolder): Promise<AttemptEnd> {
    const { job, claim } = this;
    const good = runs.filter((r) => !r.failure);
    if (good.length === 0) return await this.fail(runs[0].failure!);
    // With one run its files are the job's; with several each has a folder.
    const source = runs.length === 1 ? join(folder.output, runs[0].name) : folder.output;
    const files = runs.length === 1 ? await describeFolder(source) : await describeRuns(source, good);
    const comparison = runs.length > 1 ? await readComparison(source) : {};
    const stored = { claim: claim.claim, result: { runs, files, ...comparison } };
    await this.outlast(() => storeResult(this.options.artifacts, job.id, stored, source));
    return await this.commit(stored);
  }

  /**
   * Makes a stored result the job's. While the database is away it is asked again and again: the result is whole and
   * safe meanwhile.
   */
  private async commit({ claim, result }: StoredResult): Promise<AttemptEnd> {
    const { store } = this.options;
    this.log.add('info', `succeeded: ${result.files.length} files`);
    await this.log.flush();
    // Not ours any more: whoever has the job now finds the stored result, or tidies it away.
    if (!(await this.outlast(() => store.finish(this.claim, { result, from: claim }), 'DISK_LOW')))
      return await this.ended('queued', result.runs);
    await this.tidy(claim);
    return await this.ended('succeeded', result.runs);
  }

  /**
   * Does what must be done, again and again while database or storage are away: nothing of the work is lost by waiting.
   * @param also what else goes by, such as a disk on which the database cannot write
   */
  private async outlast<T>(work: () => Promise<T>, also?: ErrorCode): Promise<T> {
    const patience = Date.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const { code } = toPlinthError(error);
        const away = code === 'DATABASE_UNAVAILABLE' || code === 'STORAGE_UNAVAILABLE' || code === also;
        if (!away || this.stopping || this.cancelled || Date.now() > patience) throw error;
        this.lastProgress = Date.now();
        await sleep(1_000);
      }
    }
  }

  /** What cannot be removed now is the janitor's. */
  private async tidy(claim: string | null): Promise<void> {
    const { artifacts, store, log } = this.options;
    try {
      await rm(join(this.options.workRoot, this.job.id), { recursive: true, force: true });
      await tidyJob(artifacts, this.job.id, claim);
      await store.tidied(this.job.id);
    } catch (error) {
      log.warn({ job: this.job.id, err: error }, 'what a job left behind could not be removed yet');
    }
  }

  private async fail(found: Failure): Promise<AttemptEnd> {
    const failure = { ...found, message: this.clean(found.message) };
    this.log.add('error', `failed: ${failure.code}: ${failure.message}`);
    await this.log.flush();
    return await this.end({ failure });
  }

  private async end(outcome: 'cancelled' | { failure: Failure }): Promise<AttemptEnd> {
    if (!(await this.options.store.finish(this.claim, outcome))) return await this.ended('queued', []);
    await this.tidy(null);
    if (outcome === 'cancelled') return await this.ended('cancelled', []);
    return await this.ended('failed', [], outcome.failure);
  }

  /** Retried from the last checkpoint; out of GPU memory once, at a smaller working size. */
  private async failMachine(found: Failure, folder: WorkFolder | undefined): Promise<AttemptEnd> {
    const failure = { ...found, message: this.clean(found.message) };
    const { job } = this;
    if (this.cancelled) return await this.end('cancelled');
    const outOfMemory = failure.code === 'GPU_OUT_OF_MEMORY';
    const again = outOfMemory ? !job.reduced : job.machineFailures + 1 < this.options.maxAttempts;
    if (!again) return await this.fail(failure);
    this.log.add(
      'warn',
      `${failure.code}: ${failure.message} The job is tried again${outOfMemory ? ' at a smaller working size' : ''}.`,
    );
    return await this.release('machine', folder, failure, outOfMemory);
  }

  private async release(
    cause: 'machine' | 'stopping',
    folder: WorkFolder | undefined,
    failure?: Failure,
    reduced = false,
  ): Promise<AttemptEnd> {
    if (failure?.code === 'DISK_LOW') await folder?.makeRoom(this.options.disk);
    if (this.options.shared) await folder?.save();
    await this.log.flush();
    await this.options.store.release(this.claim, { cause, failure, reduced });
    return await this.ended('queued', [], failure);
  }

  private async ended(state: AttemptEnd['state'], runs: RunResult[], failure?: Failure): Promise<AttemptEnd> {
    return { job: this.job, state, runs, failure, seconds: (Date.now() - this.begin) / 1000 };
  }

  private report(report: Report): void {
    this.lastProgress = Date.now();
    if (report.type === 'alive') return;
    if (report.type === 'log') {
      const facts = Object.keys(report.facts).length > 0 ? ` ${JSON.stringify(report.facts)}` : '';
      this.log.add(report.level, `${report.message ?? ''}${facts}`.trim());
    } else if (report.type === 'warning') {
      this.log.add('warn', `${report.run}: ${report.warning.code}: ${report.warning.message}`);
      const warning = { run: report.run, ...report.warning, message: this.clean(report.warning.message) };
      this.enqueue(() => this.options.store.note(this.claim, 'warning', warning));
    } else this.progress(report.event);
  }

  output(line: string): void {
    this.log?.add('print', line);
  }

  private progress(event: JobProgress): void {
    if (event.preview) {
      const { preview, stage, title } = event;
      this.enqueue(() => this.keepPreview(preview, stage, title));
    }
    const stage = `${event.run}/${event.stage}`;
    if (stage !== this.lastStage) this.log.add('info', `${event.run}: ${event.title}`);
    this.pending = event;
    const wait = stage !== this.lastStage ? 0 : this.lastWrite + PROGRESS_MS - Date.now();
    this.lastStage = stage;
    if (wait <= 0) this.flushProgress();
    else this.timer ??= setTimeout(() => this.flushProgress(), wait);
  }

  private flushProgress(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const event = this.pending;
    if (!event) return;
    this.pending = undefined;
    this.lastWrite = Date.now();
    const progress: JobProgress = { ...event, preview: this.preview };
    this.enqueue(async () => {
      await this.options.store.progress(this.claim, progress);
    });
  }

  /** Reports are recorded in their order; one that cannot be recorded must not end the job. */
  private enqueue(write: () => Promise<void>): void {
    this.writing = this.writing.then(write).catch((error) => {
      this.options.log.warn({ job: this.job.id, err: error }, 'progress could not be recorded');
    });
  }

  private async keepPreview(path: string, stage: string, title: string): Promise<void> {
    const { artifacts, store } = this.options;
    const number = (Number(this.previews.at(-1)?.split('-')[0] ?? 0) + 1).toString().padStart(5, '0');
    const name = `${number}-${stage.replace(/[^\w.-]/g, '_')}${extname(path)}`;
    await artifacts.put(`jobs/${this.job.id}/previews/${name}`, await readFile(path));
    this.previews.push(name);
    this.preview = name;
    await store.note(this.claim, 'preview', { name, stage, title });
    while (this.previews.length > PREVIEWS) {
      // The first shows how it began and is kept.
      const [old] = this.previews.splice(1, 1);
      await artifacts.remove(`jobs/${this.job.id}/previews/${old}`);
    }
  }
}

/** The files of several runs, each in its folder, and how the runs compare. */
async function describeRuns(folder: string, runs: RunResult[]): Promise<ManifestFile[]> {
  const each = await Promise.all(runs.map((run) => describeFolder(join(folder, run.name), `${run.name}/`)));
  const { size } = await stat(join(folder, COMPARISON_FILE));
  const sha256 = await digest(createReadStream(join(folder, COMPARISON_FILE)));
  return [...each.flat(), { name: COMPARISON_FILE, bytes: size, sha256 }].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readComparison(folder: string): Promise<Pick<JobResult, 'best' | 'comparison'>> {
  const { best, summary } = JSON.parse(await readFile(join(folder, COMPARISON_FILE), 'utf8')) as {
    best?: string;
    summary?: string;
  };
  return { best, comparison: summary };
}
