import type { JobProgress, Warning } from '../../core/context.js';
import type { Failure, RunResult } from '../jobRecord.js';
import type { EngineTask, ProbeReport } from './engine.js';

/** From the service to a worker process. */
export type ToWorker =
  | { type: 'run'; task: EngineTask }
  /** End the job as soon as possible. */
  | { type: 'cancel' }
  /** End the job at the next point from which it can be resumed. */
  | { type: 'stop' }
  | { type: 'probe'; id: number };

/** From a worker process to the service. */
export type FromWorker =
  | { type: 'ready'; facts: Record<string, unknown> }
  | { type: 'progress'; event: JobProgress }
  | { type: 'warning'; run: string; warning: Warning }
  | { type: 'alive' }
  | { type: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; facts: object; message?: string }
  | { type: 'done'; runs: RunResult[] }
  | {
      type: 'failed';
      failure: Failure;
      kind: 'input' | 'config' | 'machine' | 'cancelled' | 'internal';
      detail?: string;
    }
  | { type: 'probed'; id: number; report: ProbeReport };
