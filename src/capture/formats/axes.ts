import { dot, type Mat4, sub, type Vec3 } from '../../core/math.js';
import { focusPoint } from '../bounds/focus.js';

/** Share of the cameras that have to agree before axes are taken to be others than stated. */
const AGREED = 0.8;

/**
 * Camera-to-world matrices of OpenCV's axes (y down, z forwards) with OpenGL's (y up, z backwards), or the other way
 * round.
 */
export const swapAxes = (m: Mat4): Mat4 => m.map((v, i) => (i >= 4 && i < 12 ? 0 - v : v));

/** Camera-to-world matrices of cameras that were turned by half a turn about their own up axis, turned back. */
export const turnAbout = (m: Mat4): Mat4 => m.map((v, i) => (i < 4 || (i >= 8 && i < 12) ? 0 - v : v));

/** Whether most cameras stand upright, with their y axis towards the up of their world. */
export const standUpright = (poses: readonly Mat4[], up: Vec3): boolean =>
  poses.filter((m) => m[4] * up[0] + m[5] * up[1] + m[6] * up[2] > 0).length > poses.length / 2;

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
