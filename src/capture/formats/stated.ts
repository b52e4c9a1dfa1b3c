import type { Warning } from '../../core/context.js';
import type { Mat4 } from '../../core/math.js';
import type { CaptureFormat } from '../capture.js';
import type { LeftOut } from '../layout/leftOut.js';
import type { StatedIntrinsics } from '../layout/statedIntrinsics.js';

/** What a metadata file states of one picture. */
export interface StatedView {
  /** Name of the picture as the file has it. */
  picture: string;
  intrinsics: StatedIntrinsics;
  /**
   * Camera to the frame of the input: OpenGL axes (x right, y up, looking along −z), as the file has it but for its
   * axes.
   */
  cameraToInput: Mat4;
  split: 'train' | 'test';
  /** Names of files, relative to the metadata. */
  mask?: string;
  depth?: { name: string; scale?: number };
  /** Metadata file that states this view, a path of the list. */
  file: string;
}

/** What a reader of a format learned from its metadata, before any picture is looked for. */
export interface StatedCapture {
  format: CaptureFormat;
  /** What to call the metadata: a path of the list. */
  file: string;
  views: StatedView[];
  /**
   * Rotation from the frame of the input to +Y up; `cameras`: the input has no up, so it is chosen from the cameras.
   */
  up: Mat4 | 'cameras';
  /** Whether pictures are turned upright by EXIF where the stated size fits both ways. */
  orient: boolean;
  /**
   * Whether names of pictures are labels or paths of another machine, so that it is no wonder where the pictures are.
   */
  labels?: boolean;
  /**
   * Where the pictures are, in the order of `views`, where the reader found them already; else their names are relative
   * to the metadata.
   */
  located?: { paths: (string | undefined)[]; otherEndings: number };
  /** Folders in which a folder of masks may lie besides that of the metadata. */
  maskBases?: string[];
  /** Sparse points in the frame of the input (x y z interleaved). */
  points?: Float64Array;
  /** Pictures and models that the reader left out; one whose name leads to a picture counts as that picture. */
  leftOut?: LeftOut[];
  /** Stated besides; shown in the report. */
  besides?: Record<string, unknown>;
  warnings: Warning[];
}
