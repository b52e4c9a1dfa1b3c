import { cross, dot, length, type Mat4, normalize, type Vec3 } from '../../core/math.js';

/**
 * The direction to which the cameras' x axes are most nearly perpendicular (people hold cameras level), with the sign
 * of the mean image-up; where the cameras do not single one out, the mean image-up itself.
 */
export function upDirection(poses: readonly Mat4[]): Vec3 {
  const mean: Vec3 = [0, 0, 0];
  const moment = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (const m of poses) {
    for (let r = 0; r < 3; r++) {
      mean[r] += m[4 + r];
      for (let c = 0; c < 3; c++) moment[r * 3 + c] += m[r] * m[c];
    }
  }
  const level = smallestEigenvector(moment.map((v) => v / poses.length));
  const fallback = length(mean) > 1e-3 * poses.length ? normalize(mean) : ([0, -1, 0] as Vec3);
  if (!level) return fallback;
  return dot(level, mean) < 0 ? [-level[0], -level[1], -level[2]] : level;
}

/**
 * Eigenvector of the smallest eigenvalue of a symmetric 3×3 matrix; undefined where the second smallest is not much
 * larger.
 */
function smallestEigenvector(matrix: readonly number[]): Vec3 | undefined {
  const a = [...matrix];
  const v = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  // Jacobi rotations.
  for (let sweep = 0; sweep < 30; sweep++) {
    for (const [p, q] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ]) {
      if (Math.abs(a[p * 3 + q]) < 1e-15) continue;
      const theta = (a[q * 3 + q] - a[p * 3 + p]) / (2 * a[p * 3 + q]);
      const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
      const c = 1 / Math.hypot(t, 1);
      const s = t * c;
      for (let k = 0; k < 3; k++) {
        const [x, y] = [a[k * 3 + p], a[k * 3 + q]];
        a[k * 3 + p] = c * x - s * y;
        a[k * 3 + q] = s * x + c * y;
      }
      for (let k = 0; k < 3; k++) {
        const [x, y] = [a[p * 3 + k], a[q * 3 + k]];
        a[p * 3 + k] = c * x - s * y;
        a[q * 3 + k] = s * x + c * y;
        const [i, j] = [v[k * 3 + p], v[k * 3 + q]];
        v[k * 3 + p] = c * i - s * j;
        v[k * 3 + q] = s * i + c * j;
      }
    }
  }
  const order = [0, 1, 2].sort((i, j) => a[i * 4] - a[j * 4]);
  const [least, second] = order;
  if (!(a[second * 4] > 0.1 && a[least * 4] < 0.35 * a[second * 4])) return undefined;
  return normalize([v[least], v[3 + least], v[6 + least]]);
}

/** The shortest rotation from one unit vector to another; half a turn about x (or z) where they are opposite. */
export function rotationTo(from: Vec3, to: Vec3): Mat4 {
  const axis = cross(from, to);
  const cosine = dot(from, to);
  if (cosine < -1 + 1e-9) {
    const side = normalize(cross(from, Math.abs(from[0]) < 0.9 ? cross([1, 0, 0], from) : [0, 0, 1]));
    return halfTurn(side);
  }
  const k = 1 / (1 + cosine);
  const [x, y, z] = axis;
  return [
    x * x * k + cosine,
    x * y * k + z,
    x * z * k - y,
    0,
    x * y * k - z,
    y * y * k + cosine,
    y * z * k + x,
    0,
    x * z * k + y,
    y * z * k - x,
    z * z * k + cosine,
    0,
    0,
    0,
    0,
    1,
  ];
}

function halfTurn(axis: Vec3): Mat4 {
  const out = new Array<number>(16).fill(0);
  for (let c = 0; c < 3; c++) for (let r = 0; r < 3; r++) out[c * 4 + r] = 2 * axis[c] * axis[r] - (c === r ? 1 : 0);
  out[15] = 1;
  return out;
}
