import { solveSymmetricInPlace } from '../../core/linearSolve.js';
import { rotationOf } from '../solve/rotation.js';
import { type Mat3, multiply3, svd3, transpose3 } from '../solve/svd3.js';

/** Rotation and direction of translation of a second camera: x₂ = R x₁ + t. */
export interface RelativePose {
  rotation: Mat3;
  /** Unit length. */
  translation: Float64Array;
}

/** E = [t]× R. */
export function essentialOf({ rotation, translation: t }: RelativePose): Mat3 {
  return multiply3([0, -t[2], t[1], t[2], 0, -t[0], -t[1], t[0], 0], rotation);
}

/** The four poses that share an essential matrix (Hartley and Zisserman 2004, 9.6.2). */
export function posesOf(essential: Mat3): RelativePose[] {
  const { u, v } = svd3(essential);
  const vt = transpose3(v);
  const turn = (sign: number): Mat3 => multiply3(u, multiply3([0, -sign, 0, sign, 0, 0, 0, 0, 1], vt));
  const t = Float64Array.of(u[2], u[5], u[8]);
  const back = t.map((x) => -x);
  return [turn(1), turn(-1)].flatMap((rotation) => [
    { rotation, translation: t },
    { rotation, translation: back },
  ]);
}

/** Whether both `depths` of a correspondence are positive, without their divisions: asked of all four poses. */
function isInFront({ rotation: r, translation: t }: RelativePose, points: Float64Array, i: number): boolean {
  const x1 = points[i * 4];
  const y1 = points[i * 4 + 1];
  const x2 = points[i * 4 + 2];
  const y2 = points[i * 4 + 3];
  // The first ray in the second camera's axes.
  const ax = r[0] * x1 + r[1] * y1 + r[2];
  const ay = r[3] * x1 + r[4] * y1 + r[5];
  const az = r[6] * x1 + r[7] * y1 + r[8];
  const aa = ax * ax + ay * ay + az * az;
  const bb = x2 * x2 + y2 * y2 + 1;
  const ab = ax * x2 + ay * y2 + az;
  const at = ax * t[0] + ay * t[1] + az * t[2];
  const bt = x2 * t[0] + y2 * t[1] + t[2];
  return aa * bb - ab * ab > 0 && ab * bt - bb * at > 0 && aa * bt - ab * at > 0;
}

/**
 * Depths in both cameras of the point nearest to two rays (x, y, 1), and the angle between the rays in radians.
 */
export function depths(
  { rotation: r, translation: t }: RelativePose,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
): { first: number; second: number; angle: number } {
  // The first ray in the second camera's axes.
  const ax = r[0] * x1 + r[1] * y1 + r[2];
  const ay = r[3] * x1 + r[4] * y1 + r[5];
  const az = r[6] * x1 + r[7] * y1 + r[8];
  const aa = ax * ax + ay * ay + az * az;
  const bb = x2 * x2 + y2 * y2 + 1;
  const ab = ax * x2 + ay * y2 + az;
  const at = ax * t[0] + ay * t[1] + az * t[2];
  const bt = x2 * t[0] + y2 * t[1] + t[2];
  const d = aa * bb - ab * ab;
  const cos = ab / Math.sqrt(aa * bb);
  return {
    first: d > 0 ? (ab * bt - bb * at) / d : -1,
    second: d > 0 ? (aa * bt - ab * at) / d : -1,
    angle: Math.acos(Math.min(1, Math.max(-1, cos))),
  };
}

/**
 * The pose that most of the chosen correspondences lie in front of, with the share of those and the median angle
 * between their rays.
 */
