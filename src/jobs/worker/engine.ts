import type { StatedLength } from '../../capture/options.js';
import type { JobProgress, Logger, Warning } from '../../core/context.js';
import type { Failure, RunResult } from '../jobRecord.js';
import type { NamedRun } from '../jobRequest.js';

/** What a capture may hold, as the service that accepted it said. */
export interface ReadLimits {
  /** Pixels of one picture. */
  pixels: number;
  /** Bytes that an archive may unpack to. */
  unpackedBytes: number;
  /** Files of an archive. */
  files: number;
}

/** What a worker process is asked to do. All paths are local. */
export interface EngineTask {
  job: string;
  /** A zip, or a folder of files. Read-only. */
  input: string;
  /** Receives one folder for each run, `<output>/<run name>`, plus `comparison.json` when there are several. */
  output: string;
  /** Kept over restarts of the same job. */
  checkpoint: string;
  runs: NamedRun[];
  formats: ('glb' | 'obj' | 'ply' | 'usdz')[];
  seed: number;
  holdout?: number;
  invertMasks?: boolean;
  scale?: StatedLength;
  limits: ReadLimits;
  /** The GPU ran out of memory before: work at a smaller size. */
  reduced: boolean;
  /** Which adapter to use; absent = automatic. */
  adapter?: string | number;
}

export interface EngineHooks {
  progress(event: JobProgress): void;
  warn(run: string, warning: Warning): void;
  /** The work goes on, without anything to report: called as often as one likes. Silence is taken for a hang. */
  alive(): void;
  log: Logger;
  /** Aborted when the job is cancelled or the time for a clean stop is over. */
  signal: AbortSignal;
  /** Aborted when the service wants to stop: work ends at the next point from which it can be resumed. */
  stopping: AbortSignal;
}

/** Outcome of a small compute job whose numbers are checked. */
export interface ProbeReport {
  ok: boolean;
  /** Seconds it took. */
  seconds: number;
  /** Name of the adapter. */
  adapter?: string;
  failure?: Failure;
}

/** What runs inside a worker process. The module named by the setting `worker.engine` exports one as `engine`. */
export interface Engine {
  /** Facts about the adapter for health, JSON-serialisable. */
  describe(adapter?: string | number): Promise<Record<string, unknown>>;
  /** Runs a small compute job. */
  probe(adapter?: string | number): Promise<ProbeReport>;
  /**
   * Throws coded errors; on abort throws `CANCELLED`. Failures of single runs that are the input's fault are part of
   * the result.
   */
  run(task: EngineTask, hooks: EngineHooks): Promise<RunResult[]>;
}
