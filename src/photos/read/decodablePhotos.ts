import { isHeicName, isVideoName } from '../../capture/layout/names.js';
import { throwIfCancelled } from '../../core/errors.js';
import { convertHeic } from './convertHeic.js';
import { videoFrames } from './videoFrames.js';

/**
 * Pictures that every program decodes: HEIC photos are converted to JPEG, of videos frames are taken, both into
 * `folder`; all else stays where it is.
 *
 * @throws PHOTO_DECODER_MISSING, VIDEO_DECODER_MISSING, VIDEO_UNREADABLE, IMAGE_UNREADABLE, IMAGE_TOO_LARGE, CANCELLED
 */
export async function decodablePhotos(
  files: readonly string[],
  folder: string,
  maxPixels: number,
  signal?: AbortSignal,
): Promise<string[]> {
  const out: string[] = [];
  for (const file of files) {
    throwIfCancelled(signal);
    if (isVideoName(file)) out.push(...(await videoFrames(file, folder, signal)));
    else out.push(isHeicName(file) ? await convertHeic(file, folder, maxPixels) : file);
  }
  return out;
}
