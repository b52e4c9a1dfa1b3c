import type { Capture } from '../../capture/capture.js';
import type { ProgressSink, Warning } from '../../core/context.js';
import type { CheckpointStore, ShowPreview } from '../../core/platform.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import type { ObjectHints } from '../../object/hints.js';

/** What the stages that complete a capture are given besides it. */
export interface CompletionContext {
  gpu: Gpu;
  progress: ProgressSink;
  /** Checked at least every second. */
  signal: AbortSignal;
  seed: number;
  /** Keeps results by the content that they were made of; absent where nobody will resume. */
  checkpoints?: CheckpointStore;
  /** Absent where nobody looks. */
  showPreview?: ShowPreview;
  warn(warning: Warning): void;
}

/** How a capture is to be completed. */
export interface CompletionOptions {
  /** `auto`: the object is found where the capture has neither masks nor depth maps. `none`: everything is kept. */
  object: 'auto' | 'none';
  /** What the user says about where the object is. */
  hints?: ObjectHints;
}

/**
 * One step in which a capture that lacks something gets it. What the capture has is never replaced. Views whose split
 * is `test` may be given masks and depth for the comparison, but must not have an influence on those of others.
 */
export interface CompletionStage {
  /** As in `ProgressEvent.stage`. */
  name: string;
  /** Words for people. */
  title: string;
  /** Whether this stage has something to add. */
  wanted(capture: Capture, options: CompletionOptions): boolean;
  /** About the seconds that it takes on two cores without a GPU. */
  expectedSeconds(capture: Capture): number;
  /**
   * The capture with what was missing.
   * @throws coded errors; `CANCELLED` within a second of an abort
   */
  run(capture: Capture, options: CompletionOptions, context: CompletionContext): Promise<Capture>;
}
