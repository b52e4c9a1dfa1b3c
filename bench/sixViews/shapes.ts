/** Triangle meshes of simple parts, which objects with a known shape are put together from. */
import type { Vec3 } from '../../src/core/math.js';

export type Color = readonly [number, number, number];
/** Encoded colour, 0…255, of a place on a part. */
export type Paint = (x: number, y: number, z: number) => Color;

export interface Part {
  positions: number[];
  /** Counter-clockwise from outside. */
  indices: number[];
  paint: Paint;
}

const plain =
  (color: Color): Paint =>
  () =>
    color;
const paintOf = (paint: Paint | Color): Paint => (typeof paint === 'function' ? paint : plain(paint));

/** Quads between rows of points; rows and columns may close on themselves. */
function sheet(rows: readonly Vec3[][], paint: Paint | Color, closedRows = false): Part {
  const columns = rows[0].length;
  const indices: number[] = [];
  for (let r = 0; r < rows.length - (closedRows ? 0 : 1); r++)
    for (let c = 0; c < columns; c++) {
      const [r1, c1] = [(r + 1) % rows.length, (c + 1) % columns];
      const [a, b, d, e] = [r * columns + c, r * columns + c1, r1 * columns + c, r1 * columns + c1];
      indices.push(a, d, b, b, d, e);
    }
  return { positions: rows.flat(2), indices, paint: paintOf(paint) };
}

/** An axis-aligned box. */
export function box(center: Vec3, half: Vec3, paint: Paint | Color): Part {
  const positions: number[] = [];
  for (let i = 0; i < 8; i++)
    for (let k = 0; k < 3; k++) positions.push(center[k] + (i & (1 << k) ? half[k] : -half[k]));
  const faces = [
    [0, 4, 6, 2],
    [1, 3, 7, 5],
    [0, 1, 5, 4],
    [2, 6, 7, 3],
    [0, 2, 3, 1],
    [4, 5, 7, 6],
  ];
  return { positions, indices: faces.flatMap(([a, b, c, d]) => [a, b, c, a, c, d]), paint: paintOf(paint) };
}

/** A box turned about the upright axis through the origin, in degrees. */
export function turned(part: Part, degrees: number): Part {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const positions = part.positions.slice();
  for (let i = 0; i < positions.length; i += 3) {
    const [x, z] = [positions[i], positions[i + 2]];
    positions[i] = c * x + s * z;
    positions[i + 2] = c * z - s * x;
  }
  return { ...part, positions };
}

/** Moves a part. */
export function moved(part: Part, by: Vec3): Part {
  return { ...part, positions: part.positions.map((v, i) => v + by[i % 3]) };
}

/** A solid of revolution about the upright axis; the profile runs from the axis below to the axis above, outside. */
export function lathe(profile: readonly (readonly [number, number])[], paint: Paint | Color, segments = 64): Part {
  const rows = profile.map(([r, y]) =>
    Array.from({ length: segments }, (_, i): Vec3 => {
      const a = (2 * Math.PI * i) / segments;
      return [r * Math.sin(a), y, r * Math.cos(a)];
    }),
  );
  return sheet(rows.reverse(), paint);
}

export function ellipsoid(center: Vec3, radii: Vec3, paint: Paint | Color): Part {
  const n = 32;
  const rows = Array.from({ length: n + 1 }, (_, j) => {
    const t = Math.PI * (j / n);
    return Array.from({ length: 2 * n }, (_, i): Vec3 => {
      const a = (Math.PI * i) / n;
      return [
        center[0] + radii[0] * Math.sin(t) * Math.sin(a),
        center[1] + radii[1] * Math.cos(t),
        center[2] + radii[2] * Math.sin(t) * Math.cos(a),
      ];
    });
  });
  return sheet(rows, paint);
}

const sub = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const unit = (a: Vec3): Vec3 => {
  const l = Math.hypot(...a) || 1;
  return [a[0] / l, a[1] / l, a[2] / l];
};

/** A round tube along a curve of t = 0…1; closed curves end where they begin. */
export function tube(
  curve: (t: number) => Vec3,
  radius: number,
  paint: Paint | Color,
  { steps = 160, closed = false, sides = 16 } = {},
): Part {
  const count = closed ? steps : steps + 1;
  const points = Array.from({ length: count }, (_, i) => curve(i / steps));
  const along = points.map((_, i) =>
    unit(
      sub(
        points[closed ? (i + 1) % count : Math.min(count - 1, i + 1)],
        points[closed ? (i + count - 1) % count : Math.max(0, i - 1)],
      ),
    ),
  );
  let side = unit(cross(along[0], Math.abs(along[0][1]) < 0.9 ? [0, 1, 0] : [1, 0, 0]));
  const rows = points.map((p, i) => {
    const up = unit(cross(side, along[i]));
    side = unit(cross(along[i], up));
    const ring = (r: number) =>
      Array.from({ length: sides }, (_, k): Vec3 => {
        const [c, s] = [Math.cos((2 * Math.PI * k) / sides) * r, Math.sin((2 * Math.PI * k) / sides) * r];
        return [p[0] + c * side[0] + s * up[0], p[1] + c * side[1] + s * up[1], p[2] + c * side[2] + s * up[2]];
      });
    return ring(radius);
  });
  if (!closed) {
    rows.unshift(rows[0].map(() => points[0]));
    rows.push(rows[0].map(() => points[count - 1]));
  }
  return sheet(rows, paint, closed);
}

/** A round bar between two points. */
export const bar = (from: Vec3, to: Vec3, radius: number, paint: Paint | Color): Part =>
  tube((t) => [0, 1, 2].map((k) => from[k] + t * (to[k] - from[k])) as Vec3, radius, paint, { steps: 1, sides: 20 });

/** A ring in the plane of two directions. */
export const ring = (center: Vec3, u: Vec3, v: Vec3, radius: number, thickness: number, paint: Paint | Color): Part =>
  tube(
    (t) => {
      const [c, s] = [Math.cos(2 * Math.PI * t) * radius, Math.sin(2 * Math.PI * t) * radius];
      return [0, 1, 2].map((k) => center[k] + c * u[k] + s * v[k]) as Vec3;
    },
    thickness,
    paint,
    { steps: 72, closed: true },
  );
