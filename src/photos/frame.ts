import { rotationTo, upDirection } from '../capture/formats/up.js';
import { PlinthError } from '../core/errors.js';
import { solveSymmetricInPlace } from '../core/linearSolve.js';
import { length, type Mat4, multiply, scale, sub, transformDirection, type Vec3 } from '../core/math.js';
import type { Pose } from './mapper/p3p.js';
import type { Scene } from './mapper/scene.js';
import { centreOf } from './mapper/triangulate.js';
import type { Photo } from './read/readPhotos.js';
import { findSupportPlane } from './supportPlane.js';

/** A similarity from the mapper's frame to the world: p ↦ scale · R p + offset. */
export interface Frame {
  /** Rigid part R, without the offset. */
  rotation: Mat4;
  scale: number;
  offset: Vec3;
  /** Whether a unit is the one in which the user stated a length. */
  scaleKnown: boolean;
  /** Height of what the object stands on, where that is to be seen; up is then at right angles to it. */
  support?: number;
}

/** A length that the user knows: what the cameras' mean distance is, or how far two cameras stand apart. */
export type KnownLength = { meanDistance: number } | { between: [number, number]; distance: number };

/**
 * Clockwise quarter turns that bring a stored picture upright, by EXIF orientation (mirrored ones as their unmirrored
 * kin).
 */
export const quarterTurns = (orientation: number): number => [0, 0, 0, 2, 2, 1, 1, 3, 3][orientation] ?? 0;

/** Camera to mapper frame with OpenGL axes (x right, y up, z backwards) of the upright picture. */
export function uprightPose(pose: Pose, orientation: number): Mat4 {
  const { rotation: r } = pose;
  const [x, y, z] = [0, 1, 2].map((k): Vec3 => [r[k * 3], r[k * 3 + 1], r[k * 3 + 2]]);
  const minus = (v: Vec3): Vec3 => scale(v, -1);
  // Right and down of the upright picture, in the stored picture's axes.
  const [right, down] = (
    [
      [x, y],
      [minus(y), x],
      [minus(x), minus(y)],
      [y, minus(x)],
    ] as [Vec3, Vec3][]
  )[quarterTurns(orientation)];
  return [...right, 0, ...minus(down), 0, ...minus(z), 0, ...centreOf(pose), 1];
}

/**
 * The frame of Plinth's world: up from what the object stands on, or where that is not to be seen as people hold
 * cameras; the point nearest to all optical axes at the origin; the cameras' mean distance from it 1, unless a length
 * is known.
 */
export function frameOf(scene: Scene, photos: readonly Photo[], known?: KnownLength): Frame {
  const poses = scene.registered().map((i) => uprightPose(scene.poses[i] as Pose, photos[i].orientation));
  const focus = nearestToAxes(poses);
  const centres = poses.map((m): Vec3 => sub([m[12], m[13], m[14]], focus));
  const mean = centres.reduce((sum, c) => sum + length(c), 0) / centres.length;
  const unit = mean > 0 ? 1 / mean : 1;
  const points: Vec3[] = [];
  for (let t = 0; t < scene.tracks.count; t++) {
    const p = scene.position(t);
    if (scene.has[t]) points.push(scale(sub([p[0], p[1], p[2]], focus), unit));
  }
  const held = upDirection(poses);
  const plane = findSupportPlane(
    points,
    centres.map((c) => scale(c, unit)),
    held,
  );
  const rotation = rotationTo(plane?.normal ?? held, [0, 1, 0]);
  const factor = unit * lengthFactor(scene, unit, known);
  return {
    rotation,
    scale: factor,
    offset: scale(transformDirection(rotation, focus), -factor),
    scaleKnown: known !== undefined,
    support: plane && (plane.height * factor) / unit,
  };
}

/** What the unit of a mean distance of 1 is in the user's unit; 1 where nothing is known. */
function lengthFactor(scene: Scene, unit: number, known?: KnownLength): number {
  if (!known) return 1;
  if ('meanDistance' in known) return known.meanDistance;
  const [a, b] = known.between.map((photo) => scene.poses[photo]);
  const apart = a && b ? length(sub(centreOf(a), centreOf(b))) * unit : 0;
  if (apart > 0) return known.distance / apart;
  throw new PlinthError('OPTION_INVALID', {
    found: 'A photo whose distance from another is given has no camera',
    expected: 'two photos that were placed',
    remedy: 'Give the distance of two other photos',
  });
}

/** A point of the mapper's frame in the world. */
export function toWorld({ rotation, scale: s, offset }: Frame, p: ArrayLike<number>): Vec3 {
  const [x, y, z] = transformDirection(rotation, [p[0], p[1], p[2]]);
  return [s * x + offset[0], s * y + offset[1], s * z + offset[2]];
}

/** Camera to world with OpenGL axes of the upright picture. */
export function cameraToWorld(frame: Frame, pose: Pose, orientation: number): Mat4 {
  const upright = uprightPose(pose, orientation);
  const centre = toWorld(frame, upright.slice(12, 15));
  const turned = multiply(frame.rotation, [...upright.slice(0, 12), 0, 0, 0, 1]);
  return [...turned.slice(0, 12), ...centre, 1];
}

/** The pose, world to camera, of the picture as stored, x right, y down, z forwards. */
export function worldToStored(frame: Frame, pose: Pose): Pose {
  // R_world = R Fᵀ; t_world = s t − R_world offset.
  const { rotation: r, translation: t } = pose;
  const f = frame.rotation;
  const rotation = new Float64Array(9);
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++)
      rotation[i * 3 + j] = r[i * 3] * f[j] + r[i * 3 + 1] * f[4 + j] + r[i * 3 + 2] * f[8 + j];
  const [x, y, z] = frame.offset;
  const translation = Float64Array.from(
    [0, 1, 2],
    (i) => frame.scale * t[i] - (rotation[i * 3] * x + rotation[i * 3 + 1] * y + rotation[i * 3 + 2] * z),
  );
  return { rotation, translation };
}

/** The point with the least sum of squared distances from the optical axes. */
function nearestToAxes(poses: readonly Mat4[]): Vec3 {
  const matrix = new Float64Array(9);
  const right = new Float64Array(3);
  for (const m of poses) {
    const d = [m[8], m[9], m[10]];
    for (let i = 0; i < 3; i++)
      for (let j = 0; j < 3; j++) {
        const a = (i === j ? 1 : 0) - d[i] * d[j];
        matrix[i * 3 + j] += a;
        right[i] += a * m[12 + j];
      }
  }
  for (let i = 0; i < 3; i++) matrix[i * 4] += 1e-9 * poses.length;
  solveSymmetricInPlace(matrix, right, 3);
  return [right[0], right[1], right[2]];
}
