import { focusPoint, pixelRay } from '../capture/bounds/focus.js';
import type { Bounds } from '../core/bounds.js';
import { type Camera, cameraPosition } from '../core/camera.js';
import {
  cross,
  dot,
  invertAffine,
  length,
  type Mat4,
  normalize,
  scale,
  sub,
  transformPoint,
  type Vec3,
} from '../core/math.js';
import type { Random } from '../core/random.js';
import { type Plane, supportPlane, TOLERANCE } from './plane.js';

/** Where the object is thought to be. */
export interface ObjectPlace {
  /** From the box's own frame to the world, rigid: y is the normal of what the object stands on, which is at y = 0. */
  frame: Mat4;
  /** In that frame. */
  box: Bounds;
  /** Whether something was found that the object stands on. */
  stands: boolean;
  /** Typical distance of the cameras from what they look at, in scene units. */
  distance: number;
  /** Of each sparse point: 1 on the object, 2 not on it, 0 unknown. */
  sides: Uint8Array;
}

export const ON_OBJECT = 1;
export const BESIDE = 2;

/** Cells of the grid in which points hang together, in distances. */
const CELL = 0.03;
/** Fewest points that make an object. */
const LEAST_POINTS = 12;

/**
 * Finds the box of the object that the cameras look at: where the optical axes meet, above the plane that supports it,
 * the points that hang together.
 *
 * @param points x, y, z of sparse points in the world, +Y up
 */
export function findPlace(cameras: readonly Camera[], points: Float64Array, random: Random): ObjectPlace | undefined {
  const focus = focusPoint(cameras.map((camera) => pixelRay(camera, camera.width / 2, camera.height / 2)));
  if (!focus) return undefined;
  const distances = cameras.map((camera) => length(sub(cameraPosition(camera), focus))).sort((a, b) => a - b);
  const distance = distances[distances.length >> 1];
  const plane = supportPlane(points, { focus, distance, up: [0, 1, 0], cameras: cameras.map(cameraPosition) }, random);
  const frame = frameOn(focus, plane);
  const local = inFrame(frame, points);
  const step = CELL * distance;
  const least = plane ? 2.5 * plane.tolerance : -Infinity;
  const cluster = central(local, step, least, distance);
  const sides = new Uint8Array(points.length / 3).fill(BESIDE);
  if (cluster.length < LEAST_POINTS) {
    // Nothing stands out: whatever is in the middle.
    const reach = 0.3 * distance;
    const box: Bounds = { min: [-reach, plane ? 0 : -reach, -reach], max: [reach, plane ? 1.2 * reach : reach, reach] };
    sides.fill(0);
    return { frame, box, stands: plane !== undefined, distance, sides };
  }
  const at = (axis: number, share: number): number => {
    const values = Float64Array.from(cluster, (i) => local[i * 3 + axis]).sort();
    return values[Math.round(share * (values.length - 1))];
  };
  const min: Vec3 = [at(0, 0.005), at(1, 0.005), at(2, 0.005)];
  const max: Vec3 = [at(0, 0.995), at(1, 0.995), at(2, 0.995)];
  const margin = MARGIN * Math.max(...max.map((v, i) => v - min[i])) + 0.01 * distance;
  const box: Bounds = {
    min: [min[0] - margin, plane ? 0 : min[1] - margin, min[2] - margin],
    max: max.map((v) => v + margin) as Vec3,
  };
  for (const i of cluster) sides[i] = ON_OBJECT;
  // Inside the box all that is not the plane itself may be of the object.
  for (let i = 0; i < sides.length; i++) {
    if (sides[i] === ON_OBJECT) continue;
    const p = local.subarray(i * 3, i * 3 + 3);
    if (p.every((v, k) => v > box.min[k] && v < box.max[k]) && p[1] > least) sides[i] = 0;
  }
  return { frame, box, stands: plane !== undefined, distance, sides };
}

/** Share of the points' extent that the box is larger on each side. */
const MARGIN = 0.12;

/** A frame with the plane's normal as y and its foot below the focus as origin. */
function frameOn(focus: Vec3, plane: Plane | undefined): Mat4 {
  const y = plane?.normal ?? [0, 1, 0];
  const origin = plane ? sub(focus, scale(y, dot(focus, y) - plane.offset)) : focus;
  const x = normalize(cross(y, Math.abs(y[2]) < 0.9 ? [0, 0, 1] : [1, 0, 0]));
  const z = cross(x, y);
  return [...x, 0, ...y, 0, ...z, 0, ...origin, 1];
}

/** Points in a frame. */
export function inFrame(frame: Mat4, points: Float64Array): Float64Array {
  const toFrame = invertAffine(frame);
  const out = new Float64Array(points.length);
  for (let i = 0; i < points.length; i += 3)
    out.set(transformPoint(toFrame, [points[i], points[i + 1], points[i + 2]]), i);
  return out;
}

/** The place with a box that is given: what is inside and not of the ground is on the object. */
export function givenPlace(place: ObjectPlace, box: Bounds, points: Float64Array): ObjectPlace {
  const local = inFrame(place.frame, points);
  const least = place.stands ? 2.5 * TOLERANCE * place.distance : -Infinity;
  const sides = place.sides.map((_, i) => {
    const p = local.subarray(i * 3, i * 3 + 3);
    const inside = p.every((v, k) => v > box.min[k] && v < box.max[k]);
    if (!inside) return BESIDE;
    return p[1] > least ? ON_OBJECT : 0;
  });
  return { ...place, box, sides };
}

/**
 * The points above `least` that hang together and are most and nearest to the middle. Cells count as neighbours across
 * one empty cell.
 */
function central(local: Float64Array, step: number, least: number, distance: number): number[] {
  const reach = 0.7 * distance;
  const cells = new Map<string, number[]>();
  const key = (x: number, y: number, z: number): string => `${x},${y},${z}`;
  for (let i = 0; i < local.length / 3; i++) {
    const [x, y, z] = local.subarray(i * 3, i * 3 + 3);
    if (y < least || Math.hypot(x, z) > reach || Math.abs(y) > reach) continue;
    const at = key(Math.floor(x / step), Math.floor(y / step), Math.floor(z / step));
    const cell = cells.get(at);
    if (cell) cell.push(i);
    else cells.set(at, [i]);
  }
  const seen = new Set<string>();
  let best: number[] = [];
  let most = 0;
  for (const [start, list] of cells) {
    if (seen.has(start) || list.length < 2) continue;
    seen.add(start);
    const stack = [start];
    const members: number[] = [];
    let score = 0;
    while (stack.length > 0) {
      const at = stack.pop() as string;
      const inside = cells.get(at) as number[];
      members.push(...inside);
      for (const i of inside)
        score += Math.exp(-((Math.hypot(local[i * 3], local[i * 3 + 2]) / (0.3 * distance)) ** 2));
      const [x, y, z] = at.split(',').map(Number);
      for (let dx = -2; dx <= 2; dx++)
        for (let dy = -2; dy <= 2; dy++)
          for (let dz = -2; dz <= 2; dz++) {
            const other = key(x + dx, y + dy, z + dz);
            const near = cells.get(other);
            if (!near || near.length < 2 || seen.has(other)) continue;
            seen.add(other);
            stack.push(other);
          }
    }
    if (score <= most) continue;
    most = score;
    best = members;
  }
  return best;
}
