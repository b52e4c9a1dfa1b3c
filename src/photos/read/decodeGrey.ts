import sharp from 'sharp';
import { reason, unreadable } from '../../capture/images/header.js';
import type { GreyPicture } from '../features/sift.js';
import type { Photo } from './readPhotos.js';

/**
 * Decodes a photo to grey as stored (the EXIF orientation not applied), scaled down to at most `longerSide` pixels.
 *
 * @throws IMAGE_UNREADABLE
 */
export async function decodeGrey(
  photo: Pick<Photo, 'file' | 'width' | 'height'>,
  longerSide: number,
): Promise<GreyPicture> {
  try {
    const { data, info } = await sharp(photo.file, { failOn: 'error', limitInputPixels: false, sequentialRead: true })
      .resize(longerSide, longerSide, { fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#808080' })
      .toColourspace('b-w')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 1) throw new Error(`it decodes to ${info.channels} channels`);
    const { width, height } = info;
    return { width, height, data, scaleX: photo.width / width, scaleY: photo.height / height };
  } catch (cause) {
    throw unreadable(photo.file, reason(cause), cause);
  }
}
