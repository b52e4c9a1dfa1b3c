import { dot, type Mat4, sub, type Vec3 } from '../../core/math.js';
import { focusPoint } from '../bounds/focus.js';

/** Share of the cameras that have to agree before axes are taken to be others than stated. */
const AGREED = 0.8;

/**
 * Camera-to-world matrices of OpenCV's axes (y down, z forwards) with OpenGL's (y up, z backwards), or the other way
 * round.
 */
export const swapAxes = (m: Mat4): Mat4 => m.map((v, i) => (i >= 4 && i < 12 ? 0 - v : v));

/**
 * Whether cameras that are said to look along −z look along +z: most of them look away from the one point that all
 * their axes come near. Around an object that cannot be meant.
 */
export function looksAway(poses: readonly Mat4[]): boolean {
  if (poses.length < 3) return false;
  const rays = poses.map((m) => ({
    origin: [m[12], m[13], m[14]] as Vec3,
    direction: [-m[8], -m[9], -m[10]] as Vec3,
  }));
  const focus = focusPoint(rays);
  if (!focus) return false;
  const away = rays.filter(({ origin, direction }) => dot(direction, sub(focus, origin)) < 0).length;
  return away >= AGREED * poses.length;
}
