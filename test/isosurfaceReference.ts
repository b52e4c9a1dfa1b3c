import { BRICK_SIDE, CELL_WEIGHTS, type IsoLattice } from '../src/geometry/flexicubes/brickGrid.js';
import { DUAL_CASES } from '../src/geometry/flexicubes/dualTable.js';
import { edgeCorner } from '../src/geometry/marchingCubes/marchingCubesTable.js';

/**
 * The extraction on sparse bricks in float64, written a second time without regard to speed: what the kernels are
 * proved against. All bricks of the lattice are there, slot = brick.
 */
export interface ReferenceGrid extends IsoLattice {
  /** [N × 8]: signed distance, deformation x, y, z (voxels), colour r, g, b, 0. */
  samples: Float64Array;
  /** [N × 21]. */
  weights: Float64Array;
}

type V = number[];

/** A crossing of a dual vertex: samples at the edge's ends, place along it, share in the vertex. */
interface Crossing {
  a: number;
  b: number;
  t: number;
  share: number;
  place: V;
}

export interface ReferenceSurface {
  /** x, y, z (scene units), r, g, b of dual vertices, then of centres. */
  points: V[];
  crossings: Crossing[][];
  quads: { v: V; center: number; share: number }[];
  triangles: V[];
  /** Ends of edges that differ in sign and that have all four cells around them. */
  edges: [number, number][];
  /** Σ of the mean absolute deviation of the crossings' distances, voxels. */
  deviation: number;
}

const mix = (a: V, b: V, t: number): V => a.map((x, i) => x * (1 - t) + b[i] * t);

export function latticeIndex({ bricks }: IsoLattice, x: number, y: number, z: number): number {
  const [bx, by, bz] = [x, y, z].map((v) => Math.floor(v / BRICK_SIDE));
  if (x < 0 || y < 0 || z < 0 || bx >= bricks[0] || by >= bricks[1] || bz >= bricks[2]) return -1;
  return (((bz * bricks[1] + by) * bricks[0] + bx) * 4 + (z & 3)) * 16 + (y & 3) * 4 + (x & 3);
}

export function latticePlaces({ bricks }: IsoLattice): V[] {
  const out: V[] = [];
  const [nx, ny, nz] = bricks.map((b) => b * BRICK_SIDE);
  for (let z = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++) out[latticeIndex({ bricks } as IsoLattice, x, y, z)] = [x, y, z];
  return out;
}

