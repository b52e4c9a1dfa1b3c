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
  /** In that frame: where the object is looked for. */
  box: Bounds;
  /** The part of it that was thought of first. */
  core: Bounds;
  /** Whether something was found that the object stands on. */
  stands: boolean;
  /** By how much what it stands on is off its plane, in scene units; 0 where nothing was found. */
  roughness: number;
  /** Typical distance of the cameras from what they look at, in scene units. */
  distance: number;
  /** Other things on the ground that may be meant as well. */
  others: Thing[];
  /** Of each sparse point: 1 on the object, 2 not on it, 0 unknown. */
  sides: Uint8Array;
}

export const ON_OBJECT = 1;
export const BESIDE = 2;

/**
 * Cells of the grid in which points hang together, and how far from the middle they are looked at, in distances. Where
 * most points are loose the cells are coarser, and only what is nearer counts: they would join what is around as well.
 */
const GRIDS = [
  { cell: 0.03, reach: 0.7 },
  { cell: 0.05, reach: 0.4 },
  { cell: 0.08, reach: 0.4 },
];
/** Height above the ground from which points are of something on it, in roughnesses of the ground. */
const LIFT = 2.5;
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
  const roughness = plane?.tolerance ?? 0;
  const least = plane ? LIFT * roughness : -Infinity;
  // What lies on cloth sinks in.
  const floor = roughness > FLAT * distance ? -LIFT * roughness : 0;
  const things = thingsOn(local, least, distance);
  const cluster = things[0]?.members ?? [];
  const sides = new Uint8Array(points.length / 3).fill(BESIDE);
  if (cluster.length === 0) {
    // Nothing stands out: whatever is in the middle.
    const reach = 0.3 * distance;
    const box: Bounds = {
      min: [-reach, plane ? floor : -reach, -reach],
      max: [reach, plane ? 1.2 * reach : reach, reach],
    };
    sides.fill(0);
    return { frame, box, core: box, others: [], stands: plane !== undefined, roughness, distance, sides };
  }
  const { min, max } = extentOf(cluster, local);
  const share = cluster.length < FEW ? WIDE_MARGIN : MARGIN;
  const margin = share * Math.max(...max.map((v, i) => v - min[i])) + 0.01 * distance;
  const box: Bounds = {
    min: [min[0] - margin, plane ? floor : min[1] - margin, min[2] - margin],
    max: max.map((v) => v + margin) as Vec3,
  };
  for (const i of cluster) sides[i] = ON_OBJECT;
  const others = things.slice(1).filter(({ score }) => score > LIKE * things[0].score);
  const place = { frame, box, core: box, others, stands: plane !== undefined, roughness, distance, sides };
  return { ...place, sides: openInside(place, local) };
}

/** Inside the box all that is not surely of the ground may be of the object: of rough ground nothing is sure. */
function openInside({ box, sides, roughness, distance }: ObjectPlace, local: Float64Array): Uint8Array {
  const least = roughness > FLAT * distance ? -LIFT * roughness : LIFT * roughness;
  return sides.map((side, i) => {
    if (side === ON_OBJECT) return side;
    const p = local.subarray(i * 3, i * 3 + 3);
    return p.every((v, k) => v > box.min[k] && v < box.max[k]) && p[1] > least ? 0 : side;
  });
}

/** Roughness above which the ground is no table, in distances. */
const FLAT = 1.01 * TOLERANCE;

/** A side of a box: the axis, and whether it is the greater end. */
export interface BoxSide {
  axis: 0 | 1 | 2;
  upper: boolean;
}

/** A box with one side moved outwards. */
export function boxGrownBy({ min, max }: Bounds, { axis, upper }: BoxSide, by: number): Bounds {
  const moved = (corner: Vec3, step: number): Vec3 => corner.map((v, k) => (k === axis ? v + step : v)) as Vec3;
  return upper ? { min, max: moved(max, by) } : { min: moved(min, -by), max };
}

