import type { Bounds } from '../../core/bounds.js';
import { PlinthError } from '../../core/errors.js';
import type { Vec3 } from '../../core/math.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { DUAL_TABLE } from './dualTable.js';

/** Samples along each side of a brick. */
export const BRICK_SIDE = 4;
/** Samples of a brick, and cells: each sample is the lowest corner of one. */
export const BRICK_SAMPLES = BRICK_SIDE ** 3;
/** Weights of a cell: the exponents of α of its 8 corners, of β of its 12 edges, and of γ. */
export const CELL_WEIGHTS = 21;
const BRICK_WORDS = 28;
const NONE = 0xffffffff;

/** A regular grid of samples, cut into bricks of 4 × 4 × 4. */
export interface IsoLattice {
  /** World position of sample (0, 0, 0). */
  origin: Vec3;
  /** Distance of neighbouring samples, scene units. */
  voxel: number;
  /** Bricks along each axis, at most 1024. */
  bricks: Vec3;
}

/**
 * A level set on the bricks around its surface, on the device. N samples = 64 × slots; slots that no brick is in are
 * never looked at. Samples on the border of what is there (not all eight cells around them are) take no part in
 * extraction beyond lending their sign: they must not differ in sign from one another, and they do not move.
 */
export interface IsoGrid extends IsoLattice {
  slots: number;
  /** For each slot the number of its brick, (z · bricks y + y) · bricks x + x; −1 = free. */
  brickOf: Int32Array;
  /** u32: the table of dual cases, then 28 words per slot (see isosurface.wgsl). */
  topology: GPUBuffer;
  /**
   * Parameter: vec4f [N × 2]: signed distance in voxels (negative inside), deformation x, y, z in voxels; colour r, g,
   * b, 0.
   */
  samples: GPUBuffer;
  /** Parameter: f32 [N × 21], exponents of FlexiCubes' weights; 0 = weight 1. */
  weights: GPUBuffer;
  /** u32 [N]: see isosurface.wgsl; written by `recordExtract`. */
  entries: GPUBuffer;
  /**
   * u32 [2N]: the first position of each cell's vertices, then of each sample's quad centres; written by
   * `recordExtract`.
   */
  offsets: GPUBuffer;
}

/**
 * A lattice around bounds.
 * @param resolution cells along the longest side of the bounds
 * @param margin cells beyond the bounds on every side
 */
export function isoLattice(bounds: Bounds, resolution: number, margin = BRICK_SIDE + 2): IsoLattice {
  const size = bounds.max.map((v, i) => v - bounds.min[i]);
  const voxel = Math.max(...size) / resolution;
  return {
    origin: bounds.min.map((v) => v - margin * voxel) as Vec3,
    voxel,
    bricks: size.map((s) => Math.ceil((Math.ceil(s / voxel) + 2 * margin + 1) / BRICK_SIDE)) as Vec3,
  };
}

/** Samples along each axis. */
export const latticeSize = ({ bricks }: IsoLattice): Vec3 => bricks.map((b) => b * BRICK_SIDE) as Vec3;

/**
 * Buffers for up to `slots` bricks; none is in yet.
 * @throws `GPU_LIMIT_TOO_LOW` where the weights, or an optimiser's memory of them, would not fit into one binding: from
 * about 12,000 bricks on where that may have 128 MiB
 */
