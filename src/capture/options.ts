import { PlinthError } from '../core/errors.js';
import { assignDefaults, type Filled } from '../core/options.js';
import type { CheckpointStore } from '../core/platform.js';
import type { SixViewOptions } from './sixView/options.js';

/**
 * Where masks may come from; `auto` takes the first that the capture has, in the order files, alpha, depth, background.
 */
export const MASK_SOURCES = ['auto', 'files', 'alpha', 'depth', 'background', 'none'] as const;
/** Where masks come from; `auto` takes the first of the others that there is. */
export type MaskSource = (typeof MASK_SOURCES)[number];

/**
 * A length that is known, in any unit: the cameras' mean distance from what they look at, or how far the cameras of two
 * photos, named by their files, stood apart.
 */
export type StatedLength = { meanDistance: number } | { between: [string, string]; distance: number };

/** Limits and choices of the readers. */
export interface ReadOptions {
  /** An image with more pixels than this is refused from its header, before decoding. Default: 64,000,000. */
  maxPixels?: number;
  /** A capture with more pictures than this is refused. Default: 5,000. */
  maxViews?: number;
  /** Bytes that an archive may unpack to. Default: 8 GiB. */
  maxArchiveBytes?: number;
  /** Entries (files and folders) that an archive may have. Default: 20,000. */
  maxArchiveEntries?: number;
  /**
   * Unpacked size over packed size that an archive, or an entry of it, may have once it unpacks to more than 32 MiB.
   * Pictures hardly compress: an honest capture stays below 30. Default: 200.
   */
  maxArchiveRatio?: number;
  /** Where masks come from. Default: `auto`. */
  masks?: MaskSource;
  /**
   * Exchange object and background in mask files and transparency, for masks that are the wrong way round. Default:
   * false.
   */
  invertMasks?: boolean;
  /**
   * Scene units per step of an integer depth map, or per unit of a float one; overrides what the capture says. Default:
   * `depth_unit_scale_factor` of the metadata, else 0.001 for 16-bit files (millimetres, as in nerfstudio), 1 for float
   * files.
   */
  depthScale?: number;
  /** Where archives are unpacked. Default: the system's folder for temporary files. */
  tempFolder?: string;
  /**
   * Refuse a capture that gives any warning, with `CAPTURE_NOT_CLEAN` that lists them: for pipelines. Default: false.
   */
  strict?: boolean;
  /** How six named views are understood where there are no cameras. */
  sixView?: SixViewOptions;
  /**
   * A length of photos whose cameras are found, which makes its unit the scene's. Default: the unit is the cameras' mean
   * distance from what they look at. Captures that state cameras have a scale, and are refused with it.
   */
  scale?: StatedLength;
  /**
   * Is told how far the reading of pictures is, 0…1, and what is being read; what follows the pictures (the estimation
   * of six views' cameras, bounds) comes after 1.
   */
  onProgress?: (fraction: number, what: string) => void;
  /**
   * Take photos without cameras as they are, one or more, where their masks are known: for methods that need no
   * cameras. Where masks are not known, cameras are found as ever, since the object is then found by them. Default:
   * false.
   */
  withoutCameras?: boolean;
  /**
   * Keeps what takes long to find, by the content of the pictures: cameras of photos. Default: nothing is kept.
   */
  checkpoints?: CheckpointStore;
  /** Reading stops with `CANCELLED` within a second of an abort. */
  signal?: AbortSignal;
}

export const READ_DEFAULTS = {
  maxPixels: 64_000_000,
  maxViews: 5_000,
  maxArchiveBytes: 8 * 2 ** 30,
  maxArchiveEntries: 20_000,
  maxArchiveRatio: 200,
  masks: 'auto',
  invertMasks: false,
  strict: false,
  withoutCameras: false,
} as const satisfies ReadOptions;

export type ResolvedReadOptions = Filled<ReadOptions, typeof READ_DEFAULTS>;

/** Fills in the defaults. Throws `OPTION_INVALID` for a value outside its range. */
export function resolveReadOptions(options: ReadOptions = {}): ResolvedReadOptions {
  const resolved: ResolvedReadOptions = assignDefaults(READ_DEFAULTS, options);
  for (const name of ['maxPixels', 'maxViews', 'maxArchiveBytes', 'maxArchiveEntries', 'maxArchiveRatio'] as const) {
    if (!(resolved[name] >= 1)) invalid(name, resolved[name], 'a number of at least 1');
  }
  if (!MASK_SOURCES.includes(resolved.masks)) invalid('masks', resolved.masks, `one of ${MASK_SOURCES.join(', ')}`);
  const { depthScale } = resolved;
  if (depthScale !== undefined && !(depthScale > 0 && Number.isFinite(depthScale))) {
    invalid('depthScale', depthScale, 'a positive number');
  }
  const { scale } = resolved;
  if (scale) {
    const length = 'between' in scale ? scale.distance : scale.meanDistance;
    // Beyond, areas and volumes leave the range of 32-bit floats.
    if (!(length >= 1e-6 && length <= 1e6)) invalid('scale', length, 'a length from 0.000001 to 1000000');
  }
  return resolved;
}

function invalid(name: string, value: unknown, expected: string): never {
  throw new PlinthError('OPTION_INVALID', { found: `Option ${name} is ${String(value)}`, expected, subject: name });
}