export function chooseRelativePose(
  poses: readonly RelativePose[],
  points: Float64Array,
  chosen: ArrayLike<number>,
): { pose: RelativePose; inFront: number; medianAngle: number } {
  const counts = poses.map((pose) => {
    let count = 0;
    for (let i = 0; i * 4 < points.length; i++) if (chosen[i] && isInFront(pose, points, i)) count++;
    return count;
  });
  const best = counts.indexOf(Math.max(...counts));
  const pose = poses[best];
  const angles: number[] = [];
  for (let i = 0; i * 4 < points.length; i++) {
    if (!chosen[i]) continue;
    const d = depths(pose, points[i * 4], points[i * 4 + 1], points[i * 4 + 2], points[i * 4 + 3]);
    if (d.first > 0 && d.second > 0) angles.push(d.angle);
  }
  angles.sort((a, b) => a - b);
  return { pose, inFront: counts[best], medianAngle: angles[angles.length >> 1] ?? 0 };
}

/**
 * One Gauss–Newton step of the five parameters of a relative pose on weighted Sampson distances; several bring it to
 * the optimum.
 */
export function refineRelativePose(
  start: RelativePose,
  points: Float64Array,
  weights: Float64Array,
  steps = 3,
): RelativePose {
  let pose = start;
  for (let step = 0; step < steps; step++) {
    const { rotation: r, translation: t } = pose;
    // Two directions at right angles to t.
    const other = Math.abs(t[0]) < 0.7 ? [1, 0, 0] : [0, 1, 0];
    const b1 = unit(cross(t, other));
    const b2 = cross(t, b1);
    const e = essentialOf(pose);
    // E' = [t]× exp(w) R + [d]× R.
    const changes = [
      ...[0, 1, 2].map((k) => {
        const w = [0, 0, 0];
        w[k] = 1;
        return multiply3(skew(t), multiply3(skew(w), r));
      }),
      multiply3(skew(b1), r),
      multiply3(skew(b2), r),
    ];
    const normal = new Float64Array(25);
    const gradient = new Float64Array(5);
    const j = new Float64Array(5);
    for (let i = 0; i < weights.length; i++) {
      if (weights[i] === 0) continue;
      const at = i * 4;
      const [x1, y1, x2, y2] = [points[at], points[at + 1], points[at + 2], points[at + 3]];
      const a = e[0] * x1 + e[1] * y1 + e[2];
      const b = e[3] * x1 + e[4] * y1 + e[5];
      const d = e[0] * x2 + e[3] * y2 + e[6];
      const f = e[1] * x2 + e[4] * y2 + e[7];
      const value = x2 * a + y2 * b + e[6] * x1 + e[7] * y1 + e[8];
      const scale = weights[i] / (a * a + b * b + d * d + f * f + 1e-300);
      for (let k = 0; k < 5; k++) {
        const c = changes[k];
        j[k] = x2 * (c[0] * x1 + c[1] * y1 + c[2]) + y2 * (c[3] * x1 + c[4] * y1 + c[5]) + c[6] * x1 + c[7] * y1 + c[8];
      }
      for (let k = 0; k < 5; k++) {
        gradient[k] -= scale * j[k] * value;
        for (let m = 0; m <= k; m++) normal[k * 5 + m] += scale * j[k] * j[m];
      }
    }
    for (let k = 0; k < 5; k++) normal[k * 5 + k] = normal[k * 5 + k] * (1 + 1e-9) + 1e-300;
    if (!solveSymmetricInPlace(normal, gradient, 5) || !gradient.every(Number.isFinite)) return pose;
    const turned = multiply3(rotationOf(gradient[0], gradient[1], gradient[2]), r);
    const moved = [0, 1, 2].map((k) => t[k] + gradient[3] * b1[k] + gradient[4] * b2[k]);
    pose = { rotation: turned, translation: Float64Array.from(unit(moved)) };
  }
  return pose;
}

const skew = (w: ArrayLike<number>): number[] => [0, -w[2], w[1], w[2], 0, -w[0], -w[1], w[0], 0];
const cross = (a: ArrayLike<number>, b: ArrayLike<number>): number[] => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const unit = (a: number[]): number[] => {
  const n = Math.hypot(a[0], a[1], a[2]);
  return a.map((x) => x / n);
};
