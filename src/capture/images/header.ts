import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import sharp, { type Metadata } from 'sharp';
import { PlinthError } from '../../core/errors.js';
import { anyOf, option, step } from '../../core/remedy.js';

export interface ImageHeader {
  format: string;
  /** Size of the stored pixels, before the EXIF orientation is applied. */
  width: number;
  height: number;
  channels: number;
  /** Bits of one channel of one pixel. */
  bits: 8 | 16 | 32;
  hasAlpha: boolean;
  /** EXIF orientation 1…8; 1 where there is none. */
  orientation: number;
}

const READABLE = new Set(['png', 'jpeg', 'webp', 'heif', 'tiff']);

/**
 * Reads only the header, so that a picture of a hundred megapixels costs nothing.
 * Throws `IMAGE_UNREADABLE`, `IMAGE_TOO_LARGE`, `CAPTURE_FILE_MISSING`.
 */
export async function readImageHeader(file: string, maxPixels: number): Promise<ImageHeader> {
  const info = await stat(file).catch(() => undefined);
  if (!info?.isFile()) {
    throw new PlinthError('CAPTURE_FILE_MISSING', {
      found: `${file} does not exist or is not a file`,
      expected: 'an image file',
      remedy: 'Add the file, or take its view out of the capture',
      subject: file,
    });
  }
  let metadata: Metadata;
  try {
    metadata = await sharp(file, { limitInputPixels: false }).metadata();
  } catch (cause) {
    throw unreadable(file, info.size === 0 ? 'it is empty' : reason(cause), cause);
  }
  const { width, height, format } = metadata;
  if (!READABLE.has(format ?? '') || !width || !height) throw unreadable(file, `it is of the format ${format}`);
  checkPixels(file, width, height, maxPixels);
  const depth = metadata.depth ?? 'uchar';
  return {
    format: format ?? '',
    width,
    height,
    channels: metadata.channels ?? 3,
    bits: depth === 'uchar' || depth === 'char' ? 8 : depth === 'ushort' || depth === 'short' ? 16 : 32,
    hasAlpha: metadata.hasAlpha ?? false,
    orientation: metadata.orientation ?? 1,
  };
}

/** Throws `IMAGE_TOO_LARGE`. */
export function checkPixels(file: string, width: number, height: number, maxPixels: number): void {
  if (width * height > maxPixels) {
    throw new PlinthError('IMAGE_TOO_LARGE', {
      found: `${basename(file)} is ${width} × ${height} pixels (${((width * height) / 1e6).toFixed(1)} megapixels)`,
      expected: `at most ${(maxPixels / 1e6).toFixed(1)} megapixels`,
      remedy: anyOf(
        step`scale the pictures down (4096 pixels on the longer side keep all detail that Plinth uses)`,
        step`raise ${option('maxPixels')}`,
      ),
      subject: file,
    });
  }
}

export function unreadable(file: string, why: string, cause?: unknown): PlinthError {
  return new PlinthError('IMAGE_UNREADABLE', {
    found: `${basename(file)} cannot be read: ${why}`,
    expected: 'a complete PNG, JPEG, WebP, AVIF or TIFF file',
    remedy: 'Copy or export the picture again',
    subject: file,
    cause,
  });
}

/** The decoder's message without its paths and line breaks. */
export function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0].replace(/\/\S*\//g, '');
}
