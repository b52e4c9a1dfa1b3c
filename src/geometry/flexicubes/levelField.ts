import { BRICK_SIDE, type IsoLattice, latticeSize } from './brickGrid.js';
import { MAXIMUM_FIELD } from './stepGrid.js';

/**
 * Fields on all samples of a lattice, in memory: f32, x fastest. Between stretches of an optimisation on the device,
 * what it made is put in order here.
 */
export interface LevelField {
  /** Signed distance in voxels, negative inside. */
  values: Float32Array;
  /** [× 3]: deformation of the lattice, voxels. */
  deformations: Float32Array;
  /** [× 3]: linear colour. */
  colors: Float32Array;
}

/** Samples that the surface's edges end at, and what is this many samples around them, is kept in bricks. */
const REACH = 2;

/**
 * The bricks around the surface, ascending: all that hold a sample within two of an end of an edge that changes sign.
 * So the samples that may change their sign have all their cells.
 */
export function surfaceBricks(values: Float32Array, lattice: IsoLattice): number[] {
  const size = latticeSize(lattice);
  const [nx, ny] = size;
  const [bx, by] = lattice.bricks;
  const strides = [1, nx, nx * ny];
  const wanted = new Uint8Array(lattice.bricks[0] * lattice.bricks[1] * lattice.bricks[2]);
  const brick = (v: number, axis: number) => Math.floor(Math.min(size[axis] - 1, Math.max(0, v)) / BRICK_SIDE);
  for (let i = 0; i < values.length; i++) {
    const inside = values[i] < 0;
    const p = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))];
    for (let axis = 0; axis < 3; axis++) {
      if (p[axis] + 1 >= size[axis] || values[i + strides[axis]] < 0 === inside) continue;
      const low = p.map((v, k) => brick(v - REACH, k));
      const high = p.map((v, k) => brick((k === axis ? v + 1 : v) + REACH, k));
      for (let z = low[2]; z <= high[2]; z++)
        for (let y = low[1]; y <= high[1]; y++)
          for (let x = low[0]; x <= high[0]; x++) wanted[(z * by + y) * bx + x] = 1;
    }
  }
  return Array.from(wanted.keys()).filter((b) => wanted[b] === 1);
}

/** What `tidyField` found. */
export interface TidyFacts {
  /** Hollows inside the solid, which nobody can see into: filled. */
  cavities: number;
  /** Parts of the solid that float apart from its largest part and are small: removed. */
  floaters: number;
}

/**
 * Fills hollows that are closed off from the outside, removes small loose parts, and makes the field a distance again
 * away from the surface: the ends of edges that change sign keep their values, within ±1.5; what is further away gets
 * the least distance of a neighbour, plus 1, up to `MAXIMUM_FIELD`; with it the mean colour of such neighbours, and no
 * deformation.
 * @param minimumPart share of the largest part's samples below which a part is loose. Default 0.002.
 */
export function tidyField(field: LevelField, lattice: IsoLattice, minimumPart = 0.002): TidyFacts {
  const size = latticeSize(lattice);
  const cavities = fillCavities(field.values, size);
  const floaters = removeFloaters(field.values, size, minimumPart);
  redistance(field, size);
  return { cavities, floaters };
}

/** `tidyField` for distances alone. */
export function tidyDistances(values: Float32Array, lattice: IsoLattice, minimumPart?: number): TidyFacts {
  const none = new Float32Array(values.length * 3);
  return tidyField({ values, deformations: none, colors: none }, lattice, minimumPart);
}

type Size = readonly number[];

/** Calls `visit` with each neighbour at offsets in `around`. */
function neighboursOf(
  i: number,
  [nx, ny, nz]: Size,
  around: readonly (readonly number[])[],
  visit: (j: number) => void,
): void {
  const [x, y, z] = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))];
  for (const [dx, dy, dz] of around) {
    if (x + dx < 0 || y + dy < 0 || z + dz < 0 || x + dx >= nx || y + dy >= ny || z + dz >= nz) continue;
    visit(i + (dz * ny + dy) * nx + dx);
  }
}

const AROUND = Array.from({ length: 27 }, (_, k) => [(k % 3) - 1, (Math.floor(k / 3) % 3) - 1, Math.floor(k / 9) - 1]);
const steps = ([x, y, z]: readonly number[]) => Math.abs(x) + Math.abs(y) + Math.abs(z);
/** Inside corners of an ambiguous face are cut off from each other, outside ones are joined. */
const INSIDE_NEIGHBOURS = AROUND.filter((d) => steps(d) === 1);
const OUTSIDE_NEIGHBOURS = AROUND.filter((d) => steps(d) === 1 || steps(d) === 2);

/**
 * Marks with `mark` what is connected to the seeds among samples that are `inside`, or not; gives the number of
 * samples.
 */
function flood(
  values: Float32Array,
  marks: Uint32Array,
  mark: number,
  seeds: readonly number[],
  size: Size,
  inside: boolean,
): number {
  const stack = seeds.filter((i) => values[i] < 0 === inside && marks[i] === 0);
  for (const i of stack) marks[i] = mark;
  let count = 0;
  while (stack.length > 0) {
    const i = stack.pop()!;
    count++;
    neighboursOf(i, size, inside ? INSIDE_NEIGHBOURS : OUTSIDE_NEIGHBOURS, (j) => {
      if (marks[j] !== 0 || values[j] < 0 !== inside) return;
      marks[j] = mark;
      stack.push(j);
    });
  }
  return count;
}

