import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import exifr from 'exifr';
import sharp from 'sharp';
import { readImageHeader, unreadable } from '../../capture/images/header.js';
import { PlinthError } from '../../core/errors.js';

/** The part of libheif-js that is used; it has no types. */
interface HeifImage {
  get_width(): number;
  get_height(): number;
  display(
    into: { data: Uint8ClampedArray; width: number; height: number },
    done: (filled: { data: Uint8ClampedArray } | null) => void,
  ): void;
}
interface Heif {
  HeifDecoder: new () => { decode(bytes: Uint8Array): HeifImage[] };
}

/** JPEG quality at which a converted photo differs from its source by less than its noise. */
const QUALITY = 95;

/**
 * Converts a HEIC photo, as iPhones take them, to an upright JPEG with the same camera data, since most programs that
 * read cameras cannot read HEIC. The decoder is optional: it comes under the LGPL and is loaded where it is there.
 *
 * @param folder where the JPEG goes; it is made
 * @returns its path
 * @throws PHOTO_DECODER_MISSING, IMAGE_UNREADABLE, IMAGE_TOO_LARGE
 */
export async function convertHeic(file: string, folder: string, maxPixels: number): Promise<string> {
  await readImageHeader(file, maxPixels);
  const { HeifDecoder } = await loadDecoder(file);
  let image: HeifImage | undefined;
  try {
    [image] = new HeifDecoder().decode(await readFile(file));
  } catch (cause) {
    throw unreadable(file, 'the HEIC decoder refuses it', cause);
  }
  if (!image) throw unreadable(file, 'it holds no picture');
  const [w, h] = [image.get_width(), image.get_height()];
  const data = new Uint8ClampedArray(w * h * 4);
  await new Promise<void>((resolve, reject) => {
    image.display({ data, width: w, height: h }, (filled) =>
      filled ? resolve() : reject(unreadable(file, 'the HEIC decoder refuses its pixels')),
    );
  });
  await mkdir(folder, { recursive: true });
  const target = join(folder, `${basename(file).replace(/\.[^.]+$/, '')}.jpg`);
  await sharp(data, { raw: { width: w, height: h, channels: 4 } })
    .removeAlpha()
    .withExif(await cameraData(file))
    .jpeg({ quality: QUALITY, chromaSubsampling: '4:4:4' })
    .toFile(target);
  return target;
}

async function loadDecoder(file: string): Promise<Heif> {
  // Named by a variable, so that the compiler does not ask for types that the package does not have.
  const name = 'libheif-js/wasm-bundle.js';
  try {
    const loaded = (await import(name)) as { default: Heif };
    return loaded.default;
  } catch (cause) {
    throw new PlinthError('PHOTO_DECODER_MISSING', {
      found: `${basename(file)} is a HEIC photo, and its decoder is not installed`,
      expected: 'the package libheif-js',
      remedy: 'Install it with "npm install libheif-js", or export the photos as JPEG',
      subject: file,
      cause,
    });
  }
}

/**
 * Camera, lens and focal length of the photo as EXIF tags for sharp. The orientation is left out: decoding has applied
 * it.
 */
async function cameraData(file: string): Promise<{ IFD0: Record<string, string>; IFD2: Record<string, string> }> {
  const { exif } = await sharp(file).metadata();
  const wanted = ['Make', 'Model', 'LensModel', 'FocalLength', 'FocalLengthIn35mmFormat'];
  let tags: Record<string, unknown> = {};
  try {
    // The block begins with "Exif" and two zeros; exifr wants what follows.
    if (exif) tags = ((await exifr.parse(exif.subarray(6), wanted)) as Record<string, unknown> | undefined) ?? {};
  } catch {
    tags = {};
  }
  const kept = (names: Record<string, string>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(names).flatMap(([ours, sharps]) => {
        const value = tags[ours];
        return value === undefined ? [] : [[sharps, exifText(value)]];
      }),
    );
  return {
    IFD0: kept({ Make: 'Make', Model: 'Model' }),
    IFD2: kept({
      LensModel: 'LensModel',
      FocalLength: 'FocalLength',
      FocalLengthIn35mmFormat: 'FocalLengthIn35mmFilm',
    }),
  };
}

/** Fractions are written as such: 4.25 as 4250/1000. */
const exifText = (value: unknown): string =>
  typeof value === 'number' && !Number.isInteger(value) ? `${Math.round(value * 1000)}/1000` : String(value);
