import type { Mesh } from '../../../core/mesh.js';
import { assignDefaults } from '../../../core/options.js';
import { gatherVertices } from '../compact.js';
import { buildEdges, edgeFrom, edgeTo } from '../edges.js';
import { weldMap } from '../weld.js';

export interface FillHolesOptions {
  /** Holes with more edges than this stay open. Default: no limit. */
  maxEdges?: number;
}

export const FILL_HOLES_DEFAULTS = { maxEdges: Infinity } as const;

/**
 * Loops longer than this are closed by a fan around their centre; the exact method takes time with the cube of the
 * length.
 */
const EXACT_EDGES = 300;

/**
 * Closes open rims: each loop of boundary edges is triangulated with the least area (dynamic programming; Barequet &
 * Sharir 1995), without new vertices and without edges that the mesh has already. Rims longer than 300 edges get a
 * vertex at their centre.
 */
export function fillHoles(mesh: Mesh, options: FillHolesOptions = {}): { mesh: Mesh; filled: number } {
  const { maxEdges } = assignDefaults(FILL_HOLES_DEFAULTS, options);
  const map = weldMap(mesh.positions);
  const indices = mesh.indices.map((i) => map[i]);
  const loops = boundaryLoops(indices, mesh.positions.length / 3).filter((l) => l.length >= 3 && l.length <= maxEdges);
  if (loops.length === 0) return { mesh, filled: 0 };
  const existing = new Set<number>();
  const key = (a: number, b: number) => Math.min(a, b) * 4294967296 + Math.max(a, b);
  const onRim = new Uint8Array(mesh.positions.length / 3);
  for (const loop of loops) for (const v of loop) onRim[v] = 1;
  for (let h = 0; h < indices.length; h++) {
    const [a, b] = [edgeFrom(indices, h), edgeTo(indices, h)];
    if (onRim[a] && onRim[b]) existing.add(key(a, b));
  }
  const added: number[] = [];
  const centres: number[][] = [];
  for (const loop of loops) {
    const triangles =
      loop.length <= EXACT_EDGES ? leastArea(mesh.positions, loop, (a, b) => existing.has(key(a, b))) : undefined;
    if (triangles) {
      added.push(...triangles);
      for (let i = 0; i < triangles.length; i += 3)
        for (let k = 0; k < 3; k++) existing.add(key(triangles[i + k], triangles[i + ((k + 1) % 3)]));
    } else {
      const centre = mesh.positions.length / 3 + centres.push(loop) - 1;
      for (let i = 0; i < loop.length; i++) added.push(loop[i], loop[(i + 1) % loop.length], centre);
    }
  }
  const grown = appendCentres(mesh, centres);
  return { mesh: { ...grown, indices: Uint32Array.from([...mesh.indices, ...added]) }, filled: loops.length };
}

/** The rims, each as vertices in the order in which filling triangles run through them. */
function boundaryLoops(indices: Uint32Array, vertexCount: number): number[][] {
  const edges = buildEdges(indices, vertexCount);
  // A filling triangle runs against the half-edge that it closes.
  const next = new Map<number, number[]>();
  for (let e = 0; e < edges.count; e++) {
    if (edges.start[e + 1] - edges.start[e] !== 1) continue;
    const h = edges.halfEdges[edges.start[e]];
    const from = edgeTo(indices, h);
    const list = next.get(from);
    if (list) list.push(edgeFrom(indices, h));
    else next.set(from, [edgeFrom(indices, h)]);
  }
  const loops: number[][] = [];
  for (const start of [...next.keys()].sort((a, b) => a - b)) {
    while (next.get(start)?.length) {
      const path = [start];
      const at = new Map<number, number>([[start, 0]]);
      for (let v = next.get(start)!.pop()!; ; v = next.get(v)!.pop()!) {
        const seen = at.get(v);
        if (seen !== undefined) {
          // Where rims touch at a vertex, the part that came back to it is a loop of its own.
          loops.push(path.splice(seen + 1).concat(v));
          for (const w of loops[loops.length - 1]) if (w !== v) at.delete(w);
          if (path.length === 1) break;
        } else {
          at.set(v, path.push(v) - 1);
        }
        if (!next.get(v)?.length) break;
      }
    }
  }
  return loops;
}

/** The triangulation of a loop with the least area; none where every one would use an edge that is taken. */
function leastArea(
  p: Float32Array,
  loop: readonly number[],
  taken: (a: number, b: number) => boolean,
): number[] | undefined {
  const n = loop.length;
  const cost = new Float64Array(n * n);
  const split = new Int32Array(n * n).fill(-1);
  for (let span = 2; span < n; span++)
    for (let i = 0; i + span < n; i++) {
      const j = i + span;
      cost[i * n + j] = Infinity;
      if (span < n - 1 && taken(loop[i], loop[j])) continue;
      for (let k = i + 1; k < j; k++) {
        const c = cost[i * n + k] + cost[k * n + j] + triangleArea(p, loop[i], loop[k], loop[j]);
        if (c < cost[i * n + j]) {
          cost[i * n + j] = c;
          split[i * n + j] = k;
        }
      }
    }
  if (!Number.isFinite(cost[n - 1])) return undefined;
  const out: number[] = [];
  const stack: [number, number][] = [[0, n - 1]];
  for (let top = stack.pop(); top; top = stack.pop()) {
    const [i, j] = top;
    if (j - i < 2) continue;
    const k = split[i * n + j];
    out.push(loop[i], loop[k], loop[j]);
    stack.push([i, k], [k, j]);
  }
  return out;
}

function triangleArea(p: Float32Array, a: number, b: number, c: number): number {
  const u = [p[b * 3] - p[a * 3], p[b * 3 + 1] - p[a * 3 + 1], p[b * 3 + 2] - p[a * 3 + 2]];
  const v = [p[c * 3] - p[a * 3], p[c * 3 + 1] - p[a * 3 + 1], p[c * 3 + 2] - p[a * 3 + 2]];
  return Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]) / 2;
}

/** Appends one vertex for every loop: the first of its vertices, moved to the loop's mean. */
function appendCentres(mesh: Mesh, loops: readonly (readonly number[])[]): Omit<Mesh, 'indices'> {
  if (loops.length === 0) return mesh;
  const n = mesh.positions.length / 3;
  const from = Uint32Array.from({ length: n + loops.length }, (_, i) => (i < n ? i : loops[i - n][0]));
  const out = gatherVertices(mesh, from);
  loops.forEach((loop, i) => {
    for (let k = 0; k < 3; k++)
      out.positions[(n + i) * 3 + k] = loop.reduce((sum, v) => sum + mesh.positions[v * 3 + k], 0) / loop.length;
  });
  return out;
}
