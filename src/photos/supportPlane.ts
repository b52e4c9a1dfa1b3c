import { cross, dot, length, normalize, scale, sub, type Vec3 } from '../core/math.js';
import { Random } from '../core/random.js';
import { symmetricEigen } from './solve/symmetricEigen.js';

/** What the object stands on: points p with normal · p = height. */
export interface SupportPlane {
  /** Unit length, on the cameras' side. */
  normal: Vec3;
  height: number;
  /** Points that lie on it. */
  count: number;
}

/** Everything is measured by the cameras' mean distance from what they look at, which is taken as 1. */
const REACH = 1;
const THICKNESS = 0.01;
/** Widest angle between the plane's normal and the up of the cameras. */
const MOST_TILT = (35 * Math.PI) / 180;
const SAMPLES = 400;
/** Points that must lie on it, and their share of those near the object. */
const LEAST_COUNT = 50;
const LEAST_SHARE = 0.15;
/** Largest share of the near points that may lie clearly below it: nothing is below a table top. */
const MOST_BELOW = 0.1;

/**
 * The plane that the object stands on: the one near the middle, roughly level, with most points on it, few below it and
 * all cameras above. Nothing where there is none to be seen.
 *
 * @param points x, y, z of every point; the place that the cameras look at is the origin
 * @param centres of the cameras, at a mean distance of 1 from the origin
 * @param up of the cameras, unit length
 */
export function findSupportPlane(
  points: readonly Vec3[],
  centres: readonly Vec3[],
  up: Vec3,
  seed = 0,
): SupportPlane | undefined {
  const near = points.filter((p) => length(p) < REACH);
  if (near.length < LEAST_COUNT) return undefined;
  const random = new Random(seed, 77);
  const least = Math.cos(MOST_TILT);
  let best: SupportPlane | undefined;
  for (let step = 0; step < SAMPLES; step++) {
    const [a, b, c] = [0, 1, 2].map(() => near[random.integer(near.length)]);
    const n = cross(sub(b, a), sub(c, a));
    const size = length(n);
    if (!(size > 1e-6)) continue;
    const normal = scale(n, (dot(n, up) < 0 ? -1 : 1) / size);
    if (dot(normal, up) < least) continue;
    const height = dot(normal, a);
    const count = near.reduce((sum, p) => sum + Number(Math.abs(dot(normal, p) - height) < THICKNESS), 0);
    if (!best || count > best.count) best = { normal, height, count };
  }
  for (let round = 0; best && round < 3; round++) best = refit(near, best);
  if (!best || best.count < LEAST_COUNT || best.count < LEAST_SHARE * near.length) return undefined;
  const { normal, height } = best;
  const below = near.filter((p) => dot(normal, p) < height - 3 * THICKNESS).length;
  const under = centres.filter((c) => dot(normal, c) < height).length;
  return below > MOST_BELOW * near.length || under > 0 ? undefined : best;
}

/** The plane of least squares through what lies on a plane. */
function refit(points: readonly Vec3[], { normal, height }: SupportPlane): SupportPlane {
  const on = points.filter((p) => Math.abs(dot(normal, p) - height) < THICKNESS);
  const mean = scale(
    on.reduce((sum, p): Vec3 => [sum[0] + p[0], sum[1] + p[1], sum[2] + p[2]], [0, 0, 0] as Vec3),
    1 / on.length,
  );
  const moment = new Float64Array(9);
  for (const p of on) {
    const d = sub(p, mean);
    for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) moment[i * 3 + j] += d[i] * d[j];
  }
  const { vectors } = symmetricEigen(moment, 3);
  const found = normalize([vectors[0], vectors[1], vectors[2]]);
  const turned = dot(found, normal) < 0 ? scale(found, -1) : found;
  return { normal: turned, height: dot(turned, mean), count: on.length };
}
