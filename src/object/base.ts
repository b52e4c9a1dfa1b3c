import { components } from '../capture/masks/components.js';
import { chamferDistance } from '../capture/masks/morphology.js';
import { convexHull, fillConvex } from './photo.js';
import { type ObjectPlace, ON_OBJECT } from './place.js';

type Spot = [number, number];

/** What is known of where the object stands on the ground. */
export interface Base {
  /** Convex outline (x, z) of the points of its lower half. */
  outline: Spot[];
  /** x, z of the points near the ground. */
  feet: Spot[];
  /** How far apart points of one foot may be. */
  reach: number;
}

/** Heights up to which points are of the lower half and of the feet, in heights of the object. */
const LOWER = 0.5;
const FEET = 0.25;
const LEAST_SPOTS = 8;
/** In distances of the cameras. */
const REACH = 0.05;

/** Where the object stands, by its points. */
export function baseOf({ core, sides, distance }: ObjectPlace, local: Float64Array): Base {
  const spots = (share: number): Spot[] => {
    const found: Spot[] = [];
    sides.forEach((side, i) => {
      if (side === ON_OBJECT && local[i * 3 + 1] < share * core.max[1]) found.push([local[i * 3], local[i * 3 + 2]]);
    });
    return found.length < LEAST_SPOTS ? [] : found;
  };
  return { outline: convexHull(spots(LOWER)), feet: spots(FEET), reach: REACH * distance };
}

/** A map of the ground: the corner of its first texel, the side of one, and how many there are. */
export interface GroundGrid {
  x: number;
  z: number;
  side: number;
  width: number;
  height: number;
}

/** How much larger than its points the base may be: points are hardly ever just at the rim. */
const RIM = 1.1;

/** 1 in texels within the convex outline of the base, and the same a little larger. */
export function outlineOn({ outline }: Base, grid: GroundGrid): { covered: Uint8Array; doubtful: Uint8Array } {
  const part = { left: 0, top: 0, partWidth: grid.width, partHeight: grid.height };
  const spots = outline.map(([x, z]): Spot => [(x - grid.x) / grid.side, (z - grid.z) / grid.side]);
  const mean = [0, 1].map((k) => spots.reduce((sum, p) => sum + p[k], 0) / spots.length);
  const larger = spots.map(([x, z]): Spot => [mean[0] + RIM * (x - mean[0]), mean[1] + RIM * (z - mean[1])]);
  return { covered: fillConvex(spots, part), doubtful: fillConvex(larger, part) };
}

/**
 * 1 in texels that the feet cover: around their points, and where those enclose a place, as the wall of a mug does.
 * Between feet that stand apart the ground is free.
 */
export function feetOn(base: Base, grid: GroundGrid): { covered: Uint8Array; doubtful: Uint8Array } {
  const { side, width, height } = grid;
  const spots = new Uint8Array(width * height);
  for (const [x, z] of base.feet) {
    const [u, v] = [Math.floor((x - grid.x) / side), Math.floor((z - grid.z) / side)];
    if (u >= 0 && v >= 0 && u < width && v < height) spots[v * width + u] = 1;
  }
  const away = chamferDistance(spots, width, height);
  const near = away.map((d) => (-d < base.reach / side ? 1 : 0));
  const doubtful = Uint8Array.from(near);
  // What is enclosed hangs together with no border.
  const holes = components(doubtful, width, 0);
  const open = new Set<number>();
  for (let i = 0; i < doubtful.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    if (x === 0 || y === 0 || x === width - 1 || y === height - 1) open.add(holes.labels[i]);
  }
  for (let i = 0; i < doubtful.length; i++) if (!doubtful[i] && !open.has(holes.labels[i])) doubtful[i] = 1;
  const inner = chamferDistance(doubtful, width, height);
  const rim = (0.8 * base.reach) / side;
  return { covered: Uint8Array.from(inner, (d) => (d > rim ? 1 : 0)), doubtful };
}
