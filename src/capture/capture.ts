import type { Bounds } from '../core/bounds.js';
import type { Camera } from '../core/camera.js';
import type { Warning } from '../core/context.js';
import type { ColorImage, FloatImage } from '../core/image.js';
import type { Mat4 } from '../core/math.js';
import type { ExportFormat } from './layout/detect.js';
import type { LeftOut } from './layout/leftOut.js';

export interface LoadOptions {
  /** The longer side of the result is at most this many pixels (area-filtered down, never up). Default: full size. */
  maxSize?: number;
}

/** A picture with its camera. Pixels are decoded on demand, so that a capture of a hundred views stays small. */
export interface View {
  /** Unique within the capture, fit for a file name: `r_12`, `front`. */
  name: string;
  /** The file the picture came from, for messages. */
  source: string;
  /** Pinhole camera of the undistorted picture at full size. */
  camera: Camera;
  /** `test` views are never used for geometry or texture. */
  split: 'train' | 'test';
  /**
   * The undistorted picture, sRGB with straight alpha; alpha is the object's mask. `image.width / camera.width` tells
   * the scale after `maxSize`; use `resizeCamera`.
   */
  loadColor(options?: LoadOptions): Promise<ColorImage>;
  /**
   * Depth map, where the capture has one. It has a camera of its own: size and alignment may differ from the picture's.
   */
  depth?: ViewDepth;
  /**
   * Typical distance by which the picture shows things beside where the other views have them, in scene units: pictures
   * that were drawn one by one do not quite fit together. Default 0.
   */
  misplacement?: number;
}

export interface ViewDepth {
  source: string;
  camera: Camera;
  /** Expected absolute error of one depth value, in scene units (quantisation and alignment). */
  accuracy: number;
  /**
   * Distance along the viewing axis in scene units, 0 = none. Full size unless `maxSize` (nearest sample, never
   * averaged).
   */
  load(options?: LoadOptions): Promise<FloatImage>;
  /**
   * Expected absolute error of each depth value in scene units, where it differs from pixel to pixel; then `accuracy`
   * is the median. Of the same size as what `load` gives.
   */
  loadAccuracy?(options?: LoadOptions): Promise<FloatImage>;
  /** Found from the pictures, by multi-view stereo: full of gaps, and wrong here and there. Default false. */
  fromPictures?: boolean;
}

export type CaptureFormat =
  | 'nerf-synthetic'
  | 'instant-ngp'
  | 'nerfstudio'
  | 'colmap'
  | ExportFormat
  | 'six-view'
  | 'object'
  | 'photos';

/** A part of a capture that was found or named and not used, with what is known of it. */
export interface LeftOutPart extends LeftOut {
  /** Absolute path, where there is such a file. */
  file?: string;
  /** Where its camera stands in world space, where that is known. */
  cameraToWorld?: Mat4;
}

/** Where masks that a reader finds come from. */
export type ReadMasks = 'alpha' | 'files' | 'depth' | 'background' | 'none';

/** Points of a sparse reconstruction. */
export interface SparsePoints {
  /** x, y, z of every point in world space. */
  positions: Float64Array;
  /** By the name of a view: indices of the points that it shows. Absent where that is not known. */
  seen?: ReadonlyMap<string, Uint32Array>;
}

/** Everything Plinth knows about a set of pictures, in one coordinate frame. */
export interface Capture {
  name: string;
  /** The folder or archive it was read from. */
  source: string;
  format: CaptureFormat;
  views: View[];
  /**
   * `none`: nobody knows where the pictures were taken from; cameras and bounds are placeholders, and only methods that
   * say so take it. Absent: the views' cameras are known.
   */
  cameras?: 'none';
  /**
   * Bounding box of the object in world space, found from masks, depth or points; a little generous, never too small.
   */
  bounds: Bounds;
  /** The rotation that the reader applied to bring the input's frame to +Y up: `world = inputToWorld · input`. */
  inputToWorld: Mat4;
  /**
   * True where the scene unit is known to be the input's own (posed captures); false where Plinth had to choose a
   * scale.
   */
  scaleKnown: boolean;
  /** Where masks came from; `object`: found in the pictures themselves, see `findObject`. */
  masks: ReadMasks | 'object';
  /** Points that the cameras were found by, where there are any: they start the search for masks and depth. */
  points?: SparsePoints;
  /** What the reader had to estimate, with how well the views agree; shown in the report. JSON-serialisable. */
  estimated?: Record<string, unknown>;
  warnings: Warning[];
  /** Pictures, masks, depth maps and cameras that were not used, and why. Absent: none are known. */
  leftOut?: LeftOutPart[];
  /** Removes temporary files (an unpacked archive). Safe to call twice. */
  dispose(): Promise<void>;
}
