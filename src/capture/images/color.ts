import sharp from 'sharp';
import type { ColorImage } from '../../core/image.js';
import { readImageHeader, reason, unreadable } from './header.js';

export interface DecodeOptions {
  /** Pixels above which the picture is refused. */
  maxPixels: number;
  /** Whether the EXIF orientation turns the picture. Default: true. */
  orient?: boolean;
}

/**
 * Decodes a picture to 8-bit sRGB with straight alpha. Grey, palette, 16-bit and CMYK pictures and embedded colour
 * profiles are converted; a damaged or truncated file is refused, never filled up with grey.
 * Throws `IMAGE_UNREADABLE`, `IMAGE_TOO_LARGE`, `CAPTURE_FILE_MISSING`.
 */
export async function decodeColor(file: string, options: DecodeOptions): Promise<ColorImage> {
  await readImageHeader(file, options.maxPixels);
  try {
    const input = sharp(file, { failOn: 'error', limitInputPixels: false, sequentialRead: true });
    const { data, info } = await (options.orient === false ? input : input.autoOrient())
      .toColourspace('srgb')
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 4) throw new Error(`it decodes to ${info.channels} channels`);
    return {
      width: info.width,
      height: info.height,
      data: new Uint8ClampedArray(data.buffer, data.byteOffset, data.length),
    };
  } catch (cause) {
    throw unreadable(file, reason(cause), cause);
  }
}

/** A mask as one channel, 0 (background) … 255 (object). */
export interface MaskImage {
  width: number;
  height: number;
  data: Uint8Array;
}

/**
 * Reads a mask file: its luminance, or its alpha where only that varies. Files with the values 0 and 1 are spread to 0
 * and 255. Errors as for `decodeColor`.
 */
export async function decodeMask(file: string, options: DecodeOptions): Promise<MaskImage> {
  const image = await decodeColor(file, options);
  const count = image.width * image.height;
  const data = new Uint8Array(count);
  let most = 0;
  let leastLuminance = 255;
  let leastAlpha = 255;
  for (let i = 0, p = 0; i < count; i++, p += 4) {
    const luminance = Math.max(image.data[p], image.data[p + 1], image.data[p + 2]);
    if (luminance < leastLuminance) leastLuminance = luminance;
    if (luminance > most) most = luminance;
    if (image.data[p + 3] < leastAlpha) leastAlpha = image.data[p + 3];
    data[i] = Math.round((luminance * image.data[p + 3]) / 255);
  }
  if (leastLuminance === most && leastAlpha < 255) {
    for (let i = 0; i < count; i++) data[i] = image.data[i * 4 + 3];
  } else if (most === 1) {
    for (let i = 0; i < count; i++) data[i] *= 255;
  }
  return { width: image.width, height: image.height, data };
}
