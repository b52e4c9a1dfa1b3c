import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { mapLimited } from '../../capture/concurrency.js';
import { readExif } from '../../capture/images/exif.js';
import { readImageHeader } from '../../capture/images/header.js';

/** What is known of a photo before its pixels are looked at. */
export interface Photo {
  /** The file's name. */
  name: string;
  file: string;
  /**
   * Pixels as stored, before the EXIF orientation is applied: the sensor's frame, which portrait and landscape photos
   * share.
   */
  width: number;
  height: number;
  /** EXIF orientation 1 … 8: how the stored picture is to be turned to stand upright. */
  orientation: number;
  make?: string;
  model?: string;
  lensModel?: string;
  /** Millimetres. */
  focalLength?: number;
  /** Focal length in pixels of the stored picture, where EXIF states it. */
  focalPixels?: number;
  /** Name of an earlier photo with the same bytes. */
  duplicateOf?: string;
  /** SHA-256 of its bytes, in hexadecimal digits. */
  digest?: string;
}

/** Photos that are read at the same time. */
const AT_ONCE = 4;

/**
 * Reads headers and EXIF data of photos.
 *
 * @throws IMAGE_UNREADABLE, IMAGE_TOO_LARGE, CAPTURE_FILE_MISSING, CANCELLED
 */
export async function readPhotos(files: readonly string[], maxPixels: number, signal?: AbortSignal): Promise<Photo[]> {
  const digests = new Map<string, string>();
  const read = await mapLimited(
    files,
    AT_ONCE,
    async (file) => {
      const { width, height, orientation } = await readImageHeader(file, maxPixels);
      const exif = await readExif(file, width, height);
      const digest = createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
      return { photo: { name: basename(file), file, width, height, orientation, ...exif }, digest };
    },
    signal,
  );
  return read.map(({ photo, digest }): Photo => {
    const duplicateOf = digests.get(digest);
    if (duplicateOf === undefined) digests.set(digest, photo.name);
    return { ...photo, duplicateOf, digest };
  });
}
