import { projectPoint } from '../../core/camera.js';
import { normalize, sub } from '../../core/math.js';
import { pause } from '../../core/pause.js';
import { type IsoLattice, latticeSize } from '../flexicubes/brickGrid.js';
import {
  type CarvingView,
  findSightings,
  isOpaque,
  type PreparedView,
  positionOf,
  prepareViews,
  type Sightings,
} from './sightings.js';

export interface CarvingFacts {
  /** Concavities that were opened. */
  opened: number;
  /** Share of the solid's voxels that were taken away. */
  carvedShare: number;
}

/**
 * Disagreement of views, in levels of 255, above which a voxel is taken away, pass by pass. In passes below
 * `LEAST_START` only what was opened before grows: deep inside a vessel everything is dark and differs by little, and
 * on an ordinary surface highlights differ by as much.
 */
const PASSES = [45, 30, 20, 14, 10, 7] as const;
const LEAST_START = 18;
/** Fewer views than this that see a voxel say nothing about it. */
const LEAST_VIEWS = 4;
/**
 * Voxels that the object's outline in some view rests on are kept: those whose ray passes through no more than this
 * many.
 */
const LOAD_BEARING = 3;
/**
 * Concavities less deep than this, in voxels, or smaller than this share of the solid are closed again at the end:
 * highlights dig such pits, and small ones an optimisation of the surface finds by itself.
 */
const LEAST_DEPTH = 3;
const LEAST_CONCAVITY = 0.03;
/** Regions smaller than this are not opened; voxels. */
const LEAST_REGION = 32;
/**
 * Error after a region was opened, as a share of that before, that it must not exceed: for new ones, and for what
 * opened ones grow by.
 */
const IMPROVEMENT = { start: 0.9, growth: 0.97 } as const;
/** Share of a region's pixels that may lose the object. */
const LOST_SHARE = 0.01;
/**
 * Error of a pixel is cut off here; one that too few other views see counts as much as the second. In levels of 255.
 */
const MOST_ERROR = 100;
const UNKNOWN_ERROR = 60;
/** Views that the colour of a pixel is predicted from. */
const PREDICTING_VIEWS = 4;
const LONGEST_PASS = 60;
/** Every how many pixels in each direction are looked at to judge. */
const JUDGE_EVERY = 2;
/** Layers between two looks at what they are good for. */
const LOOK_EVERY = 4;

/**
 * Space carving (Kutulakos & Seitz 2000): takes away voxels that views see in different colours, so that concavities
 * open which no outline shows, such as the inside of a cup, in a visual hull.
 *
 * Views also disagree about highlights and mirrors, and taking voxels away there would dig pits. Whether a region is
 * opened is therefore decided by what it is good for: the colour of each of its pixels is predicted from the nearest
 * views that see the same voxel, before and after, and only regions whose prediction gets better by far stay open. A
 * convex surface never does.
 *
 * @param solid 1 where a sample of the lattice is inside, 0 on its border; changed in place
 * @param views at least `LEAST_VIEWS` of every place are needed, so nothing is carved where few pictures were taken
 * @throws CANCELLED
 */
