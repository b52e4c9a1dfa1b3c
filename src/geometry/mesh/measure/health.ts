import { type Bounds, boundsOf } from '../../../core/bounds.js';
import type { Mesh } from '../../../core/mesh.js';
import { edgeFrom } from '../edges.js';
import { weldMap } from '../weld.js';
import { type Bvh, buildBvh, forEachHit } from './bvh.js';
import { type Topology, topologyOf } from './topology.js';

/** Facts about a mesh as a surface. Vertices at equal positions count as one, so that texture seams are no holes. */
export interface MeshHealth {
  triangles: number;
  /** Distinct positions in use. */
  vertices: number;
  /** Parts connected through edges. */
  components: number;
  /** Edges with only one triangle: the rims of holes. */
  boundaryEdges: number;
  /** Edges with more than two triangles. */
  nonManifoldEdges: number;
  /** Vertices whose triangles form more than one fan, and ends of non-manifold edges. */
  nonManifoldVertices: number;
  /** Every edge has exactly two triangles, of opposite direction, and there is at least one triangle. */
  watertight: boolean;
  /** Vertices − edges + triangles. */
  eulerCharacteristic: number;
  /** Handles of all components together; null where the mesh is not a closed manifold. */
  genus: number | null;
  /**
   * Triangles whose front faces the inside of the object. A cavity (an inner shell turned inside out) is as it should
   * be and does not count.
   */
  inwardTriangles: number;
  /** Triangles with two corners at one place or with no area (height below 1e-6 of the longest edge). */
  degenerateTriangles: number;
  /** Closed components that lie inside another closed component. */
  innerShells: number;
  /** Surface area, square scene units. */
  area: number;
  /** Signed volume, cubic scene units: meaningful where the mesh is watertight. */
  volume: number;
  bounds: Bounds;
}

/** Examines a mesh. Takes about a second for 300,000 triangles; never changes the mesh. */
export function meshHealth(mesh: Mesh): MeshHealth {
  const p = mesh.positions;
  const map = weldMap(p);
  const all = mesh.indices.map((i) => map[i]);
  const bounds = boundsOf(p, all);
  const used = new Uint8Array(p.length / 3);
  let degenerateTriangles = 0;
  let area = 0;
  let volume = 0;
  const kept: number[] = [];
  for (let t = 0; t < all.length; t += 3) {
    const [a, b, c] = [all[t], all[t + 1], all[t + 2]];
    for (const v of [a, b, c]) used[v] = 1;
    const measure = measureTriangle(p, a, b, c);
    area += measure.area;
    volume += measure.volume;
    if (a === b || b === c || c === a || 2 * measure.area <= 1e-6 * measure.longest ** 2) degenerateTriangles++;
    // A triangle that is a mere line or point has no place in the connectivity; a thin one still connects its
    // neighbours.
    if (a !== b && b !== c && c !== a) kept.push(a, b, c);
  }
  const indices = Uint32Array.from(kept);
  const vertices = used.reduce((sum, u) => sum + u, 0);
  const topology = topologyOf(indices, p.length / 3);
  const closed = closedParts(indices, topology);
  const watertight =
    indices.length > 0 &&
    topology.boundaryEdges === 0 &&
    topology.nonManifoldEdges === 0 &&
    topology.inconsistentEdges === 0;
  const eulerCharacteristic = vertices - topology.edges.count + indices.length / 3;
  const closedManifold = watertight && topology.nonManifoldVertices === 0;
  if (all.length === 0) bounds.min = bounds.max = [0, 0, 0];
  return {
    triangles: all.length / 3,
    vertices,
    components: topology.parts,
    boundaryEdges: topology.boundaryEdges,
    nonManifoldEdges: topology.nonManifoldEdges,
    nonManifoldVertices: topology.nonManifoldVertices,
    watertight,
    eulerCharacteristic,
    genus: closedManifold ? topology.parts - eulerCharacteristic / 2 : null,
    inwardTriangles: countInward(p, indices, topology, closed),
    degenerateTriangles,
    innerShells: findInnerShells(p, indices, topology.part, closed).length,
    area,
    volume,
    bounds,
  };
}

/**
 * Which parts enclose a volume: 1 where each of their edges is run through as often in one direction as in the other.
 * Edges where two bodies touch, with four triangles, do not spoil that.
 */