/** Growth of a box at a time, over its longest side, and how far it may reach from the middle, in distances. */
const GROWTH = 0.35;
const FARTHEST = 0.7;

/** The place with a box that is larger where the object reached its sides; undefined where it may not be larger. */
export function grownPlace(place: ObjectPlace, cut: readonly BoxSide[], points: Float64Array): ObjectPlace | undefined {
  const { box, distance } = place;
  const by = GROWTH * Math.max(...box.max.map((v, k) => v - box.min[k]));
  const most = FARTHEST * distance;
  const grown = cut.reduce((at, side) => boxGrownBy(at, side, by), box);
  const min = grown.min.map((v, k) => Math.min(box.min[k], Math.max(-most, v))) as Vec3;
  const max = grown.max.map((v, k) => Math.max(box.max[k], Math.min(most, v))) as Vec3;
  if (min.every((v, k) => v === box.min[k]) && max.every((v, k) => v === box.max[k])) return undefined;
  const larger = { ...place, box: { min, max } };
  return { ...larger, sides: openInside(larger, inFrame(place.frame, points)) };
}

/** The box of points but for a few that stray. */
export function extentOf(members: readonly number[], local: Float64Array): Bounds {
  const ends = [0, 1, 2].map((axis) => {
    const values = Float64Array.from(members, (i) => local[i * 3 + axis]).sort();
    return [0.005, 0.995].map((share) => values[Math.round(share * (values.length - 1))]);
  });
  return { min: ends.map(([least]) => least) as Vec3, max: ends.map(([, most]) => most) as Vec3 };
}

/** Score from which another thing may be meant as well, over that of the first. */
const LIKE = 0.25;

/** Share of the points' extent that the box is larger on each side. */
const MARGIN = 0.12;
/** And where there are fewer points than this: they tell little of its extent. */
const WIDE_MARGIN = 0.4;
const FEW = 150;

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
  const least = place.stands ? LIFT * place.roughness : -Infinity;
  const sides = place.sides.map((_, i) => {
    const p = local.subarray(i * 3, i * 3 + 3);
    const inside = p.every((v, k) => v > box.min[k] && v < box.max[k]);
    if (!inside) return BESIDE;
    return p[1] > least ? ON_OBJECT : 0;
  });
  return { ...place, box, core: box, others: [], sides };
}

/** Points that hang together. */
export interface Thing {
  members: number[];
  /** How many they are, those near the middle for more. */
  score: number;
}

/**
 * The points above `least` by what hangs together, the most and nearest to the middle first. Cells count as neighbours
 * across one empty cell.
 */
function thingsOn(local: Float64Array, least: number, distance: number): Thing[] {
  let things: Thing[] = [];
  for (const { cell, reach } of GRIDS) {
    const found = hangingTogether(local, cell * distance, { least, reach: reach * distance, distance });
    things = found.things;
    if ((things[0]?.score ?? 0) > found.loose) break;
  }
  return things;
}

/** Things by cells of one size, the best first, and the score of all points that are of none. */
function hangingTogether(
  local: Float64Array,
  step: number,
  { least, reach, distance }: { least: number; reach: number; distance: number },
): { things: Thing[]; loose: number } {
  const worth = (i: number): number =>
    Math.exp(-((Math.hypot(local[i * 3], local[i * 3 + 2]) / (0.3 * distance)) ** 2));
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
  let all = 0;
  for (const inside of cells.values()) for (const i of inside) all += worth(i);
  const seen = new Set<string>();
  const things: Thing[] = [];
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
      for (const i of inside) score += worth(i);
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
    things.push({ members, score });
  }
  const real = things.filter(({ members }) => members.length >= LEAST_POINTS).sort((a, b) => b.score - a.score);
  return { things: real, loose: all - real.reduce((sum, thing) => sum + thing.score, 0) };
}
