/**
 * Sets of voxels: whole coordinates x, y, z, three numbers each in one `Int32Array`, and the lists of rows that sparse
 * layers read.
 */

/** Coordinates above this need more bits than a key has. */
const LIMIT = 2 ** 16;

const keyOf = (x: number, y: number, z: number): number => (x * LIMIT + y) * LIMIT + z;

/** Rows of voxels by coordinate: open addressing, since a million voxels ask 27 million times. */
class VoxelTable {
  private readonly slots: Int32Array;
  private readonly mask: number;
  private readonly coords: Int32Array;

  constructor(coords: Int32Array) {
    this.coords = coords;
    const size = 2 ** Math.ceil(Math.log2(Math.max(16, (coords.length / 3) * 2)));
    this.mask = size - 1;
    this.slots = new Int32Array(size).fill(-1);
    for (let row = 0; row * 3 < coords.length; row++) {
      const at = this.slot(coords[row * 3], coords[row * 3 + 1], coords[row * 3 + 2]);
      if (this.slots[at] >= 0) throw new RangeError(`voxels ${this.slots[at]} and ${row} are the same`);
      this.slots[at] = row;
    }
  }

  private slot(x: number, y: number, z: number): number {
    let hash = Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca6b) ^ Math.imul(z, 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    for (let at = (hash ^ (hash >>> 13)) & this.mask; ; at = (at + 1) & this.mask) {
      const row = this.slots[at] * 3;
      if (row < 0) return at;
      if (this.coords[row] === x && this.coords[row + 1] === y && this.coords[row + 2] === z) return at;
    }
  }

  /** The row of a voxel, −1 where there is none. */
  row(x: number, y: number, z: number): number {
    return this.slots[this.slot(x, y, z)];
  }
}

/**
 * For each voxel the rows of the 27 around it and −1 where there is none: tap (i·3 + j)·3 + l is the voxel at offset
 * (i − 1, j − 1, l − 1).
 */
export function neighbourMap(coords: Int32Array): Int32Array {
  const table = new VoxelTable(coords);
  const rows = coords.length / 3;
  const map = new Int32Array(rows * 27);
  for (let row = 0; row < rows; row++) {
    const [x, y, z] = coords.subarray(row * 3, row * 3 + 3);
    for (let tap = 0; tap < 27; tap++) {
      const [i, j, l] = [Math.floor(tap / 9), Math.floor(tap / 3) % 3, tap % 3];
      map[row * 27 + tap] = table.row(x + i - 1, y + j - 1, z + l - 1);
    }
  }
  return map;
}

/** As `neighbourMap`, for a dense volume whose rows run through x slowest and z fastest. */
export function denseNeighbourMap([width, height, depth]: readonly [number, number, number]): Int32Array {
  const map = new Int32Array(width * height * depth * 27).fill(-1);
  let at = 0;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      for (let z = 0; z < depth; z++) {
        for (let tap = 0; tap < 27; tap++, at++) {
          const a = x + Math.floor(tap / 9) - 1;
          const b = y + (Math.floor(tap / 3) % 3) - 1;
          const c = z + (tap % 3) - 1;
          if (a >= 0 && a < width && b >= 0 && b < height && c >= 0 && c < depth) {
            map[at] = (a * height + b) * depth + c;
          }
        }
      }
    }
  }
  return map;
}

/** The voxels of half the resolution that hold the given ones. */
export interface Coarser {
  /** In ascending order of x, y, z. */
  coords: Int32Array;
  /** Row of the coarse voxel of each given one. */
  parents: Int32Array;
  /** The given ones by coarse voxel: `rows[starts[p] … starts[p + 1]]`. */
  starts: Int32Array;
  rows: Int32Array;
}

/** Halves the resolution: each coordinate shifted down by one bit. */
export function coarser(coords: Int32Array): Coarser {
  const { order, starts, group } = grouped(coords, (c) => c >> 1);
  const parentCoords = new Int32Array((starts.length - 1) * 3);
  for (let p = 0; p + 1 < starts.length; p++) {
    const first = order[starts[p]] * 3;
    for (let axis = 0; axis < 3; axis++) parentCoords[p * 3 + axis] = coords[first + axis] >> 1;
  }
  return { coords: parentCoords, parents: group, starts, rows: order };
}

/** Eight children in place of each voxel, child dx·4 + dy·2 + dz at twice the coordinate plus (dx, dy, dz). */
export function subdivided(coords: Int32Array): Int32Array {
  const result = new Int32Array(coords.length * 8);
  for (let i = 0; i * 3 < result.length; i++) {
    const parent = (i >> 3) * 3;
    for (let axis = 0; axis < 3; axis++) result[i * 3 + axis] = coords[parent + axis] * 2 + ((i >> (2 - axis)) & 1);
  }
  return result;
}

/** Voxels in windows of a grid, for attention within each. */
export interface Windows {
  /** Voxels, window after window. */
  order: Int32Array;
  /** For each voxel its place in `order`. */
  places: Int32Array;
  /** First place of each window, and the end. Windows are in ascending order of x, y, z. */
  starts: Int32Array;
  /** Number of the window of each voxel. */
  window: Int32Array;
}

/**
 * Parts voxels into cubes of `size` voxels whose corners lie at multiples of `size` minus `shift`. Nothing wraps round:
 * windows at the border are smaller.
 */
export function voxelWindows(coords: Int32Array, size: number, shift: number): Windows {
  const { order, starts, group } = grouped(coords, (c) => Math.floor((c + shift) / size));
  const places = new Int32Array(order.length);
  order.forEach((voxel, place) => {
    places[voxel] = place;
  });
  return { order, places, starts, window: group };
}

/** Groups voxels by a function of each coordinate; groups in ascending order, voxels of a group in theirs. */
function grouped(
  coords: Int32Array,
  cell: (coordinate: number) => number,
): { order: Int32Array; starts: Int32Array; group: Int32Array } {
  const count = coords.length / 3;
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    keys[i] = keyOf(cell(coords[i * 3]), cell(coords[i * 3 + 1]), cell(coords[i * 3 + 2]));
  }
  const order = Int32Array.from({ length: count }, (_, i) => i).sort((a, b) => keys[a] - keys[b] || a - b);
  const group = new Int32Array(count);
  const starts: number[] = [];
  order.forEach((voxel, place) => {
    if (place === 0 || keys[order[place - 1]] !== keys[voxel]) starts.push(place);
    group[voxel] = starts.length - 1;
  });
  return { order, starts: Int32Array.from([...starts, count]), group };
}