export async function carveConcavities(
  solid: Uint8Array,
  lattice: IsoLattice,
  views: readonly CarvingView[],
  hooks: { signal?: AbortSignal; progress?: (fraction: number) => void } = {},
): Promise<CarvingFacts> {
  const prepared = prepareViews(views);
  const before = solid.slice();
  const refused = new Uint8Array(solid.length);
  let isOpen = false;
  let current = findSightings(solid, lattice, prepared);
  for (const [p, threshold] of PASSES.entries()) {
    const isStart = threshold >= LEAST_START;
    if (!isStart && !isOpen) break;
    const from = current;
    const taken = new Uint8Array(solid.length);
    const state = { solid, before, refused, taken };
    for (let step = 0; step < LONGEST_PASS; step++) {
      const count = carveLayer(current, state, lattice, prepared, threshold, isStart);
      if (count === 0) break;
      current = findSightings(solid, lattice, prepared);
      // What makes matters worse is given up early, since most of the time would go into it.
      if (step % LOOK_EVERY === LOOK_EVERY - 1) {
        const worse = judge(taken, from, current, lattice, prepared).filter((r) => r.after > r.before);
        if (worse.length > 0) {
          for (const region of worse) restore(region.voxels, state, true);
          current = findSightings(solid, lattice, prepared);
        }
      }
      await pause(hooks.signal);
      hooks.progress?.((p + step / LONGEST_PASS) / PASSES.length);
    }
    const regions = judge(taken, from, current, lattice, prepared);
    let isRestored = false;
    for (const region of regions) {
      const share = region.after / region.before;
      const grows = region.voxels.some((i) => touches(i, before, solid, taken, lattice));
      const isEnough = grows || region.voxels.length >= LEAST_REGION;
      if (isEnough && share < IMPROVEMENT[grows ? 'growth' : 'start'] && region.lost < LOST_SHARE) {
        isOpen = true;
        continue;
      }
      // What only failed to get much better may do so with what a later pass takes away.
      restore(region.voxels, state, share > 1 || !isEnough);
      isRestored = true;
    }
    if (isRestored) current = findSightings(solid, lattice, prepared);
  }
  const opened = closeSmall(solid, before, lattice);
  let [all, carved] = [0, 0];
  for (let i = 0; i < solid.length; i++) {
    all += before[i];
    carved += before[i] - solid[i];
  }
  return { opened, carvedShare: all > 0 ? carved / all : 0 };
}

interface CarvingState {
  solid: Uint8Array;
  /** As it was given. */
  before: Uint8Array;
  /** Voxels that stay. */
  refused: Uint8Array;
  /** Voxels taken away in this pass. */
  taken: Uint8Array;
}

/** Closes concavities that are too small or too shallow; gives the number of those that are left. */
function closeSmall(solid: Uint8Array, before: Uint8Array, lattice: IsoLattice): number {
  const carved = before.map((b, i) => b & ~solid[i]);
  const reached = carved.slice();
  // Layer by layer from the outside: what is left is deep.
  for (let layer = 1; layer < LEAST_DEPTH; layer++) {
    const outer: number[] = [];
    for (let i = 0; i < reached.length; i++) {
      const isOuter = (j: number) => before[j] === 0 || (carved[j] === 1 && reached[j] === 0);
      if (reached[i] && neighbours(i, lattice).some(isOuter)) outer.push(i);
    }
    for (const i of outer) reached[i] = 0;
  }
  const least = LEAST_CONCAVITY * before.reduce((sum, b) => sum + b, 0);
  const regions = connected(carved, lattice);
  const deep = regions.filter((region) => region.length >= least && region.some((i) => reached[i] === 1));
  for (const region of regions) if (!deep.includes(region)) for (const i of region) solid[i] = 1;
  return deep.length;
}

/** The six samples beside one that is not on the lattice's border. */
function neighbours(i: number, lattice: IsoLattice): number[] {
  const [nx, ny] = latticeSize(lattice);
  return [i - 1, i + 1, i - nx, i + nx, i - nx * ny, i + nx * ny];
}

/** Connected regions of what is marked with 1. */
function connected(marks: Uint8Array, lattice: IsoLattice): number[][] {
  const left = marks.slice();
  const regions: number[][] = [];
  for (let seed = 0; seed < left.length; seed++) {
    if (!left[seed]) continue;
    const region: number[] = [];
    const stack = [seed];
    left[seed] = 0;
    while (stack.length > 0) {
      const i = stack.pop()!;
      region.push(i);
      for (const j of neighbours(i, lattice)) {
        if (!left[j]) continue;
        left[j] = 0;
        stack.push(j);
      }
    }
    regions.push(region);
  }
  return regions;
}

