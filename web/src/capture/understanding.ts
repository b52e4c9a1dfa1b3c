import type { LeftOut } from '../../../src/capture/layout/leftOut.js';
import type { Entry } from './readZip.js';

/** A camera for drawing: where it stands and how wide it sees. World is +Z up as in transforms files. */
export interface SketchCamera {
  /** Camera to world, 16 numbers, row by row; looks along −z. */
  pose: number[];
  /** Horizontal angle of view, radians. */
  angle: number;
}

export interface UnderstoodView {
  name: string;
  /** Absent where the file is missing. */
  picture?: Entry;
  depth?: Entry;
  mask?: Entry;
  test: boolean;
  camera?: SketchCamera;
}

/** A part of the files that will not be used, with what can be shown of it. */
export interface LeftOutEntry extends LeftOut {
  picture?: Entry;
  camera?: SketchCamera;
}

export interface Finding {
  severity: 'missing' | 'hint';
  message: string;
  remedy?: string;
}

/** What a set of files is, as far as can be told without sending it. The service has the last word. */
export interface Understanding {
  layout: 'transforms' | 'colmap' | 'export' | 'six-views' | 'pictures' | 'unknown';
  title: string;
  /** Name for the job. */
  name: string;
  views: UnderstoodView[];
  /** What was found or named and will not be used, and why. */
  leftOut: LeftOutEntry[];
  masks: 'files' | 'transparency' | 'none';
  /** Whether cameras are given, assumed (six views), found from the photos by the service, or missing. */
  cameras: 'given' | 'assumed' | 'found' | 'missing';
  findings: Finding[];
  bytes: number;
  /** Nothing stands in the way of sending. */
  complete: boolean;
}
