import { realRoots } from '../solve/polynomial.js';
import type { Mat3 } from '../solve/svd3.js';

/** World to camera: x_camera = R x_world + t; x right, y down, z forwards. */
export interface Pose {
  rotation: Mat3;
  translation: Float64Array;
}

/**
 * Camera poses from three points and the directions in which they are seen (Grunert's equations in the form of Haralick
 * et al. 1994).
 *
 * @param rays x, y at z = 1 of every datum
 * @param points x, y, z of every datum
 * @param sample three indices
 * @returns up to four poses with the points in front of the camera
 */
export function p3p(rays: Float64Array, points: Float64Array, sample: ArrayLike<number>): Pose[] {
  const f: number[][] = [];
  const p: number[][] = [];
  for (let k = 0; k < 3; k++) {
    const [x, y] = [rays[sample[k] * 2], rays[sample[k] * 2 + 1]];
    const n = Math.sqrt(x * x + y * y + 1);
    f.push([x / n, y / n, 1 / n]);
    p.push([points[sample[k] * 3], points[sample[k] * 3 + 1], points[sample[k] * 3 + 2]]);
  }
  const square = (i: number, j: number): number =>
    (p[i][0] - p[j][0]) ** 2 + (p[i][1] - p[j][1]) ** 2 + (p[i][2] - p[j][2]) ** 2;
  const cosine = (i: number, j: number): number => f[i][0] * f[j][0] + f[i][1] * f[j][1] + f[i][2] * f[j][2];
  const [a2, b2, c2] = [square(1, 2), square(0, 2), square(0, 1)];
  const [alpha, beta, gamma] = [cosine(1, 2), cosine(0, 2), cosine(0, 1)];
  if (!(a2 > 0 && b2 > 0 && c2 > 0)) return [];
  const m = (a2 - c2) / b2;
  const n = (a2 + c2) / b2;
  const quartic = [
    (1 + m) ** 2 - ((4 * a2) / b2) * gamma * gamma,
    4 * (-m * (1 + m) * beta + ((2 * a2) / b2) * gamma * gamma * beta - (1 - n) * alpha * gamma),
    2 *
      (m * m -
        1 +
        2 * m * m * beta * beta +
        ((2 * (b2 - c2)) / b2) * alpha * alpha -
        4 * n * alpha * beta * gamma +
        ((2 * (b2 - a2)) / b2) * gamma * gamma),
    4 * (m * (1 - m) * beta - (1 - n) * alpha * gamma + ((2 * c2) / b2) * alpha * alpha * beta),
    (m - 1) ** 2 - ((4 * c2) / b2) * alpha * alpha,
  ];
  const out: Pose[] = [];
  for (const v of realRoots(quartic)) {
    if (v <= 0) continue;
    const divisor = 2 * (gamma - v * alpha);
    if (Math.abs(divisor) < 1e-12) continue;
    const u = ((m - 1) * v * v - 2 * m * beta * v + 1 + m) / divisor;
    const s1 = Math.sqrt(b2 / (1 + v * v - 2 * v * beta));
    if (!(u > 0 && Number.isFinite(s1))) continue;
    const seen = [s1, u * s1, v * s1].map((s, k) => f[k].map((x) => s * x));
    const pose = align(p, seen);
    if (pose) out.push(pose);
  }
  return out;
}

/** The rigid motion that takes one triangle to a congruent one. */
function align(from: number[][], to: number[][]): Pose | undefined {
  const [a, b] = [frame(from), frame(to)];
  if (!a || !b) return undefined;
  const rotation = new Float64Array(9);
  for (let r = 0; r < 3; r++)
    for (let c = 0; c < 3; c++) rotation[r * 3 + c] = b[0][r] * a[0][c] + b[1][r] * a[1][c] + b[2][r] * a[2][c];
  const translation = new Float64Array(3);
  for (let k = 0; k < 3; k++) {
    for (let r = 0; r < 3; r++)
      translation[r] +=
        (to[k][r] -
          rotation[r * 3] * from[k][0] -
          rotation[r * 3 + 1] * from[k][1] -
          rotation[r * 3 + 2] * from[k][2]) /
        3;
  }
  return { rotation, translation };
}

/** Orthonormal axes of a triangle: along its first side, in its plane, along its normal. */
function frame([p, q, r]: number[][]): number[][] | undefined {
  const u = [q[0] - p[0], q[1] - p[1], q[2] - p[2]];
  const w = [r[0] - p[0], r[1] - p[1], r[2] - p[2]];
  const normal = [u[1] * w[2] - u[2] * w[1], u[2] * w[0] - u[0] * w[2], u[0] * w[1] - u[1] * w[0]];
  const lu = Math.hypot(u[0], u[1], u[2]);
  const ln = Math.hypot(normal[0], normal[1], normal[2]);
  if (!(lu > 0 && ln > 1e-12 * lu * lu)) return undefined;
  const x = u.map((v) => v / lu);
  const z = normal.map((v) => v / ln);
  const y = [z[1] * x[2] - z[2] * x[1], z[2] * x[0] - z[0] * x[2], z[0] * x[1] - z[1] * x[0]];
  return [x, y, z];
}
