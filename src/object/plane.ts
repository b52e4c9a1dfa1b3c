import { cross, dot, length, normalize, scale, sub, type Vec3 } from '../core/math.js';
import type { Random } from '../core/random.js';

/** All p with normal · p = offset; the normal is of length 1 and points up. */
export interface Plane {
  normal: Vec3;
  offset: number;
  /** Distance within which points belong to it, in scene units. */
  tolerance: number;
}

/** What is known of the scene before. */
export interface PlaneHints {
  /** Where the cameras look. */
  focus: Vec3;
  /** Their typical distance from there. */
  distance: number;
  up: Vec3;
  cameras: readonly Vec3[];
}

const TRIALS = 1500;
/** Distance within which points belong to a flat plane, in distances of the cameras; and to cloth at most. */
export const TOLERANCE = 0.006;
const MOST_TOLERANCE = 0.03;
/** Steepest slope against up. */
const STEEPEST = Math.cos((30 * Math.PI) / 180);
/** Points looked at. */
const MOST_POINTS = 4000;
const LEAST_INLIERS = 15;

/**
 * The plane that supports what the cameras look at (RANSAC): nearly level, with many points around the middle and
 * hardly any below it there, since a table hides what is under it. Where the ground is rough, as a blanket is, its
 * tolerance is as wide as that.
 */
export function supportPlane(points: Float64Array, hints: PlaneHints, random: Random): Plane | undefined {
  const plane = planeWithin(points, hints, TOLERANCE, random);
  if (!plane || roughness(points, plane, hints, HALF) < FLAT) return plane;
  const thick = planeWithin(points, hints, MOST_TOLERANCE, random);
  if (!thick) return plane;
  const rough = Math.max(TOLERANCE, Math.min(MOST_TOLERANCE, roughness(points, thick, hints, MOST)));
  return { ...thick, tolerance: rough * hints.distance };
}

/** Roughness up to which the ground is flat, in distances of the cameras. */
const FLAT = 0.008;
/** Sides of the cells that roughness is measured in, how far around, and within what height; in distances. */
const PATCH = 0.08;
const AROUND = 0.7;
const BAND = 0.1;
const LEAST_IN_PATCH = 4;
/** Share of the patches by which ground is told to be rough, and by which its roughness is measured. */
const HALF = 0.5;
const MOST = 0.75;

/**
 * By how much the ground lies off a plane, in distances of the cameras: a share of its patches, each taken at its lower
 * points, lie nearer. The patches include some of what stands there.
 */
function roughness(
  points: Float64Array,
  { normal, offset }: Plane,
  { focus, distance }: PlaneHints,
  share: number,
): number {
  const u = normalize(cross(normal, Math.abs(normal[0]) < 0.9 ? [1, 0, 0] : [0, 0, 1]));
  const v = cross(normal, u);
  const patches = new Map<string, number[]>();
  for (let i = 0; i < points.length; i += 3) {
    const p: Vec3 = [points[i], points[i + 1], points[i + 2]];
    const h = (dot(normal, p) - offset) / distance;
    const d = scale(sub(p, focus), 1 / distance);
    const [x, z] = [dot(d, u), dot(d, v)];
    if (Math.abs(h) > BAND || Math.hypot(x, z) > AROUND) continue;
    const key = `${Math.floor(x / PATCH)},${Math.floor(z / PATCH)}`;
    const patch = patches.get(key);
    if (patch) patch.push(h);
    else patches.set(key, [h]);
  }
  const off = [...patches.values()]
    .filter((patch) => patch.length >= LEAST_IN_PATCH)
    .map((patch) => Math.abs(patch.sort((a, b) => a - b)[patch.length >> 2]))
    .sort((a, b) => a - b);
  return off[Math.floor(share * off.length)] ?? 0;
}

