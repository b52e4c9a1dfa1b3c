import type { Warning } from '../../core/context.js';
import type { Mat4 } from '../../core/math.js';
import type { CaptureFormat, LeftOutPart } from '../capture.js';
import type { ViewSource } from '../viewSource.js';

/** What a reader of posed pictures hands on, before pixels are looked at. */
export interface ReadSources {
  format: CaptureFormat;
  sources: ViewSource[];
  inputToWorld: Mat4;
  /** Sparse points in world space (x y z interleaved), where the format has them. */
  points?: Float64Array;
  /** By the name of a source: indices of the points that it shows. */
  seen?: ReadonlyMap<string, Uint32Array>;
  /** As in `Capture.cameras`. */
  cameras?: 'none';
  /** False where the scale was chosen. Default true. */
  scaleKnown?: boolean;
  warnings: Warning[];
  /** What was found or named and is not among the sources. */
  leftOut?: LeftOutPart[];
  /** What the metadata state besides, and what was chosen for want of it; shown in the report. */
  estimated?: Record<string, unknown>;
}
