/** Numbers of a lens: f, cx, cy, k₁, k₂. */
export const LENS_SIZE = 5;

/** What projecting a sighting needs of a bundle problem. */
export interface Projecting {
  poses: Float64Array;
  lensOf: Uint16Array;
  lenses: Float64Array;
  points: Float64Array;
  photos: Uint32Array;
  pixels: Float64Array;
}

/** A sighting's distance in pixels with its derivatives: two rows each. */
export interface Linearised {
  rx: number;
  ry: number;
  /** 2 × 6: by a turn of the camera about its own axes (exp(w) R) and by its translation. */
  pose: Float64Array;
  /** 2 × 3: by the point. */
  point: Float64Array;
  /** 2 × 5: by f, cx, cy, k₁, k₂. */
  lens: Float64Array;
}

/**
 * Where photo `photos[o]` sees point `j`, less where sighting `o` is, in pixels. The lens: with (x, y) = direction /
 * depth and r² = x² + y², the pixel is c + f (1 + k₁ r² + k₂ r⁴) (x, y).
 *
 * @returns false for a point behind the camera
 */
export function residual(problem: Projecting, j: number, o: number, out: Float64Array): boolean {
  const { poses, lenses, points, pixels } = problem;
  const photo = problem.photos[o];
  const p = photo * 12;
  const l = problem.lensOf[photo] * LENS_SIZE;
  const X = points[j * 3];
  const Y = points[j * 3 + 1];
  const Z = points[j * 3 + 2];
  const z = poses[p + 6] * X + poses[p + 7] * Y + poses[p + 8] * Z + poses[p + 11];
  if (!(z > 0)) return false;
  const x = (poses[p] * X + poses[p + 1] * Y + poses[p + 2] * Z + poses[p + 9]) / z;
  const y = (poses[p + 3] * X + poses[p + 4] * Y + poses[p + 5] * Z + poses[p + 10]) / z;
  const r2 = x * x + y * y;
  const s = lenses[l] * (1 + r2 * (lenses[l + 3] + r2 * lenses[l + 4]));
  out[0] = s * x + lenses[l + 1] - pixels[o * 2];
  out[1] = s * y + lenses[l + 2] - pixels[o * 2 + 1];
  return true;
}

/** The same with derivatives. */
export function linearise(problem: Projecting, j: number, o: number, out: Linearised): boolean {
  const { poses, lenses, points, pixels } = problem;
  const photo = problem.photos[o];
  const p = photo * 12;
  const l = problem.lensOf[photo] * LENS_SIZE;
  const X = points[j * 3];
  const Y = points[j * 3 + 1];
  const Z = points[j * 3 + 2];
  const qx = poses[p] * X + poses[p + 1] * Y + poses[p + 2] * Z;
  const qy = poses[p + 3] * X + poses[p + 4] * Y + poses[p + 5] * Z;
  const qz = poses[p + 6] * X + poses[p + 7] * Y + poses[p + 8] * Z;
  const z = qz + poses[p + 11];
  if (!(z > 0)) return false;
  const inverse = 1 / z;
  const x = (qx + poses[p + 9]) * inverse;
  const y = (qy + poses[p + 10]) * inverse;
  const [f, k1, k2] = [lenses[l], lenses[l + 3], lenses[l + 4]];
  const r2 = x * x + y * y;
  const d = 1 + r2 * (k1 + r2 * k2);
  const slope = 2 * (k1 + 2 * r2 * k2);
  out.rx = f * d * x + lenses[l + 1] - pixels[o * 2];
  out.ry = f * d * y + lenses[l + 2] - pixels[o * 2 + 1];
  // By x and y, then by the point in the camera's axes.
  const a = f * (d + x * x * slope);
  const b = f * x * y * slope;
  const c = f * (d + y * y * slope);
  const ux = a * inverse;
  const uy = b * inverse;
  const uz = -(a * x + b * y) * inverse;
  const vx = b * inverse;
  const vy = c * inverse;
  const vz = -(b * x + c * y) * inverse;
  const { pose, point, lens } = out;
  pose[0] = uz * qy - uy * qz;
  pose[1] = ux * qz - uz * qx;
  pose[2] = uy * qx - ux * qy;
  pose[3] = ux;
  pose[4] = uy;
  pose[5] = uz;
  pose[6] = vz * qy - vy * qz;
  pose[7] = vx * qz - vz * qx;
  pose[8] = vy * qx - vx * qy;
  pose[9] = vx;
  pose[10] = vy;
  pose[11] = vz;
  for (let k = 0; k < 3; k++) {
    point[k] = ux * poses[p + k] + uy * poses[p + 3 + k] + uz * poses[p + 6 + k];
    point[3 + k] = vx * poses[p + k] + vy * poses[p + 3 + k] + vz * poses[p + 6 + k];
  }
  lens[0] = d * x;
  lens[1] = 1;
  lens[2] = 0;
  lens[3] = f * r2 * x;
  lens[4] = f * r2 * r2 * x;
  lens[5] = d * y;
  lens[6] = 0;
  lens[7] = 1;
  lens[8] = f * r2 * y;
  lens[9] = f * r2 * r2 * y;
  return true;
}
