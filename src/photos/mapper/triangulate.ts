import { solveSymmetricInPlace } from '../../core/linearSolve.js';
import type { Pose } from './p3p.js';

/** A ray of a posed photo: x, y at z = 1. */
export interface Sighting {
  pose: Pose;
  x: number;
  y: number;
}

/** Centre of a camera in the world. */
export function centreOf({ rotation: r, translation: t }: Pose): [number, number, number] {
  return [
    -(r[0] * t[0] + r[3] * t[1] + r[6] * t[2]),
    -(r[1] * t[0] + r[4] * t[1] + r[7] * t[2]),
    -(r[2] * t[0] + r[5] * t[1] + r[8] * t[2]),
  ];
}

/** Direction of a ray in the world, not of unit length. */
export function directionOf({ pose: { rotation: r }, x, y }: Sighting): [number, number, number] {
  return [r[0] * x + r[3] * y + r[6], r[1] * x + r[4] * y + r[7], r[2] * x + r[5] * y + r[8]];
}

/** The point nearest to two rays, or nothing where they are parallel. */
export function midpoint(a: Sighting, b: Sighting): Float64Array | undefined {
  const [p, q] = [centreOf(a.pose), centreOf(b.pose)];
  const [u, v] = [directionOf(a), directionOf(b)];
  const dot = (x: number[], y: number[]): number => x[0] * y[0] + x[1] * y[1] + x[2] * y[2];
  const w = [p[0] - q[0], p[1] - q[1], p[2] - q[2]];
  const [uu, vv, uv, uw, vw] = [dot(u, u), dot(v, v), dot(u, v), dot(u, w), dot(v, w)];
  const d = uu * vv - uv * uv;
  if (!(d > 1e-12 * uu * vv)) return undefined;
  const s = (uv * vw - vv * uw) / d;
  const t = (uu * vw - uv * uw) / d;
  return Float64Array.from([0, 1, 2], (k) => 0.5 * (p[k] + s * u[k] + q[k] + t * v[k]));
}

/** Square of the distance at z = 1 between a point and a sighting; infinite behind the camera. */
export function sightingError({ pose: { rotation: r, translation: t }, x, y }: Sighting, p: Float64Array): number {
  const z = r[6] * p[0] + r[7] * p[1] + r[8] * p[2] + t[2];
  if (z <= 0) return Number.POSITIVE_INFINITY;
  const dx = (r[0] * p[0] + r[1] * p[1] + r[2] * p[2] + t[0]) / z - x;
  const dy = (r[3] * p[0] + r[4] * p[1] + r[5] * p[2] + t[1]) / z - y;
  return dx * dx + dy * dy;
}

/** Gauss–Newton steps of a point on the sightings chosen (1), on distances at z = 1. */
export function refinePoint(
  start: Float64Array,
  sightings: readonly Sighting[],
  chosen: Uint8Array,
  steps = 3,
): Float64Array {
  let p = start;
  for (let step = 0; step < steps; step++) {
    const normal = new Float64Array(9);
    const gradient = new Float64Array(3);
    for (let i = 0; i < sightings.length; i++) {
      if (!chosen[i]) continue;
      const { pose, x, y } = sightings[i];
      const { rotation: r, translation: t } = pose;
      const z = r[6] * p[0] + r[7] * p[1] + r[8] * p[2] + t[2];
      const u = (r[0] * p[0] + r[1] * p[1] + r[2] * p[2] + t[0]) / z;
      const v = (r[3] * p[0] + r[4] * p[1] + r[5] * p[2] + t[1]) / z;
      const [dx, dy] = [u - x, v - y];
      const jx = [(r[0] - u * r[6]) / z, (r[1] - u * r[7]) / z, (r[2] - u * r[8]) / z];
      const jy = [(r[3] - v * r[6]) / z, (r[4] - v * r[7]) / z, (r[5] - v * r[8]) / z];
      for (let k = 0; k < 3; k++) {
        gradient[k] -= jx[k] * dx + jy[k] * dy;
        for (let m = 0; m <= k; m++) normal[k * 3 + m] += jx[k] * jx[m] + jy[k] * jy[m];
      }
    }
    for (let k = 0; k < 3; k++) normal[k * 4] *= 1 + 1e-9;
    if (!solveSymmetricInPlace(normal, gradient, 3) || !gradient.every(Number.isFinite)) return p;
    p = p.map((x, k) => x + gradient[k]);
  }
  return p;
}

/** Most pairs of rays that are tried for one point. */
const MOST_PAIRS = 24;

/**
 * A point from several sightings of which some may be wrong: every pair of rays proposes one, the one with the most
 * agreement is refined.
 *
 * @param limits largest distance at z = 1 of every sighting that fits
 * @param leastAngle radians between at least two of the fitting rays
 * @returns the point and which sightings fit, two or more
 */
export function triangulate(
  sightings: readonly Sighting[],
  limits: ArrayLike<number>,
  leastAngle: number,
): { point: Float64Array; fits: Uint8Array } | undefined {
  const n = sightings.length;
  const pairs: { i: number; j: number; cos: number }[] = [];
  const rays = sightings.map((s) => {
    const d = directionOf(s);
    const length = Math.hypot(d[0], d[1], d[2]);
    return d.map((v) => v / length);
  });
  const most = Math.cos(leastAngle);
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) {
      const cos = rays[i][0] * rays[j][0] + rays[i][1] * rays[j][1] + rays[i][2] * rays[j][2];
      if (cos < most) pairs.push({ i, j, cos });
    }
  pairs.sort((a, b) => a.cos - b.cos || a.i - b.i || a.j - b.j);
  const stride = Math.max(1, Math.floor(pairs.length / MOST_PAIRS));
  let best: { point: Float64Array; fits: Uint8Array; count: number; error: number } | undefined;
  for (let k = 0; k < pairs.length; k += stride) {
    const start = midpoint(sightings[pairs[k].i], sightings[pairs[k].j]);
    if (!start) continue;
    const two = new Uint8Array(n);
    two[pairs[k].i] = 1;
    two[pairs[k].j] = 1;
    const rated = rate(refinePoint(start, sightings, two, 2), sightings, limits);
    if (rated.count < 2 || !rated.fits[pairs[k].i] || !rated.fits[pairs[k].j]) continue;
    if (!best || rated.count > best.count || (rated.count === best.count && rated.error < best.error)) best = rated;
    if (best.count === n) break;
  }
  if (!best) return undefined;
  if (best.count > 2) {
    const refined = rate(refinePoint(best.point, sightings, best.fits), sightings, limits);
    if (refined.count >= best.count) best = refined;
  }
  return { point: best.point, fits: best.fits };
}

function rate(
  point: Float64Array,
  sightings: readonly Sighting[],
  limits: ArrayLike<number>,
): { point: Float64Array; fits: Uint8Array; count: number; error: number } {
  const fits = new Uint8Array(sightings.length);
  let [count, error] = [0, 0];
  sightings.forEach((s, i) => {
    const e = sightingError(s, point);
    if (!(e <= limits[i] * limits[i])) return;
    fits[i] = 1;
    count++;
    error += e;
  });
  return { point, fits, count, error };
}
