import type { Bounds } from '../core/bounds.js';
import type { Vec3 } from '../core/math.js';
import type { WorkPhoto } from './photo.js';
import { type BoxSide, extentOf, type ObjectPlace, ON_OBJECT } from './place.js';
import { reachedSides } from './reach.js';
import { hullCells, type Votes } from './vote.js';

/** What speaks against masks that fit each other well all the same. JSON-serialisable. */
export interface Doubts {
  /** Sides of the box that the object reaches: it may go on beyond them. */
  reached: BoxSide[];
  /** Boxes, in the place's frame, of other things that stand beside what was cut out. */
  beside: Bounds[];
  /** Boxes, in the place's frame, of the things that were cut out together, where they are several. */
  together: Bounds[];
  /** Share of the points on the object that lie deep inside its outlines; absent where there are few points. */
  inside?: number;
  /** Points surely on the object that a photo shows, in the median of the photos; absent where that is not known. */
  points?: number;
  /** Height above the ground at which the object begins, over its own height; 0 where no ground was found. */
  gap: number;
  /** Photos in which the border of the picture cuts the object. */
  cutByPicture: number;
}

export interface DoubtsInput {
  photos: readonly WorkPhoto[];
  masks: readonly Uint8Array[];
  votes: Votes;
  place: ObjectPlace;
  /** Sparse points in the place's frame. */
  local: Float64Array;
  /** By the name of a photo: the points that it shows. */
  seen?: ReadonlyMap<string, Uint32Array>;
  /** Share of the votes from which a cell is of the object. */
  share: number;
}

/** What speaks against the masks. */
export function doubtsOf({ photos, masks, votes, place, local, seen, share }: DoubtsInput): Doubts {
  const voting = photos.filter(({ votes: may }) => may);
  const hull = hullCells(votes, share, voting.length);
  return {
    reached: reachedSides(photos, masks, votes, place),
    beside: thingsBeside(place, local, votes, hull),
    together: place.stands ? standing(votes, hull) : [],
    inside: insideShare(place, local, votes, hull),
    points: seen && middlePoints(place, voting, seen),
    gap: place.stands ? gapBelow(votes, hull) : 0,
    cutByPicture: photos.filter((photo, i) => photo.votes && cutByPicture(photo, masks[i])).length,
  };
}

function middlePoints(
  { sides }: ObjectPlace,
  photos: readonly WorkPhoto[],
  seen: ReadonlyMap<string, Uint32Array>,
): number {
  const counts = photos.map(({ name }) => (seen.get(name) ?? []).filter((i) => sides[i] === ON_OBJECT).length);
  return counts.sort((a, b) => a - b)[counts.length >> 1] ?? 0;
}

/** The cell that a point is in, −1 outside of the box. */
function cellAt({ box, side, size }: Votes, local: Float64Array, i: number): number {
  const [x, y, z] = [0, 1, 2].map((k) => Math.floor((local[i * 3 + k] - box.min[k]) / side));
  if (x < 0 || y < 0 || z < 0 || x >= size[0] || y >= size[1] || z >= size[2]) return -1;
  return (z * size[1] + y) * size[0] + x;
}

/** Points that make a thing, and the share of them that must not be cut out for it to stand beside. */
const LEAST_POINTS = 40;
const LEFT_OUT = 0.7;
/** Height of a thing over that of the one that was cut out. */
const LIKE_HEIGHT = 0.3;

function thingsBeside({ core, others }: ObjectPlace, local: Float64Array, votes: Votes, hull: Uint8Array): Bounds[] {
  return others.flatMap(({ members }) => {
    if (members.length < LEAST_POINTS) return [];
    const out = members.filter((i) => {
      const cell = cellAt(votes, local, i);
      return cell < 0 || !hull[cell];
    }).length;
    const extent = extentOf(members, local);
    if (out < LEFT_OUT * members.length || extent.max[1] < LIKE_HEIGHT * core.max[1]) return [];
    return [{ min: [extent.min[0], 0, extent.min[2]], max: extent.max }];
  });
}

/** Volume from which a part is a thing of its own, over the largest, and how near the ground it begins. */
const LIKE_VOLUME = 0.1;
const NEAR_GROUND = 0.12;

