import type { ChildProcess } from 'node:child_process';
import { PlinthError } from '../../core/errors.js';
import { command, remedy } from '../../core/remedy.js';
import { startProcess } from '../../platform/modules.js';
import type { Failure, RunResult } from '../jobRecord.js';
import type { EngineTask, ProbeReport } from './engine.js';
import type { FromWorker, ToWorker } from './messages.js';

/** How long a new process may take to load its engine and open the adapter, unless told otherwise. */
const START_TIMEOUT_MS = 60_000;

/** How a job ended in the process. */
export type Outcome =
  | { type: 'done'; runs: RunResult[] }
  | Extract<FromWorker, { type: 'failed' }>
  /** The process ended without a word. */
  | { type: 'exited'; code: number | null; signal: NodeJS.Signals | null };

export interface WorkerProcessOptions {
  /** URL of the module that exports the engine. */
  engine: string;
  adapter?: string | number;
  /** Lines that the process printed, for the job's log. */
  onOutput: (line: string) => void;
  /** Default: a minute. */
  startTimeoutMs?: number;
}

type Message<T extends FromWorker['type']> = Extract<FromWorker, { type: T }>;
export type Report = Message<'progress'> | Message<'warning'> | Message<'alive'> | Message<'log'>;

/** The service's side of one worker process. */
export class WorkerProcess {
  /** What the engine told about its adapter. */
  facts: Record<string, unknown> = {};
  private readonly child: ChildProcess;
  private readonly probes = new Map<number, (report: ProbeReport) => void>();
  private probeCount = 0;
  private settle: ((outcome: Outcome) => void) | undefined;
  private failure: Message<'failed'> | undefined;
  private report: (report: Report) => void = () => {};
  private ended = false;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;

  private constructor(options: WorkerProcessOptions) {
    this.child = startProcess(
      new URL('./workerMain', import.meta.url),
      [options.engine, String(options.adapter ?? '')],
      {
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        serialization: 'advanced',
      },
    );
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      let rest = '';
      stream.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop()!.slice(-10_000);
        for (const line of lines) if (line.trim()) options.onOutput(line);
      });
    }
    this.child.on('error', () => {});
    this.gone = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => {
        this.ended = true;
        this.settle?.(this.failure ?? { type: 'exited', code, signal });
        for (const done of this.probes.values()) done(lost(code, signal));
        this.probes.clear();
        resolve();
      });
    });
  }

  /** Starts a process and waits until its engine is loaded. @throws `WORKER_START_FAILED` */
  static async start(options: WorkerProcessOptions): Promise<WorkerProcess> {
    const output: string[] = [];
    const worker = new WorkerProcess({
      ...options,
      onOutput: (line) => {
        output.push(line);
        if (output.length > 20) output.shift();
        options.onOutput(line);
      },
    });
    const ready = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), options.startTimeoutMs ?? START_TIMEOUT_MS);
      worker.child.on('message', (message: FromWorker) => {
        if (message.type !== 'ready') return worker.receive(message);
        worker.facts = message.facts;
        clearTimeout(timer);
        resolve(true);
      });
      void worker.gone.then(() => {
        clearTimeout(timer);
        resolve(false);
      });
    });
    if (await ready) return worker;
    worker.kill();
    throw new PlinthError('WORKER_START_FAILED', {
      found:
        `The worker process ${worker.ended ? 'ended while it started' : 'did not start in time'}: ` +
        `${worker.failure?.failure.message ?? (output.join(' | ') || 'it printed nothing')}`,
      remedy: remedy`Run ${command('doctor')}; it shows whether adapter and driver work`,
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get alive(): boolean {
    return !this.ended;
  }

  /** Runs one job. Never throws: every end is an outcome. */
  run(task: EngineTask, report: (report: Report) => void): Promise<Outcome> {
    this.failure = undefined;
    this.report = report;
    return new Promise<Outcome>((resolve) => {
      this.settle = (outcome) => {
        this.settle = undefined;
        this.report = () => {};
        resolve(outcome);
      };
      if (this.ended) this.settle({ type: 'exited', code: this.child.exitCode, signal: this.child.signalCode });
      else this.send({ type: 'run', task });
    });
  }

  /** Runs the engine's small compute job. A process that does not answer in time has failed it. */
  async probe(timeoutMs: number): Promise<ProbeReport> {
    if (this.ended) return lost(this.child.exitCode, this.child.signalCode);
    const id = ++this.probeCount;
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<ProbeReport>((resolve) => {
      this.probes.set(id, resolve);
      timer = setTimeout(
        () =>
          resolve({
            ok: false,
            seconds: timeoutMs / 1000,
            failure: {
              code: 'GPU_NO_ANSWER',
              message: `A small compute job did not end within ${timeoutMs / 1000} s.`,
              remedy:
                'Leave the machine more time for the service; if it lasts, look at the driver and restart the service',
            },
          }),
        timeoutMs,
      );
    });
    this.send({ type: 'probe', id });
    const report = await answer;
    clearTimeout(timer);
    this.probes.delete(id);
    return report;
  }

  cancel(): void {
    this.send({ type: 'cancel' });
  }

  stop(): void {
    this.send({ type: 'stop' });
  }

  kill(): void {
    if (!this.ended) this.child.kill('SIGKILL');
  }

  private send(message: ToWorker): void {
    if (this.child.connected) this.child.send(message, () => {});
  }

  private receive(message: FromWorker): void {
    switch (message.type) {
      case 'done':
        this.settle?.(message);
        break;
      case 'failed':
        // After a failure of the machine the process ends by itself; the outcome waits for that, so that the next job
        // gets a new one.
        this.failure = message;
        if (message.kind !== 'machine') this.settle?.(message);
        break;
      case 'probed':
        this.probes.get(message.id)?.(message.report);
        break;
      case 'progress':
      case 'warning':
      case 'alive':
      case 'log':
        this.report(message);
        break;
    }
  }
}

/** What a process that ended without a word means for the job. */
export function lostFailure(code: number | null, signal: NodeJS.Signals | null): Failure {
  const how = signal ? `was ended by ${signal}` : `ended with code ${code}`;
  return {
    code: 'WORKER_LOST',
    message: `The worker process ${how}.`,
    remedy:
      signal === 'SIGKILL'
        ? 'The system may have run out of memory: give it more, or choose a smaller preset'
        : remedy`Look at the log of the job; run ${command('doctor')} to check the driver`,
  };
}

const lost = (code: number | null, signal: NodeJS.Signals | null): ProbeReport => ({
  ok: false,
  seconds: 0,
  failure: lostFailure(code, signal),
});
