import type { z } from 'zod';
import type { Capture } from '../capture/capture.js';
import type { Asset } from '../core/asset.js';
import type { Logger, ProgressSink, Warning } from '../core/context.js';
import type { CheckpointStore, RunInThread, ShowPreview } from '../core/platform.js';
import type { Preset } from '../core/presets.js';
import type { Random } from '../core/random.js';
import type { AdapterFacts } from '../gpu/runtime/adapterFacts.js';
import type { Gpu } from '../gpu/runtime/gpu.js';
import type { WeightManifest } from '../weights/manifest.js';
import type { WeightFiles } from '../weights/weightFiles.js';

/** What a method is given besides capture and options. */
export interface MethodContext {
  gpu: Gpu;
  progress: ProgressSink;
  /** Checked at least every second. */
  signal: AbortSignal;
  /**
   * Aborted when the work should end at a point to resume from: the next checkpoint is written at once, then
   * `CANCELLED` thrown.
   */
  stopping?: AbortSignal;
  log: Logger;
  /** Seeded; the only source of randomness. */
  random: Random;
  /** What `random` was seeded with, for methods whose networks were published with a generator of their own. */
  seed: number;
  /** Files of network weights; there for methods that state `weights`. */
  weights?: WeightFiles;
  runInThread: RunInThread;
  /** Absent where nobody will resume. */
  checkpoints?: CheckpointStore;
  /** Absent where nobody looks. */
  showPreview?: ShowPreview;
  /** Receives what the user should know. */
  warn(warning: Warning): void;
}

/** A part of a method's work, as progress tells it. */
export interface MethodStage {
  /** As in `ProgressEvent.stage`. */
  name: string;
  /** Words for people. */
  title: string;
  /** Share of the method's time, relative to its other stages. */
  weight: number;
}

/** Half of a working size, as a multiple of 4 from 16 on; the size itself where half would be less than `minimum`. */
export function halved(size: number, minimum: number): number {
  const half = size >= 16 ? Math.floor(size / 8) * 4 : Math.floor(size / 2);
  return half >= minimum ? half : size;
}

/** A way to make an asset from a capture. */
export interface Method<Schema extends z.ZodObject = z.ZodObject> {
  /** `fusion`, `nvdiffrec`. */
  name: string;
  title: string;
  /** Two or three sentences for people: what it is good at, what it needs, how long it takes. */
  description: string;
  /** What a capture must have, in words for people; `accepts` checks it. */
  requirements: readonly string[];
  /**
   * Every option with unit, range and default in its `.describe()`; its JSON schema is what the service and the page
   * show.
   */
  options: Schema;
  /** Options that differ from their defaults in each preset. */
  presets: Record<Preset, Partial<z.infer<Schema>>>;
  /** The network weights that it reads. Where they are not on a machine, the method cannot run there. */
  weights?: WeightManifest;
  /**
   * Throws where these weights are not those that the method knows, or where the device is too small for them; nothing
   * is computed. `WEIGHTS_…`, `METHOD_DEVICE_TOO_SMALL`.
   */
  checkWeights?(files: WeightFiles, device?: AdapterFacts): Promise<void>;
  /**
   * Whether it takes captures whose pictures have no cameras (`Capture.cameras` is `none`). Default false: for such
   * pictures cameras are found first.
   */
  withoutCameras?: boolean;
  /** The stages that `run` reports, in order, with their usual share of the time. */
  stages: readonly MethodStage[];
  /**
   * Seconds of each stage in a run with these options, about as two cores without a GPU need them, where the usual
   * shares would be far off. Only what the stages take relative to each other and to export and assessment matters.
   * Without it `weight` counts.
   */
  expectedSeconds?(options: z.infer<Schema>, capture: Capture): Record<string, number>;
  /**
   * These options at a smaller working size, for another try when the GPU ran out of memory; the same ones where
   * nothing can be made smaller.
   */
  reduced(options: z.infer<Schema>): z.infer<Schema>;
  /** Throws `METHOD_REQUIREMENTS` where the capture lacks something. */
  accepts(capture: Capture): void;
  /** Runs. Uses only views whose split is `train`. Throws coded errors; on abort throws `CANCELLED` within a second. */
  run(capture: Capture, options: z.infer<Schema>, context: MethodContext): Promise<Asset>;
}
