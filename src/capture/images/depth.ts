import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { decode as decodePng } from 'fast-png';
import sharp from 'sharp';
import { PlinthError } from '../../core/errors.js';
import type { FloatImage } from '../../core/image.js';
import { anyOf, option, step } from '../../core/remedy.js';
import { exrSize, readExrDepth } from './exr.js';
import { checkPixels, readImageHeader, reason, unreadable } from './header.js';
import { decodeNpy, npySize } from './npy.js';
import { readNpz } from './npz.js';

export interface DepthDecodeOptions {
  maxPixels: number;
  /** Scene units per step (integer files) or per unit (float files); see `ReadOptions.depthScale`. */
  scale?: number;
}

export interface DepthDecoded extends FloatImage {
  /** Scene units between neighbouring values that the file can hold; 0 for float files. */
  step: number;
  /** Scene units of the stored value 1. */
  unit: number;
}

/** nerfstudio's default: 16-bit files hold millimetres. */
const MILLIMETRE = 0.001;
/** Above this, floats mean "no hit" (renderers write 65504 or 10¹⁰). */
const FAR = 65_000;
/** More than any header of a NumPy file takes. */
const NPY_HEADER = 65_536;

/**
 * Decodes a depth map to scene units; 0 = none. Integers of 0 and 65535, and floats that are not positive, not finite
 * or ≥ 65,000, mean "none".
 * Throws `DEPTH_INVALID` for 8-bit files without a stated scale (they are relative: nobody knows what a step means) and
 * formats without a reader, `IMAGE_UNREADABLE`, `IMAGE_TOO_LARGE`, `CAPTURE_FILE_MISSING`.
 */
export async function decodeDepth(file: string, options: DepthDecodeOptions): Promise<DepthDecoded> {
  const name = basename(file);
  if (/\.exr$/i.test(file)) return decodeExr(file, options);
  if (/\.np[yz]$/i.test(file)) return decodeNumpy(file, options);
  if (/\.(pfm|hdr)$/i.test(file)) throw unsupported(file, 'no reader for this format');
  const header = await readImageHeader(file, options.maxPixels);
  if (header.bits === 8 && options.scale === undefined) {
    throw new PlinthError('DEPTH_INVALID', {
      found: `${name} has 8 bits and the capture does not say what a step means`,
      expected: '16-bit metric depth, or a stated scale',
      remedy: anyOf(
        step`give depth_unit_scale_factor in the metadata`,
        step`set ${option('depthScale')}`,
        step`leave the depth out`,
      ),
      subject: file,
    });
  }
  const channel = await rawChannel(file, header);
  return toSceneUnits(file, channel, options.scale ?? (channel.isFloat ? 1 : MILLIMETRE));
}

function toSceneUnits(file: string, { width, height, values, isFloat }: RawChannel, scale: number): DepthDecoded {
  const nothing = isFloat ? FAR : 65535;
  const data = new Float32Array(width * height);
  let some = false;
  for (let i = 0; i < data.length; i++) {
    const v = values[i];
    if (!(v > 0) || v >= nothing) continue;
    data[i] = v * scale;
    some = true;
  }
  if (!some) {
    throw new PlinthError('DEPTH_INVALID', {
      found: `${basename(file)} holds no depth: all its values mean "none"`,
      expected: 'distances along the viewing axis where the object is',
      remedy: 'Export the depth map again, or leave it out',
      subject: file,
    });
  }
  return { width, height, data, step: isFloat ? 0 : scale, unit: scale };
}

/** OpenEXR: floats in scene units. */
async function decodeExr(file: string, options: DepthDecodeOptions): Promise<DepthDecoded> {
  const bytes = await readFile(file).catch((cause) => {
    throw unreadable(file, reason(cause), cause);
  });
  let channel: RawChannel;
  try {
    const { width, height } = exrSize(bytes);
    checkPixels(file, width, height, options.maxPixels);
    channel = { width, height, values: readExrDepth(bytes).data, isFloat: true };
  } catch (cause) {
    throw cause instanceof PlinthError ? cause : unsupported(file, reason(cause), cause);
  }
  return toSceneUnits(file, channel, options.scale ?? 1);
}

/** NumPy arrays: in millimetres by default, as nerfstudio takes them, floats too. */
async function decodeNumpy(file: string, options: DepthDecodeOptions): Promise<DepthDecoded> {
  let channel: RawChannel;
  try {
    const most = 8 * options.maxPixels + NPY_HEADER;
    if (!/z$/i.test(file) && (await stat(file)).size > most)
      checkPixels(file, options.maxPixels + 1, 1, options.maxPixels);
    const bytes = /z$/i.test(file) ? await readNpz(file, most) : await readFile(file);
    const { width, height } = npySize(bytes);
    checkPixels(file, width, height, options.maxPixels);
    channel = decodeNpy(bytes);
  } catch (cause) {
    throw cause instanceof PlinthError ? cause : unsupported(file, reason(cause), cause);
  }
  return toSceneUnits(file, channel, options.scale ?? MILLIMETRE);
}

function unsupported(file: string, why: string, cause?: unknown): PlinthError {
  return new PlinthError('DEPTH_INVALID', {
    found: `The depth map ${basename(file)} cannot be read: ${why}`,
    expected: 'depth as 16-bit PNG or TIFF, float TIFF, OpenEXR (scan lines, ZIP), or a NumPy array of height × width',
    remedy: 'Convert it, to a 16-bit PNG with depth_unit_scale_factor for example',
    subject: file,
    cause,
  });
}

interface RawChannel {
  width: number;
  height: number;
  values: ArrayLike<number>;
  isFloat: boolean;
}

/** The first channel with its stored numbers: no colour management, gamma or orientation touches a distance. */
async function rawChannel(file: string, header: { format: string; bits: number }): Promise<RawChannel> {
  try {
    if (header.format === 'png') {
      const png = decodePng(await readFile(file), { checkCrc: true });
      if (png.palette) throw new Error('it is a palette picture');
      const { width, height, channels } = png;
      const values = channels === 1 ? png.data : png.data.filter((_, i) => i % channels === 0);
      return { width, height, values, isFloat: false };
    }
    const depth = header.bits === 8 ? 'uchar' : header.bits === 16 ? 'ushort' : 'float';
    const channel = sharp(file, { failOn: 'error', limitInputPixels: false }).extractChannel(0);
    // Without a stated 16-bit colour space the pipeline would drop to 8 bits on the way.
    const { data, info } = await (depth === 'ushort' ? channel.toColourspace('grey16') : channel)
      .raw({ depth })
      .toBuffer({ resolveWithObject: true });
    const { width, height } = info;
    const bytes = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer;
    if (depth === 'uchar') return { width, height, values: new Uint8Array(bytes), isFloat: false };
    if (depth === 'ushort') return { width, height, values: new Uint16Array(bytes), isFloat: false };
    return { width, height, values: new Float32Array(bytes), isFloat: true };
  } catch (cause) {
    throw unreadable(file, reason(cause), cause);
  }
}