function fillCavities(values: Float32Array, size: Size): number {
  const marks = new Uint32Array(values.length);
  const [nx, ny, nz] = size;
  const border: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const [x, y, z] = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))];
    if (x === 0 || y === 0 || z === 0 || x === nx - 1 || y === ny - 1 || z === nz - 1) border.push(i);
  }
  flood(values, marks, 1, border, size, false);
  let cavities = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] < 0 || marks[i] !== 0) continue;
    cavities++;
    flood(values, marks, 2, [i], size, false);
  }
  for (let i = 0; i < values.length; i++) if (marks[i] === 2) values[i] = -1;
  return cavities;
}

function removeFloaters(values: Float32Array, size: Size, minimumPart: number): number {
  const marks = new Uint32Array(values.length);
  const counts: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (values[i] >= 0 || marks[i] !== 0) continue;
    counts.push(flood(values, marks, counts.length + 1, [i], size, true));
  }
  const least = minimumPart * Math.max(0, ...counts);
  for (let i = 0; i < values.length; i++) if (marks[i] !== 0 && counts[marks[i] - 1] < least) values[i] = 1;
  return counts.filter((n) => n < least).length;
}

function redistance({ values, deformations, colors }: LevelField, size: Size): void {
  const layer = new Uint8Array(values.length);
  let front: number[] = [];
  for (let i = 0; i < values.length; i++) {
    let cut = false;
    neighboursOf(i, size, INSIDE_NEIGHBOURS, (j) => {
      if (values[j] < 0 !== values[i] < 0) cut = true;
    });
    if (!cut) continue;
    layer[i] = 1;
    values[i] = Math.sign(values[i] || 1) * Math.min(1.5, Math.max(1e-3, Math.abs(values[i])));
    front.push(i);
  }
  // Colours are carried further than distances matter, so that what is laid bare later has one.
  for (let depth = 2; depth <= 7; depth++) {
    const next: number[] = [];
    for (const i of front) {
      neighboursOf(i, size, INSIDE_NEIGHBOURS, (j) => {
        if (layer[j] !== 0) return;
        layer[j] = depth;
        next.push(j);
      });
    }
    for (const i of next) {
      let least = MAXIMUM_FIELD;
      let count = 0;
      const sum = [0, 0, 0];
      neighboursOf(i, size, INSIDE_NEIGHBOURS, (j) => {
        if (layer[j] !== depth - 1) return;
        least = Math.min(least, Math.abs(values[j]) + 1);
        count++;
        for (let k = 0; k < 3; k++) sum[k] += colors[j * 3 + k];
      });
      values[i] = values[i] < 0 ? -least : least;
      for (let k = 0; k < 3; k++) {
        colors[i * 3 + k] = sum[k] / count;
        deformations[i * 3 + k] = 0;
      }
    }
    front = next;
  }
  for (let i = 0; i < values.length; i++)
    if (layer[i] === 0) values[i] = values[i] < 0 ? -MAXIMUM_FIELD : MAXIMUM_FIELD;
}

/**
 * A field on another lattice, trilinearly; distances in its voxels. Beyond the borders of the old lattice is outside.
 * @param channels values per sample
 * @param scale factor on the values
 */
export function resampleField(
  data: Float32Array,
  channels: number,
  from: IsoLattice,
  to: IsoLattice,
  scale: number,
): Float32Array {
  const [nx, ny, nz] = latticeSize(from);
  const [mx, my, mz] = latticeSize(to);
  const out = new Float32Array(mx * my * mz * channels);
  const place = (v: number, axis: number, n: number): [number, number] => {
    const at = Math.min(n - 1, Math.max(0, (to.origin[axis] + v * to.voxel - from.origin[axis]) / from.voxel));
    const low = Math.min(n - 2, Math.floor(at));
    return [low, at - low];
  };
  const xs = Array.from({ length: mx }, (_, x) => place(x, 0, nx));
  const ys = Array.from({ length: my }, (_, y) => place(y, 1, ny));
  for (let z = 0; z < mz; z++) {
    const [z0, fz] = place(z, 2, nz);
    for (let y = 0; y < my; y++) {
      const [y0, fy] = ys[y];
      for (let x = 0; x < mx; x++) {
        const [x0, fx] = xs[x];
        for (let c = 0; c < channels; c++) {
          const at = (dx: number, dy: number, dz: number) =>
            data[(((z0 + dz) * ny + y0 + dy) * nx + x0 + dx) * channels + c];
          const row = (dy: number, dz: number) => at(0, dy, dz) * (1 - fx) + at(1, dy, dz) * fx;
          const plane = (dz: number) => row(0, dz) * (1 - fy) + row(1, dz) * fy;
          out[((z * my + y) * mx + x) * channels + c] = (plane(0) * (1 - fz) + plane(1) * fz) * scale;
        }
      }
    }
  }
  return out;
}