export function referenceSurface(grid: ReferenceGrid): ReferenceSurface {
  const { samples, weights, origin, voxel } = grid;
  const places = latticePlaces(grid);
  const count = places.length;
  const inside = (i: number) => samples[i * 8] < 0;
  const at = (p: V, c: number, sign = 1) =>
    latticeIndex(grid, p[0] + sign * (c & 1), p[1] + sign * ((c >> 1) & 1), p[2] + sign * (c >> 2));
  const attribute = (i: number): V => [
    ...places[i].map((v, k) => v + samples[i * 8 + 1 + k]),
    ...samples.subarray(i * 8 + 4, i * 8 + 7),
  ];
  const valid = places.map((p) => [0, 1, 2, 3, 4, 5, 6, 7].every((c) => at(p, c) >= 0));
  const plain = places.map((p, i) =>
    valid[i] ? [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, c) => sum | (inside(at(p, c)) ? 1 << c : 0), 0) : 0,
  );
  const cases = places.map((p, i) => {
    const { doubled } = DUAL_CASES[plain[i] * 2];
    if (doubled < 0) return DUAL_CASES[plain[i] * 2];
    const other = p.slice();
    other[doubled >> 1] += doubled & 1 ? 1 : -1;
    const j = latticeIndex(grid, other[0], other[1], other[2]);
    const switched = j >= 0 && valid[j] && DUAL_CASES[plain[j] * 2].doubled === (doubled ^ 1);
    return DUAL_CASES[plain[i] * 2 + (switched ? 1 : 0)];
  });
  const points: V[] = [];
  const crossings: Crossing[][] = [];
  const first: V = [];
  let deviation = 0;
  for (let i = 0; i < count; i++) {
    first[i] = points.length;
    const { loops, loopCount } = cases[i];
    const alpha = (c: number) => Math.exp(weights[i * CELL_WEIGHTS + c]);
    for (let l = 0; l < loopCount; l++) {
      const edges = loops.flatMap((loop, e) => (loop === l ? [e] : []));
      const betas = edges.map((e) => Math.exp(weights[i * CELL_WEIGHTS + 8 + e]));
      const total = betas.reduce((s, b) => s + b, 0);
      const list = edges.map((e, k) => {
        const ca = edgeCorner(e);
        const cb = ca | (1 << (e >> 2));
        const [a, b] = [at(places[i], ca), at(places[i], cb)];
        const wa = samples[a * 8] * alpha(ca);
        const t = wa / (wa - samples[b * 8] * alpha(cb));
        return { a, b, t, share: betas[k] / total, place: mix(attribute(a), attribute(b), t) };
      });
      const vertex = list.reduce((sum, c) => sum.map((v, k) => v + c.share * c.place[k]), [0, 0, 0, 0, 0, 0]);
      const distances = list.map((c) => Math.hypot(...[0, 1, 2].map((k) => c.place[k] - vertex[k])));
      const mean = distances.reduce((s, d) => s + d, 0) / distances.length;
      deviation += distances.reduce((s, d) => s + Math.abs(d - mean), 0) / distances.length;
      points.push(vertex.map((v, k) => (k < 3 ? origin[k] + v * voxel : v)));
      crossings.push(list);
    }
  }
  const quads: ReferenceSurface['quads'] = [];
  const triangles: V[] = [];
  const edges: [number, number][] = [];
  for (let i = 0; i < count; i++) {
    if (!valid[i]) continue;
    for (let axis = 0; axis < 3; axis++) {
      const j = at(places[i], 1 << axis);
      const [u, v] = [0, 1, 2].filter((k) => k !== axis);
      const ring = [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ].map(([a, b]) => ({ cell: at(places[i], (a << u) | (b << v), -1), edge: axis * 4 + a + b * 2 }));
      if (inside(i) === inside(j) || ring.some(({ cell }) => cell < 0 || !valid[cell])) continue;
      edges.push([i, j]);
      const corners = ring.map(({ cell, edge }) => first[cell] + cases[cell].loops[edge]);
      const g = ring.map(({ cell }) => Math.exp(weights[cell * CELL_WEIGHTS + 20]));
      const share = (g[0] * g[2]) / (g[0] * g[2] + g[1] * g[3]);
      const half = (k: number) => mix(points[corners[k]], points[corners[k + 2]], 0.5);
      const center = points.push(mix(half(1), half(0), share)) - 1;
      // The quad faces from the inside end of its edge to the outside one; y's other axes are left-handed.
      if ((axis === 1) === inside(i)) [corners[1], corners[3]] = [corners[3], corners[1]];
      quads.push({ v: corners, center, share });
      for (let k = 0; k < 4; k++) triangles.push([corners[k], corners[(k + 1) % 4], center]);
    }
  }
  return { points, crossings, quads, triangles, edges, deviation };
}

/**
 * A scalar of the grid whose gradient the kernels give: Σ g · (position, colour), Σ g · field at the points with the
 * shares of `frozen`, and the regularisers.
 * @param g [P × 8]: x, y, z, field, r, g, b, 0
 */
export function referenceLoss(
  grid: ReferenceGrid,
  g: Float64Array,
  frozen: ReferenceSurface,
  regularisers: { deviation: number; signChange: number },
): number {
  const surface = referenceSurface(grid);
  const { samples } = grid;
  let loss = regularisers.deviation * surface.deviation;
  surface.points.forEach((p, i) => {
    for (let k = 0; k < 3; k++) loss += g[i * 8 + k] * p[k] + g[i * 8 + 4 + k] * p[3 + k];
  });
  const fields = frozen.crossings.map((list) =>
    list.reduce((sum, { a, b, t, share }) => sum + share * ((1 - t) * samples[a * 8] + t * samples[b * 8]), 0),
  );
  fields.forEach((f, i) => {
    loss += g[i * 8 + 3] * f;
  });
  for (const { v, center, share } of frozen.quads) {
    // The order of the corners may be reversed, the diagonals stay.
    const f = (share * (fields[v[0]] + fields[v[2]]) + (1 - share) * (fields[v[1]] + fields[v[3]])) / 2;
    loss += g[center * 8 + 3] * f;
  }
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const entropy = (x: number, inside: boolean) => -Math.log(inside ? 1 - sigmoid(x) : sigmoid(x));
  for (const [a, b] of surface.edges) {
    const [sa, sb] = [samples[a * 8], samples[b * 8]];
    loss += regularisers.signChange * (entropy(sa, sb < 0) + entropy(sb, sa < 0));
  }
  return loss;
}
