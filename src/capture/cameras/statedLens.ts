import { basename } from 'node:path';
import type { Warning } from '../../core/context.js';
import { PlinthError } from '../../core/errors.js';
import type { ImageHeader } from '../images/header.js';
import type { StatedIntrinsics } from '../layout/statedIntrinsics.js';
import { checkIntrinsics } from './checkCamera.js';
import type { Lens } from './lens.js';

export interface StatedLens {
  lens: Lens;
  /** Whether the EXIF orientation has to be applied, so that the picture is the one that the intrinsics describe. */
  orient: boolean;
  warning?: Warning;
}

/**
 * Joins stated intrinsics with the picture they are for. Pictures with an EXIF orientation are turned upright, unless
 * the stated size is that of the stored pixels: then the cameras were solved on those. A picture of another size but
 * the same shape is taken to be scaled. `orientByDefault` decides where the stated size fits both (none stated, or
 * turned by 180°).
 *
 * Throws `IMAGE_SIZE_MISMATCH` and `CAPTURE_CAMERA_INVALID`.
 *
 * @param focalHint focal length in pixels from EXIF, for a file that states none
 */
export function stateLens(
  stated: StatedIntrinsics,
  header: ImageHeader,
  file: string,
  orientByDefault: boolean,
  focalHint?: number,
): StatedLens {
  const subject = basename(file);
  const turned = header.orientation >= 5;
  const stored = { width: header.width, height: header.height };
  const upright = turned ? { width: header.height, height: header.width } : stored;
  const W = stated.width ?? (orientByDefault ? upright.width : stored.width);
  const H = stated.height ?? (orientByDefault ? upright.height : stored.height);
  if (!(W >= 1 && H >= 1 && Number.isFinite(W) && Number.isFinite(H))) {
    throw new PlinthError('CAPTURE_CAMERA_INVALID', {
      found: `The camera of ${subject} has the size ${W} × ${H}`,
      expected: 'at least one pixel',
      remedy: 'Correct w and h',
      subject: file,
    });
  }
  const sameShape = (size: { width: number; height: number }): boolean =>
    // One pixel of rounding on either side, or half a percent.
    Math.abs(size.width * H - size.height * W) <= Math.max(W, H, size.width, size.height) * 1.01 ||
    Math.abs((size.width * H) / (size.height * W) - 1) < 0.005;
  const order = orientByDefault ? [upright, stored] : [stored, upright];
  const size = order.find((s) => s.width === W && s.height === H) ?? order.find(sameShape);
  if (!size) {
    throw new PlinthError('IMAGE_SIZE_MISMATCH', {
      found: `${subject} is ${upright.width} × ${upright.height} pixels, but its camera is for ${W} × ${H}`,
      expected: 'a picture of that size, or scaled without changing its shape',
      remedy: 'Use the pictures that the cameras were made for, or correct w, h, cx and cy',
      subject: file,
    });
  }
  const { fx, fy, warning } = focalLengths(stated, W, H, subject, focalHint);
  const sx = size.width / W;
  const sy = size.height / H;
  const lens: Lens = {
    model: stated.model ?? 'brown',
    k: stated.k ?? [],
    d: stated.d,
    p: stated.p,
    s: stated.s,
    width: size.width,
    height: size.height,
    fx: fx * sx,
    fy: fy * sy,
    cx: (stated.cx ?? W / 2) * sx,
    cy: (stated.cy ?? H / 2) * sy,
  };
  checkIntrinsics(lens, subject);
  for (const value of [...lens.k, ...(lens.d ?? []), ...(lens.p ?? []), ...(lens.s ?? [])]) {
    if (Number.isFinite(value)) continue;
    throw new PlinthError('CAPTURE_CAMERA_INVALID', {
      found: `The camera of ${subject} has distortion coefficients that are not finite`,
      expected: 'finite numbers',
      remedy: 'Export the cameras again',
      subject: file,
    });
  }
  const scaled: Warning | undefined =
    size.width === W && size.height === H
      ? undefined
      : {
          code: 'IMAGE_SIZE_MISMATCH',
          message:
            `${subject} is ${size.width} × ${size.height} pixels, its camera is for ${W} × ${H}: the camera ` +
            'was scaled.',
          subject,
          remedy: 'Use the pictures at the size that the cameras were made for, if there are any.',
        };
  const orient = size === upright ? size !== stored || orientByDefault : false;
  return { lens, orient, warning: scaled ?? warning };
}

function focalLengths(
  stated: StatedIntrinsics,
  width: number,
  height: number,
  subject: string,
  hint?: number,
): { fx: number; fy: number; warning?: Warning } {
  const fromAngle = (angle: number | undefined, size: number, name: string): number | undefined => {
    if (angle === undefined) return undefined;
    if (angle > 0 && angle < Math.PI) return size / 2 / Math.tan(angle / 2);
    throw new PlinthError('CAPTURE_CAMERA_INVALID', {
      found: `The camera of ${subject} has the field of view ${name} = ${angle}`,
      expected: 'an angle between 0 and π radians',
      remedy:
        angle > Math.PI && angle < 180
          ? `Give radians: ${angle}° are ${((angle * Math.PI) / 180).toFixed(6)}`
          : 'Correct it',
      subject,
    });
  };
  const x = stated.fx ?? fromAngle(stated.angleX, width, 'camera_angle_x');
  const y = stated.fy ?? fromAngle(stated.angleY, height, 'camera_angle_y');
  const fx = x ?? y;
  if (fx !== undefined) return { fx, fy: y ?? fx };
  if (hint !== undefined) {
    const warning: Warning = {
      code: 'CAPTURE_FOCAL_FROM_EXIF',
      message:
        `The metadata state no focal length; ${hint.toFixed(0)} pixels were taken from the EXIF data of the ` +
        'pictures.',
      remedy: 'Give fl_x or camera_angle_x: EXIF focal lengths are good to a few percent only.',
    };
    return { fx: hint, fy: hint, warning };
  }
  throw new PlinthError('CAPTURE_CAMERA_INVALID', {
    found: `The camera of ${subject} has no focal length, and neither has the EXIF data of the picture`,
    expected: 'fl_x (pixels) or camera_angle_x (radians), for the whole file or the frame',
    remedy: 'Add one of them',
    subject,
  });
}