export function closedParts(indices: Uint32Array, topology: Topology): Uint8Array {
  const { edges, part } = topology;
  const closed = new Uint8Array(topology.parts).fill(1);
  for (let e = 0; e < edges.count; e++) {
    let balance = 0;
    for (let i = edges.start[e]; i < edges.start[e + 1]; i++)
      balance += edgeFrom(indices, edges.halfEdges[i]) === edges.vertices[e * 2] ? 1 : -1;
    if (balance !== 0) closed[part[(edges.halfEdges[edges.start[e]] / 3) | 0]] = 0;
  }
  return closed;
}

/** Signed volume of every part relative to the origin (its own where the part is closed). */
export function partVolumes(p: Float32Array, indices: Uint32Array, part: Uint32Array, parts: number): Float64Array {
  const volumes = new Float64Array(parts);
  for (let t = 0; t < part.length; t++)
    volumes[part[t]] += measureTriangle(p, indices[t * 3], indices[t * 3 + 1], indices[t * 3 + 2]).volume;
  return volumes;
}

/** Directions that no axis-aligned or diagonal structure shares, so that rays seldom meet an edge. */
const PROBES = [
  [0.5257, 0.2113, 0.8239],
  [-0.7041, 0.6317, 0.3244],
  [0.1873, -0.9132, 0.3619],
  [-0.4219, -0.3083, -0.8526],
  [0.8011, 0.4327, -0.4132],
];

/**
 * The closed parts that lie inside another closed part, ascending. Each is probed from its vertices by ray parity
 * against every closed part whose box holds its own; most of five rays decide.
 */
export function findInnerShells(
  p: Float32Array,
  indices: Uint32Array,
  part: Uint32Array,
  closed: Uint8Array,
): number[] {
  const parts = closed.length;
  if (parts < 2) return [];
  const boxes = new Float64Array(parts * 6);
  for (let c = 0; c < parts; c++) boxes.fill(Infinity, c * 6, c * 6 + 3).fill(-Infinity, c * 6 + 3, c * 6 + 6);
  const probe = new Int32Array(parts).fill(-1);
  for (let t = 0; t < part.length; t++) {
    const b = part[t] * 6;
    if (probe[part[t]] < 0) probe[part[t]] = indices[t * 3];
    for (let k = 0; k < 3; k++)
      for (let c = 0; c < 3; c++) {
        const v = p[indices[t * 3 + c] * 3 + k];
        boxes[b + k] = Math.min(boxes[b + k], v);
        boxes[b + 3 + k] = Math.max(boxes[b + 3 + k], v);
      }
  }
  const holds = (outer: number, inner: number) => {
    for (let k = 0; k < 3; k++)
      if (boxes[outer * 6 + k] > boxes[inner * 6 + k] || boxes[outer * 6 + 3 + k] < boxes[inner * 6 + 3 + k])
        return false;
    return true;
  };
  let bvh: Bvh | undefined;
  const inner: number[] = [];
  for (let c = 0; c < parts; c++) {
    if (!closed[c]) continue;
    const outers: number[] = [];
    for (let o = 0; o < parts; o++) if (o !== c && closed[o] && holds(o, c)) outers.push(o);
    if (outers.length === 0) continue;
    bvh ??= buildBvh(p, indices);
    const origin = [p[probe[c] * 3], p[probe[c] * 3 + 1], p[probe[c] * 3 + 2]];
    const votes = new Map<number, number>(outers.map((o) => [o, 0]));
    for (const direction of PROBES) {
      const odd = new Set<number>();
      forEachHit(bvh, origin, direction, (t) => {
        const o = part[t];
        if (votes.has(o) && !odd.delete(o)) odd.add(o);
        return true;
      });
      for (const o of odd) votes.set(o, votes.get(o)! + 1);
    }
    if ([...votes.values()].some((v) => v > PROBES.length / 2)) inner.push(c);
  }
  return inner;
}

/**
 * Closed parts: all or none of their triangles, by signed volume; an inner shell never. Other parts are cut into
 * patches of consistent winding, and each patch is judged by rays from up to 24 of its triangles against the whole
 * mesh.
 */
