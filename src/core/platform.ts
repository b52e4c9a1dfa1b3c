/**
 * What the engine asks of the place where it runs (Node now, a browser tab as well): interfaces alone. `src/platform/`
 * has them for Node.
 */
import type { ColorImage } from './image.js';

/**
 * Long synchronous work that can run beside the event loop: `module` exports under `name` a function
 * `(job, progress: (fraction: number) => void) => Result | Promise<Result>`. Job and result must be clonable data.
 */
export interface ThreadTask<Job, Result> {
  /** URL without extension: `new URL('./name', import.meta.url)`. Modules are `.ts` or `.js`, as the program is run. */
  module: URL;
  name: string;
  /** Ties the types to the task; never there. */
  types?: (job: Job) => Result;
}

/** What the one who started a thread hears of it, and how it ends it. */
export interface ThreadHooks {
  signal?: AbortSignal;
  /** Receives 0…1. */
  progress?: (fraction: number) => void;
}

/**
 * Runs a task in a thread of its own. An abort ends it at once, in the midst of a step.
 * @throws `CANCELLED`; whatever the task threw, as `INTERNAL`
 */
export type RunInThread = <Job, Result>(
  task: ThreadTask<Job, Result>,
  job: Job,
  hooks?: ThreadHooks,
) => Promise<Result>;

/** Keeps named bytes over a restart of the same job. */
export interface CheckpointStore {
  /** What was written last under this name, whole; `undefined` where nothing was. */
  read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Replaces what is kept under this name by the parts in a row. An interrupted write leaves the last one whole. */
  write(name: string, parts: readonly Uint8Array[]): Promise<void>;
}

/**
 * Shows a picture of the work's state to those who watch it.
 * @param name of the picture, without extension
 * @returns what progress events name it by, see `ProgressEvent.preview`
 */
export type ShowPreview = (name: string, image: ColorImage) => Promise<string>;
