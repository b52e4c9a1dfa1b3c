import { PlinthError } from '../../core/errors.js';
import { fileName } from './names.js';

/** The error for photos and videos in formats that are not decoded, by their true name. */
export function unreadPictures(
  { what, names }: { what: 'pictures' | 'videos'; names: readonly string[] },
  subject: string,
): PlinthError {
  const kind = names[0].slice(names[0].lastIndexOf('.') + 1).toUpperCase();
  const list = names.slice(0, 3).map(fileName).join(', ') + (names.length > 3 ? ', …' : '');
  const isVideo = what === 'videos';
  return new PlinthError('CAPTURE_UNRECOGNISED', {
    found: `There ${names.length === 1 ? 'is a' : `are ${names.length}`} ${isVideo ? '' : `${kind} `}${isVideo ? (names.length === 1 ? 'video' : 'videos') : names.length === 1 ? 'picture' : 'pictures'} (${list}), which ${names.length === 1 ? 'is' : 'are'} not decoded, and nothing says where the cameras stood`,
    expected:
      'pictures as PNG, JPEG, WebP, AVIF or TIFF with their cameras: transforms.json, a COLMAP model, or six ' +
      'named views',
    remedy: isVideo
      ? 'Take pictures from the video (ffmpeg -i video.mp4 -vf fps=2 images/%04d.jpg), then run COLMAP or ' +
        'nerfstudio (ns-process-data) on them'
      : 'Convert them to JPEG or PNG, then run COLMAP or nerfstudio (ns-process-data) on them',
    subject,
  });
}