function countInward(p: Float32Array, indices: Uint32Array, topology: Topology, closed: Uint8Array): number {
  const { part, parts, edges } = topology;
  const volumes = partVolumes(p, indices, part, parts);
  const negative = Array.from(closed.keys()).filter((c) => closed[c] && volumes[c] < 0);
  const cavities = new Set(negative.length > 0 ? findInnerShells(p, indices, part, closed) : []);
  const trianglesOf: number[][] = Array.from({ length: parts }, () => []);
  for (let t = 0; t < part.length; t++) trianglesOf[part[t]].push(t);
  let inward = 0;
  for (const c of negative) if (!cavities.has(c)) inward += trianglesOf[c].length;

  let bvh: Bvh | undefined;
  const patchOf = new Int32Array(part.length).fill(-1);
  for (let c = 0; c < parts; c++) {
    if (closed[c]) continue;
    bvh ??= buildBvh(p, indices);
    for (const seed of trianglesOf[c]) {
      if (patchOf[seed] >= 0) continue;
      const patch = [seed];
      patchOf[seed] = seed;
      for (let i = 0; i < patch.length; i++)
        for (let k = 0; k < 3; k++) {
          const h = patch[i] * 3 + k;
          const e = edges.ofHalfEdge[h];
          if (edges.start[e + 1] - edges.start[e] !== 2) continue;
          const a = edges.halfEdges[edges.start[e]];
          const other = a === h ? edges.halfEdges[edges.start[e] + 1] : a;
          const t = (other / 3) | 0;
          if (patchOf[t] >= 0 || edgeFrom(indices, other) === edgeFrom(indices, h)) continue;
          patchOf[t] = seed;
          patch.push(t);
        }
      if (facesInward(p, indices, bvh, patch)) inward += patch.length;
    }
  }
  return inward;
}

/**
 * For a triangle, rays from its centroid to either side: the front is outside where its rays cross the part an even
 * number of times and the back an odd number. On open surfaces parity fails for rays that leave through a hole, so both
 * sides are counted and the side with the larger share of even rays is taken as the outside; a tie counts as outward.
 */
function facesInward(p: Float32Array, indices: Uint32Array, bvh: Bvh, patch: readonly number[]): boolean {
  const step = Math.max(1, Math.floor(patch.length / 24));
  let vote = 0;
  for (let i = 0; i < patch.length; i += step) {
    const t = patch[i];
    const [a, b, c] = [indices[t * 3] * 3, indices[t * 3 + 1] * 3, indices[t * 3 + 2] * 3];
    const origin = [0, 1, 2].map((k) => (p[a + k] + p[b + k] + p[c + k]) / 3);
    const n = triangleNormal(p, a, b, c);
    for (const d of PROBES) {
      const facing = d[0] * n[0] + d[1] * n[1] + d[2] * n[2];
      if (Math.abs(facing) < 1e-12) continue;
      for (const side of [1, -1]) {
        let even = true;
        forEachHit(
          bvh,
          origin,
          d.map((v) => v * side),
          (hit) => {
            if (hit !== t) even = !even;
            return true;
          },
        );
        if (even) vote += Math.sign(facing) * side;
      }
    }
  }
  return vote < 0;
}

function triangleNormal(p: Float32Array, a: number, b: number, c: number): [number, number, number] {
  const ux = p[b] - p[a];
  const uy = p[b + 1] - p[a + 1];
  const uz = p[b + 2] - p[a + 2];
  const vx = p[c] - p[a];
  const vy = p[c + 1] - p[a + 1];
  const vz = p[c + 2] - p[a + 2];
  return [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
}

/** Area, signed volume of the tetrahedron with the origin, and longest edge of the triangle with vertices a, b, c. */
export function measureTriangle(p: Float32Array, a: number, b: number, c: number) {
  const n = triangleNormal(p, a * 3, b * 3, c * 3);
  const edge = (i: number, j: number) =>
    Math.hypot(p[i * 3] - p[j * 3], p[i * 3 + 1] - p[j * 3 + 1], p[i * 3 + 2] - p[j * 3 + 2]);
  return {
    area: Math.hypot(n[0], n[1], n[2]) / 2,
    volume: (p[a * 3] * n[0] + p[a * 3 + 1] * n[1] + p[a * 3 + 2] * n[2]) / 6,
    longest: Math.max(edge(a, b), edge(b, c), edge(c, a)),
  };
}
