import { basename } from 'node:path';
import { PlinthError } from '../core/errors.js';
import { anyOf, command, step } from '../core/remedy.js';
import { readExif } from './images/exif.js';
import { readImageHeader } from './images/header.js';

/**
 * The error for pictures without cameras: says what EXIF knows, and which inputs would work.
 * @param isHere whether the pictures are here to be looked at
 */
export async function noCameras(images: readonly string[], isHere = true): Promise<PlinthError> {
  const header = isHere && (await readImageHeader(images[0], Number.POSITIVE_INFINITY).catch(() => undefined));
  const exif = header ? await readExif(images[0], header.width, header.height) : {};
  const camera = [exif.make, exif.model].filter(Boolean).join(' ');
  const focal = exif.focalLength ? `${exif.focalLength} mm` : undefined;
  const pixels = exif.focalPixels ? `about ${exif.focalPixels.toFixed(0)} pixels` : undefined;
  const known = [camera, focal, pixels].filter(Boolean).join(', ');
  const said = known
    ? `EXIF of ${basename(images[0])} says ${known}, which is a focal length but no position`
    : `${basename(images[0])} has no EXIF data on its camera`;
  return new PlinthError('CAPTURE_NO_CAMERAS', {
    found: `There are ${images.length} pictures but nothing says where their cameras stood${isHere ? ` (${said})` : ''}`,
    expected:
      'transforms.json beside the pictures (NeRF, instant-ngp, nerfstudio), a COLMAP model in sparse/0 (text ' +
      'or binary), or six pictures named front, back, left, right, top and bottom in multi_views/',
    remedy: anyOf(
      step`put the transforms.json beside the pictures that ${command('cameras')} makes of them`,
      step`run COLMAP or nerfstudio (ns-process-data) on the pictures and give the folder it makes`,
    ),
    subject: images[0],
  });
}
