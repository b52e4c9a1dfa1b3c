import { solveSymmetricInPlace } from '../../core/linearSolve.js';
import { rotationOf } from '../solve/rotation.js';
import { multiply3 } from '../solve/svd3.js';
import type { Pose } from './p3p.js';

/** Square of the distance at z = 1 between where a pose sees point `i` and its ray; infinite behind the camera. */
export function rayError(
  { rotation: r, translation: t }: Pose,
  rays: Float64Array,
  points: Float64Array,
  i: number,
): number {
  const X = points[i * 3];
  const Y = points[i * 3 + 1];
  const Z = points[i * 3 + 2];
  const z = r[6] * X + r[7] * Y + r[8] * Z + t[2];
  if (z <= 0) return Number.POSITIVE_INFINITY;
  const dx = (r[0] * X + r[1] * Y + r[2] * Z + t[0]) / z - rays[i * 2];
  const dy = (r[3] * X + r[4] * Y + r[5] * Z + t[1]) / z - rays[i * 2 + 1];
  return dx * dx + dy * dy;
}

/** Gauss–Newton steps of a pose on weighted distances at z = 1 with points that stay. */
export function refinePose(
  start: Pose,
  rays: Float64Array,
  points: Float64Array,
  weights: Float64Array,
  steps = 4,
): Pose {
  let pose = start;
  const j = new Float64Array(12);
  for (let step = 0; step < steps; step++) {
    const { rotation: r, translation: t } = pose;
    const normal = new Float64Array(36);
    const gradient = new Float64Array(6);
    for (let i = 0; i < weights.length; i++) {
      if (weights[i] === 0) continue;
      const [X, Y, Z] = [points[i * 3], points[i * 3 + 1], points[i * 3 + 2]];
      const qx = r[0] * X + r[1] * Y + r[2] * Z;
      const qy = r[3] * X + r[4] * Y + r[5] * Z;
      const qz = r[6] * X + r[7] * Y + r[8] * Z;
      const z = qz + t[2];
      if (z <= 0) continue;
      const x = (qx + t[0]) / z;
      const y = (qy + t[1]) / z;
      // Rows of d(x, y)/d(w, t) with p = exp(w) R X + t.
      j[0] = (-x * qy) / z;
      j[1] = (qz + x * qx) / z;
      j[2] = -qy / z;
      j[3] = 1 / z;
      j[4] = 0;
      j[5] = -x / z;
      j[6] = (-qz - y * qy) / z;
      j[7] = (y * qx) / z;
      j[8] = qx / z;
      j[9] = 0;
      j[10] = 1 / z;
      j[11] = -y / z;
      const w = weights[i];
      const dx = x - rays[i * 2];
      const dy = y - rays[i * 2 + 1];
      for (let k = 0; k < 6; k++) {
        gradient[k] -= w * (j[k] * dx + j[6 + k] * dy);
        for (let m = 0; m <= k; m++) normal[k * 6 + m] += w * (j[k] * j[m] + j[6 + k] * j[6 + m]);
      }
    }
    for (let k = 0; k < 6; k++) normal[k * 7] = normal[k * 7] * (1 + 1e-9) + 1e-300;
    if (!solveSymmetricInPlace(normal, gradient, 6) || !gradient.every(Number.isFinite)) return pose;
    pose = {
      rotation: multiply3(rotationOf(gradient[0], gradient[1], gradient[2]), r),
      translation: t.map((v, k) => v + gradient[3 + k]),
    };
  }
  return pose;
}