export function createIsoGrid(gpu: Gpu, lattice: IsoLattice, slots: number): IsoGrid {
  const { origin, voxel, bricks } = lattice;
  const n = slots * BRICK_SAMPLES;
  const largest = n * CELL_WEIGHTS * 8;
  if (largest > gpu.limits.maxStorageBufferBindingSize) {
    throw new PlinthError('GPU_LIMIT_TOO_LOW', {
      found:
        `A level set on ${slots} bricks needs a binding of ${largest} bytes; the device allows ` +
        `${gpu.limits.maxStorageBufferBindingSize}`,
      remedy: 'Use a smaller resolution',
    });
  }
  const topology = gpu.createBuffer(DUAL_TABLE.byteLength + slots * BRICK_WORDS * 4, 'isosurface topology');
  gpu.write(topology, DUAL_TABLE);
  return {
    origin,
    voxel,
    bricks,
    slots,
    brickOf: new Int32Array(slots).fill(-1),
    topology,
    samples: gpu.createBuffer(n * 32, 'isosurface samples'),
    weights: gpu.createBuffer(n * CELL_WEIGHTS * 4, 'isosurface weights'),
    entries: gpu.createBuffer(n * 4, 'isosurface entries'),
    offsets: gpu.createBuffer(n * 8, 'isosurface offsets'),
  };
}

/** Frees the grid's buffers. */
export function destroyIsoGrid(grid: IsoGrid): void {
  for (const buffer of [grid.topology, grid.samples, grid.weights, grid.entries, grid.offsets]) buffer.destroy();
}

/**
 * Puts exactly these bricks in. Those that are in already keep their slot and with it their samples and weights; the
 * others get the lowest free ones, whose contents the caller has to write.
 * @param wanted brick numbers, ascending
 * @returns the slots that were given out anew, ascending
 * @throws RangeError where there are more than slots
 */
export function setBricks(gpu: Gpu, grid: IsoGrid, wanted: readonly number[]): number[] {
  if (wanted.length > grid.slots) throw new RangeError(`${wanted.length} bricks for ${grid.slots} slots`);
  const [nx, ny, nz] = grid.bricks;
  const keep = new Set(wanted);
  const slotOf = new Map<number, number>();
  grid.brickOf.forEach((brick, slot) => {
    if (brick < 0) return;
    if (keep.has(brick)) slotOf.set(brick, slot);
    else grid.brickOf[slot] = -1;
  });
  const fresh: number[] = [];
  let free = 0;
  for (const brick of wanted) {
    if (slotOf.has(brick)) continue;
    while (grid.brickOf[free] >= 0) free++;
    grid.brickOf[free] = brick;
    slotOf.set(brick, free);
    fresh.push(free);
  }
  const words = new Uint32Array(grid.slots * BRICK_WORDS);
  for (const [brick, slot] of slotOf) {
    const x = brick % nx;
    const y = Math.floor(brick / nx) % ny;
    const z = Math.floor(brick / (nx * ny));
    const at = slot * BRICK_WORDS;
    for (let k = 0; k < 27; k++) {
      const [bx, by, bz] = [x + (k % 3) - 1, y + (Math.floor(k / 3) % 3) - 1, z + Math.floor(k / 9) - 1];
      if (bx < 0 || by < 0 || bz < 0 || bx >= nx || by >= ny || bz >= nz) continue;
      words[at + k] = (slotOf.get((bz * ny + by) * nx + bx) ?? NONE) + 1;
    }
    words[at + 27] = (x | (y << 10) | (z << 20)) >>> 0;
  }
  gpu.write(grid.topology, words, DUAL_TABLE.byteLength);
  return fresh.sort((a, b) => a - b);
}

/** Calls `visit` with the index into the grid's samples and the lattice coordinates of every sample of a slot. */
export function eachSample(
  grid: IsoGrid,
  slot: number,
  visit: (index: number, x: number, y: number, z: number) => void,
): void {
  const brick = grid.brickOf[slot];
  if (brick < 0) return;
  const [nx, ny] = grid.bricks;
  const x0 = (brick % nx) * BRICK_SIDE;
  const y0 = (Math.floor(brick / nx) % ny) * BRICK_SIDE;
  const z0 = Math.floor(brick / (nx * ny)) * BRICK_SIDE;
  for (let i = 0; i < BRICK_SAMPLES; i++) {
    visit(slot * BRICK_SAMPLES + i, x0 + (i & 3), y0 + ((i >> 2) & 3), z0 + (i >> 4));
  }
}