/** Puts voxels back; for good if they are refused. */
function restore(voxels: readonly number[], { solid, taken, refused }: CarvingState, isRefused: boolean): void {
  for (const i of voxels) {
    solid[i] = 1;
    taken[i] = 0;
    if (isRefused) refused[i] = 1;
  }
}

/** Takes away one layer of what views disagree about; gives the number of voxels. */
function carveLayer(
  { voxels, place, colors }: Sightings,
  { solid, before, refused, taken }: CarvingState,
  lattice: IsoLattice,
  views: readonly PreparedView[],
  threshold: number,
  anywhere: boolean,
): number {
  const [nx, ny] = latticeSize(lattice);
  const spread = Float32Array.from(voxels, (_, k) => disagreement(colors, k * views.length, views.length));
  const chosen: number[] = [];
  for (let k = 0; k < voxels.length; k++) {
    const i = voxels[k];
    if (spread[k] <= 0.5 * threshold || refused[i]) continue;
    let [sum, count] = [0, 0];
    let isOpen = anywhere;
    for (let c = -2; c <= 2; c++)
      for (let b = -2; b <= 2; b++)
        for (let a = -2; a <= 2; a++) {
          const j = i + a + (b + c * ny) * nx;
          if (place[j] >= 0) {
            if (spread[place[j]] < 0) continue;
            sum += spread[place[j]];
            count++;
          } else if (Math.max(Math.abs(a), Math.abs(b), Math.abs(c)) <= 1 && before[j] && !solid[j]) isOpen = true;
        }
    if (isOpen && sum > threshold * count && !isLoadBearing(i, solid, lattice, views)) chosen.push(i);
  }
  for (const i of chosen) {
    solid[i] = 0;
    taken[i] = 1;
  }
  return chosen.length;
}

const channels = [new Uint8Array(256), new Uint8Array(256), new Uint8Array(256)];
const deviations = new Float32Array(256);

/** Sorts a colour into `channels`, which hold `n`. */
function insert(color: number, n: number): void {
  for (let c = 0; c < 3; c++) {
    const channel = channels[c];
    const value = (color >>> (8 * c)) & 255;
    let k = n;
    for (; k > 0 && channel[k - 1] > value; k--) channel[k] = channel[k - 1];
    channel[k] = value;
  }
}

const distanceTo = (color: number, middle: number): number =>
  Math.hypot(
    (color & 255) - channels[0][middle],
    ((color >>> 8) & 255) - channels[1][middle],
    ((color >>> 16) & 255) - channels[2][middle],
  );

/** Median distance of the colours of a voxel from their median, in levels of 255; −1 where too few views see it. */
function disagreement(colors: Uint32Array, from: number, count: number): number {
  let n = 0;
  for (let v = 0; v < count && n < 256; v++) if (colors[from + v] !== 0) insert(colors[from + v], n++);
  if (n < LEAST_VIEWS) return -1;
  const middle = n >> 1;
  let m = 0;
  for (let v = 0; m < n; v++) {
    if (colors[from + v] === 0) continue;
    const distance = distanceTo(colors[from + v], middle);
    let k = m++;
    for (; k > 0 && deviations[k - 1] > distance; k--) deviations[k] = deviations[k - 1];
    deviations[k] = distance;
  }
  return deviations[middle];
}

/** Whether some view shows the object where the ray through this voxel passes through few others. */
function isLoadBearing(voxel: number, solid: Uint8Array, lattice: IsoLattice, views: readonly PreparedView[]): boolean {
  const size = latticeSize(lattice);
  const start = [voxel % size[0], Math.floor(voxel / size[0]) % size[1], Math.floor(voxel / (size[0] * size[1]))];
  const p = positionOf(voxel, lattice);
  for (const view of views) {
    const at = projectPoint(view.camera, p, view.toCamera);
    const [x, y] = [Math.floor(at.x), Math.floor(at.y)];
    if (x < 0 || y < 0 || x >= view.width || y >= view.height || !isOpaque(view.pixels[y * view.width + x])) continue;
    if (solidAlong(start, normalize(sub(p, view.eye)), solid, size) <= LOAD_BEARING) return true;
  }
  return false;
}