/** The parts that hang together with nothing else and stand on the ground, where they are several. */
function standing({ size, side, box }: Votes, hull: Uint8Array): Bounds[] {
  const [nx, ny] = size;
  const steps = [1, -1, nx, -nx, nx * ny, -nx * ny];
  const seen = new Uint8Array(hull.length);
  const parts: { volume: number; min: Vec3; max: Vec3 }[] = [];
  for (let start = 0; start < hull.length; start++) {
    if (!hull[start] || seen[start]) continue;
    const part = { volume: 0, min: [Infinity, Infinity, Infinity] as Vec3, max: [-1, -1, -1] as Vec3 };
    const stack = [start];
    seen[start] = 1;
    for (let cell = stack.pop(); cell !== undefined; cell = stack.pop()) {
      const at = [cell % nx, Math.floor(cell / nx) % ny, Math.floor(cell / (nx * ny))];
      part.volume++;
      at.forEach((v, k) => {
        part.min[k] = Math.min(part.min[k], v);
        part.max[k] = Math.max(part.max[k], v);
      });
      steps.forEach((step, k) => {
        const axis = k >> 1;
        const next = at[axis] + (k & 1 ? -1 : 1);
        const other = cell + step;
        if (next < 0 || next >= size[axis] || !hull[other] || seen[other]) return;
        seen[other] = 1;
        stack.push(other);
      });
    }
    parts.push(part);
  }
  const largest = Math.max(0, ...parts.map(({ volume }) => volume));
  const things = parts.filter(({ volume, min }) => volume > LIKE_VOLUME * largest && min[1] < NEAR_GROUND * ny);
  if (things.length < 2) return [];
  return things.map(({ min, max }) => ({
    min: min.map((v, k) => box.min[k] + v * side) as Vec3,
    max: max.map((v, k) => box.min[k] + (v + 1) * side) as Vec3,
  }));
}

/** Cells of a layer that are no stray ones. */
const LEAST_IN_LAYER = 12;

/** How far above the ground the lowest layer of the object is, over the height of the highest. */
function gapBelow({ size, side, box }: Votes, hull: Uint8Array): number {
  const layers = new Uint32Array(size[1]);
  for (let cell = 0; cell < hull.length; cell++) if (hull[cell]) layers[Math.floor(cell / size[0]) % size[1]]++;
  const lowest = layers.findIndex((n) => n >= LEAST_IN_LAYER);
  const highest = layers.findLastIndex((n) => n >= LEAST_IN_LAYER);
  if (lowest < 0) return 0;
  const heightOf = (layer: number): number => Math.max(0, box.min[1] + layer * side);
  return heightOf(lowest) / Math.max(side, heightOf(highest + 1));
}

/** Points that tell where a surface is, and the depth from which one is deep inside, over that of the middle. */
const LEAST_INSIDE = 20;
const DEEP = 0.35;
const DEEP_CELLS = 3;

/**
 * The share of the points on the object that lie deep inside its outlines. What a mirror or glass shows lies behind its
 * surface, from wherever it is seen; of other things most points are on their surface, hence near the outlines' hull.
 */
function insideShare(
  { sides, stands, roughness }: ObjectPlace,
  local: Float64Array,
  votes: Votes,
  hull: Uint8Array,
): number | undefined {
  const depth = depths(hull, votes.size);
  const deep = Math.max(DEEP_CELLS, DEEP * depth.reduce((most, v) => Math.max(most, v), 0));
  let [inside, all] = [0, 0];
  for (let i = 0; i < sides.length; i++) {
    const cell = cellAt(votes, local, i);
    if (cell < 0 || !hull[cell]) continue;
    if (sides[i] !== ON_OBJECT && stands && local[i * 3 + 1] < 4 * roughness) continue;
    all++;
    if (depth[cell] > deep) inside++;
  }
  return all < LEAST_INSIDE ? undefined : inside / all;
}

/** Steps from each cell of the object to the next that is none, along the axes; what is beyond the box is none. */
function depths(hull: Uint8Array, size: Votes['size']): Uint16Array {
  const [nx, ny, nz] = size;
  const out = new Uint16Array(hull.length);
  const pass = (from: number, to: number, step: number): void => {
    for (let cell = from; cell !== to; cell += step) {
      if (!hull[cell]) continue;
      const at = [cell % nx, Math.floor(cell / nx) % ny, Math.floor(cell / (nx * ny))];
      let least = out[cell] || nx + ny + nz;
      [1, nx, nx * ny].forEach((stride, axis) => {
        const before = at[axis] - step;
        const d = before < 0 || before >= size[axis] ? 0 : out[cell - step * stride];
        least = Math.min(least, d + 1);
      });
      out[cell] = least;
    }
  };
  pass(0, hull.length, 1);
  pass(hull.length - 1, -1, -1);
  return out;
}

/** Share of the picture's border within the part's side, over the object's width, that is object where it is cut. */
const CUT = 0.1;

/** Whether the object goes on beyond the picture. */
function cutByPicture(photo: WorkPhoto, mask: Uint8Array): boolean {
  const { left, top, partWidth, partHeight, width, height } = photo;
  const area = mask.reduce((sum, v) => sum + v, 0);
  let border = 0;
  for (let y = 0; y < partHeight; y++) {
    if (left === 0 && mask[y * partWidth]) border++;
    if (left + partWidth >= width && mask[y * partWidth + partWidth - 1]) border++;
  }
  for (let x = 0; x < partWidth; x++) {
    if (top === 0 && mask[x]) border++;
    if (top + partHeight >= height && mask[(partHeight - 1) * partWidth + x]) border++;
  }
  return border > CUT * Math.sqrt(area);
}
