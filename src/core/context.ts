import type { Remedy } from './remedy.js';

/** What long work is given besides its data: a progress sink, an abort signal, a log. */

export interface ProgressEvent {
  /** Stable identifier such as `fuse` or `texture`. */
  stage: string;
  /** Words for people: "Fusing depth". */
  title: string;
  /** 0…1 within the stage: share of the time that it takes. */
  fraction: number;
  /** Work up to here was done by an earlier run, and says nothing about how fast this one is. */
  resumed?: boolean;
  /** Short state, such as "view 3 of 6". */
  detail?: string;
  /** Numbers of the moment, such as `{ loss: 0.02, psnr: 27.1 }`. */
  metrics?: Record<string, number>;
  /** Path of a live preview image that was just written. */
  preview?: string;
}

/** How far one reconstruction is: a stage's event with its place among all stages. */
export interface RunProgress extends Omit<ProgressEvent, 'resumed'> {
  /** 0…1 over all stages; never falls. */
  overall: number;
  /** Seconds since the start. */
  elapsedSeconds: number;
  /** Estimated seconds to the end; absent while unknown. */
  remainingSeconds?: number;
}

/**
 * How far a job of the service is, in which one or several reconstructions run in turn: what the engine reports, the
 * job's record and its events hold, and clients read. `overall` is over the whole job. `preview` is a path where the
 * engine has just written the image; from the record on it is the name of the newest one among the job's previews.
 */
export interface JobProgress extends RunProgress {
  /** Name of the run that is at work, its place among the job's runs from 0, and their number. */
  run: string;
  runIndex: number;
  runs: number;
}

/** Receives progress. Must not throw. */
export type ProgressSink = (event: ProgressEvent) => void;

/** Receives what happens, as facts and words; pino's logger is one. */
export interface Logger {
  /** For whoever looks for a fault. */
  debug(facts: object, message?: string): void;
  /** What happens. */
  info(facts: object, message?: string): void;
  /** What is not as it should be, and did not stop the work. */
  warn(facts: object, message?: string): void;
  /** What failed. */
  error(facts: object, message?: string): void;
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Something the user should know that did not stop the work. */
export interface Warning {
  code: string;
  message: string;
  /** The file or view it is about. */
  subject?: string;
  remedy?: Remedy;
}