/** Voxels of the solid on a line through one of them, counted until they are more than `LOAD_BEARING`. */
function solidAlong(start: number[], direction: number[], solid: Uint8Array, [nx, ny, nz]: readonly number[]): number {
  let count = 0;
  for (const sign of [1, -1]) {
    for (let t = sign > 0 ? 0 : 1; count <= LOAD_BEARING; t++) {
      const x = Math.round(start[0] + sign * direction[0] * t);
      const y = Math.round(start[1] + sign * direction[1] * t);
      const z = Math.round(start[2] + sign * direction[2] * t);
      if (x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz) break;
      count += solid[(z * ny + y) * nx + x];
    }
  }
  return count;
}

interface Region {
  voxels: number[];
  /**
   * Sum over the pixels that show the region's surface of the error of what the other views predict, before it was
   * taken away and after.
   */
  before: number;
  after: number;
  /** Share of these pixels that show nothing of the solid any more. */
  lost: number;
}

/** The connected regions that a pass has taken away, each with what that did to the prediction of pixels. */
function judge(
  taken: Uint8Array,
  from: Sightings,
  to: Sightings,
  lattice: IsoLattice,
  views: readonly PreparedView[],
): Region[] {
  const regionOf = new Int32Array(taken.length).fill(-1);
  const regions = connected(taken, lattice).map((voxels, r) => {
    for (const i of voxels) regionOf[i] = r;
    return { voxels, before: 0, after: 0, lost: 0, pixels: 0 };
  });
  for (const [v, view] of views.entries()) {
    for (let q = 0; q < view.pixels.length; q++) {
      if ((q % view.width) % JUDGE_EVERY !== 0 || Math.floor(q / view.width) % JUDGE_EVERY !== 0) continue;
      const k = from.foremost[v][q];
      const region = k < 0 ? undefined : regions[regionOf[from.voxels[k]]];
      if (!region || !isOpaque(view.pixels[q])) continue;
      region.pixels++;
      region.before += predictionError(from, k, view.nearest, view.pixels[q]);
      const now = to.foremost[v][q];
      if (now < 0) region.lost++;
      region.after += now < 0 ? MOST_ERROR : predictionError(to, now, view.nearest, view.pixels[q]);
    }
  }
  return regions.map(({ pixels, lost, ...region }) => ({ ...region, lost: lost / Math.max(1, pixels) }));
}

/**
 * Distance of a pixel's colour from the median of what the nearest views that see the same voxel show. Only a few, and
 * near ones: in a pit fewer and more similar views see a voxel, and would agree better about a highlight for that
 * alone.
 */
function predictionError({ colors }: Sightings, k: number, nearest: readonly number[], color: number): number {
  let n = 0;
  for (let o = 0; o < nearest.length && n < PREDICTING_VIEWS; o++) {
    const other = colors[k * (nearest.length + 1) + nearest[o]];
    if (other !== 0) insert(other, n++);
  }
  return n < 2 ? UNKNOWN_ERROR : Math.min(MOST_ERROR, distanceTo(color, n >> 1));
}

/** Whether a voxel borders on what an earlier pass has taken away. */
function touches(i: number, before: Uint8Array, solid: Uint8Array, taken: Uint8Array, lattice: IsoLattice): boolean {
  const [nx, ny] = latticeSize(lattice);
  for (let c = -1; c <= 1; c++)
    for (let b = -1; b <= 1; b++)
      for (let a = -1; a <= 1; a++) {
        const j = i + a + (b + c * ny) * nx;
        if (before[j] && !solid[j] && !taken[j]) return true;
      }
  return false;
}