/** The plane with most points within a tolerance, given in distances of the cameras. */
function planeWithin(points: Float64Array, hints: PlaneHints, within: number, random: Random): Plane | undefined {
  const { focus, distance, up, cameras } = hints;
  const near: Vec3[] = [];
  for (let i = 0; i < points.length; i += 3) {
    const p: Vec3 = [points[i], points[i + 1], points[i + 2]];
    if (length(sub(p, focus)) < 0.9 * distance) near.push(p);
  }
  const step = Math.max(1, near.length / MOST_POINTS);
  const chosen = near.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
  if (chosen.length < LEAST_INLIERS) return undefined;
  const aside = chosen.map((p) => {
    const v = sub(p, focus);
    return length(sub(v, scale(up, dot(v, up)))) / distance;
  });
  const weight = aside.map((r) => Math.exp(-((r / 0.5) ** 2)));
  const tolerance = within * distance;
  const score = (normal: Vec3, offset: number): number => {
    let sum = 0;
    for (let i = 0; i < chosen.length; i++) {
      const h = dot(normal, chosen[i]) - offset;
      if (Math.abs(h) < tolerance) sum += weight[i] * (1 - (h / tolerance) ** 2);
      else if (h < -2 * tolerance && aside[i] < 0.35) sum -= 1.5;
    }
    return sum;
  };
  let best: { normal: Vec3; offset: number; score: number } | undefined;
  const consider = (normal: Vec3, offset: number): void => {
    if (dot(normal, up) < STEEPEST) return;
    // What the cameras look at stands on it, and most of them look down at it.
    if (dot(normal, focus) - offset < -0.12 * distance) return;
    const below = cameras.filter((c) => dot(normal, c) < offset).length;
    if (below > 0.3 * cameras.length) return;
    const s = score(normal, offset);
    if (s > (best?.score ?? 0)) best = { normal, offset, score: s };
  };
  for (let trial = 0; trial < TRIALS; trial++) {
    const [a, b, c] = [0, 0, 0].map(() => chosen[random.integer(chosen.length)]);
    const n = normalize(cross(sub(b, a), sub(c, a)));
    if (length(n) === 0) continue;
    const normal = dot(n, up) < 0 ? scale(n, -1) : n;
    consider(normal, dot(normal, a));
  }
  for (let round = 0; round < 4 && best; round++) {
    const { normal, offset } = best;
    const inliers = chosen.filter((p) => Math.abs(dot(normal, p) - offset) < 1.5 * tolerance);
    const fitted = fitPlane(inliers, normal);
    if (fitted) consider(fitted.normal, fitted.offset);
  }
  if (!best) return undefined;
  const { normal, offset } = best;
  const inliers = chosen.filter((p) => Math.abs(dot(normal, p) - offset) < tolerance).length;
  return inliers < LEAST_INLIERS ? undefined : { normal, offset, tolerance };
}

/** Least squares of the heights along a normal that is nearly right. */
function fitPlane(points: readonly Vec3[], near: Vec3): { normal: Vec3; offset: number } | undefined {
  if (points.length < 6) return undefined;
  const u = normalize(cross(near, Math.abs(near[0]) < 0.9 ? [1, 0, 0] : [0, 0, 1]));
  const v = cross(near, u);
  const mean = scale(
    points.reduce<Vec3>((s, p) => [s[0] + p[0], s[1] + p[1], s[2] + p[2]], [0, 0, 0]),
    1 / points.length,
  );
  let [uu, uv, vv, uh, vh] = [0, 0, 0, 0, 0];
  for (const p of points) {
    const d = sub(p, mean);
    const [a, b, h] = [dot(d, u), dot(d, v), dot(d, near)];
    uu += a * a;
    uv += a * b;
    vv += b * b;
    uh += a * h;
    vh += b * h;
  }
  const det = uu * vv - uv * uv;
  if (!(det > 1e-12 * uu * vv)) return undefined;
  const a = (uh * vv - vh * uv) / det;
  const b = (vh * uu - uh * uv) / det;
  const normal = normalize(sub(near, [a * u[0] + b * v[0], a * u[1] + b * v[1], a * u[2] + b * v[2]]));
  return { normal, offset: dot(normal, mean) };
}
