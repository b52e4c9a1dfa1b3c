import type { Vec3 } from './math.js';

/** A box along the axes, in scene units. */
export interface Bounds {
  min: Vec3;
  max: Vec3;
}

/** A box whose corners may be of any kind of list, as in JSON. */
interface AnyBounds {
  readonly min: ArrayLike<number>;
  readonly max: ArrayLike<number>;
}

/**
 * The box around points (x, y, z each) or, with `indices`, around those that are named in it: the vertices that
 * triangles use. All zeros where there is none.
 */
export function boundsOf(positions: ArrayLike<number>, indices?: ArrayLike<number>): Bounds {
  const min: Vec3 = [Infinity, Infinity, Infinity];
  const max: Vec3 = [-Infinity, -Infinity, -Infinity];
  const count = indices ? indices.length : positions.length / 3;
  for (let i = 0; i < count; i++) {
    const at = (indices ? indices[i] : i) * 3;
    for (let axis = 0; axis < 3; axis++) {
      const x = positions[at + axis];
      if (x < min[axis]) min[axis] = x;
      if (x > max[axis]) max[axis] = x;
    }
  }
  return min[0] <= max[0] ? { min, max } : { min: [0, 0, 0], max: [0, 0, 0] };
}

/** Lengths of the sides. */
export const sizeOf = ({ min, max }: AnyBounds): Vec3 => [max[0] - min[0], max[1] - min[1], max[2] - min[2]];

export const centerOf = ({ min, max }: AnyBounds): Vec3 => [
  (min[0] + max[0]) / 2,
  (min[1] + max[1]) / 2,
  (min[2] + max[2]) / 2,
];

/** Length of the diagonal. */
export const diagonalOf = ({ min, max }: AnyBounds): number =>
  Math.hypot(max[0] - min[0], max[1] - min[1], max[2] - min[2]);
