import type { Camera } from '../core/camera.js';
import type { ColorImage, FloatImage } from '../core/image.js';
import type { Mat4 } from '../core/math.js';
import type { Lens } from './cameras/lens.js';
import { decodeColor, decodeMask, type MaskImage } from './images/color.js';
import { type DepthDecoded, decodeDepth } from './images/depth.js';
import { turnRound } from './masks/turnRound.js';
import type { ResolvedReadOptions } from './options.js';

/** What a reader learned about one picture from the metadata, before its pixels are looked at. */
export interface ViewSource {
  /** Unique, fit for a file name. */
  name: string;
  /** Absolute path of the picture. */
  image: string;
  /** Whether the EXIF orientation turns the stored pixels into those that the lens describes. */
  orient: boolean;
  /** Lens of the picture as stored (distorted), at the picture's own size. */
  lens: Lens;
  /** Camera to world (+Y up), rigid. */
  cameraToWorld: Mat4;
  split: 'train' | 'test';
  /** Absolute path of a mask file. */
  mask?: string;
  /** The mask's white is what to leave out, not the object. */
  maskInverted?: boolean;
  /** Where this view's mask comes from, where that is not where the capture's masks come from. */
  masks?: 'alpha' | 'depth' | 'background';
  depth?: {
    file: string;
    /** Scene units per stored unit, where stated. */
    scale?: number;
    /** Its own camera, where it is not the picture's. */
    camera?: Camera;
    /** Scene units, where stated. */
    accuracy?: number;
  };
  /**
   * Pixels that the caller holds; they go before the files of the same meaning, whose paths are then names for
   * messages.
   */
  memory?: { color?: ColorImage; mask?: MaskImage; depth?: FloatImage };
}

/**
 * The picture as stored: distorted, its own alpha, upright where the lens is for the upright picture. Fresh on every
 * call.
 */
export async function sourceColor(source: ViewSource, { maxPixels }: ResolvedReadOptions): Promise<ColorImage> {
  const held = source.memory?.color;
  if (held) return { width: held.width, height: held.height, data: new Uint8ClampedArray(held.data) };
  return decodeColor(source.image, { maxPixels, orient: source.orient });
}

/** The mask file of a view that has one. */
export async function sourceMask(source: ViewSource, options: ResolvedReadOptions): Promise<MaskImage> {
  const { maxPixels, invertMasks } = options;
  const mask = source.memory?.mask ?? (await decodeMask(source.mask!, { maxPixels, orient: source.orient }));
  const isInverted = (source.maskInverted ?? false) !== invertMasks;
  return isInverted ? { ...mask, data: turnRound(mask.data) } : mask;
}

/** The depth map of a view that has one, in scene units. */
export async function sourceDepth(source: ViewSource, options: ResolvedReadOptions): Promise<DepthDecoded> {
  const held = source.memory?.depth;
  if (held) return { ...held, data: held.data.map((v) => (v > 0 && Number.isFinite(v) ? v : 0)), step: 0, unit: 1 };
  const depth = source.depth!;
  return decodeDepth(depth.file, { maxPixels: options.maxPixels, scale: options.depthScale ?? depth.scale });
}

/** Makes names unique and fit for files: the picture's name, with its folders where names alone would collide. */
export function viewNames(paths: readonly string[]): string[] {
  const clean = (text: string): string =>
    text
      .normalize('NFC')
      .replace(/[^\p{L}\p{M}\p{N}._-]+/gu, '_')
      .replace(/^[._]+/, '')
      .slice(-100) || 'view';
  const parts = paths.map((path) => {
    const names = path
      .replaceAll('\\', '/')
      .split('/')
      .filter((part) => part !== '' && part !== '.');
    names[names.length - 1] = names[names.length - 1].replace(/\.(png|jpe?g|webp|avif|tiff?)$/i, '');
    return names;
  });
  const short = parts.map((names) => clean(names[names.length - 1]));
  const distinct = (names: readonly string[]): boolean =>
    new Set(names.map((n) => n.toLowerCase())).size === names.length;
  if (distinct(short)) return short;
  const long = parts.map((names) => clean(names.join('_')));
  if (distinct(long)) return long;
  const seen = new Map<string, number>();
  return long.map((name) => {
    const count = (seen.get(name.toLowerCase()) ?? 0) + 1;
    seen.set(name.toLowerCase(), count);
    return count === 1 ? name : `${name}_${count}`;
  });
}
