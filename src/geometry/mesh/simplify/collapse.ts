import { EdgeHeap } from './edgeHeap.js';
import { ShrinkingMesh } from './shrinkingMesh.js';

/** Triangles, as a multiple of the target, above which edges are collapsed in sweeps instead of one by one. */
export const SWEPT = 4;
/** Share of the vertices, the cheapest, that a sweep may move. */
const SWEEP = 0.5;
/** Share of the triangles that a sweep must take away to be worth another. */
const LEAST = 0.01;

/**
 * Quadric edge collapse (Garland & Heckbert 1997) onto existing vertices that never changes the topology of a closed
 * manifold: an edge is collapsed only where the link condition holds and no triangle turns by more than about 80°.
 * Slower than meshoptimizer by an order of magnitude; used for what that cannot do.
 *
 * @param indices a closed, oriented manifold over welded vertices.
 * @param target number of triangles to stop at. Where no allowed collapse is left, more remain.
 * @param options `maxError`: largest accepted deviation, scene units; default: none. `sweeps`: whether to take many edges
 * at once while far more than the target is left; default: one by one, the cheapest first.
 * @returns the remaining triangles and the root of the largest quadric error, scene units.
 */
export function collapseEdges(
  positions: Float32Array,
  indices: Uint32Array,
  target: number,
  { maxError = Infinity, sweeps = false }: { maxError?: number; sweeps?: boolean } = {},
): { indices: Uint32Array; error: number } {
  const mesh = new ShrinkingMesh(positions, indices);
  const swept = sweeps ? sweep(mesh, SWEPT * target, maxError) : 0;
  const error = Math.max(swept, collapseCheapest(mesh, target, maxError));
  return { indices: mesh.indices, error: Math.sqrt(error) };
}

/**
 * Collapses in sweeps down to a number of triangles: each moves those vertices that cost the least to where they cost
 * it, each once. The order of half a million collapses hardly matters while what is left is much finer than the target.
 * @returns the largest squared error
 */
function sweep(mesh: ShrinkingMesh, target: number, maxError: number): number {
  const n = mesh.around.length;
  const best = new Uint32Array(n);
  const cost = new Float64Array(n);
  const touched = new Uint8Array(n);
  let error = 0;
  for (let before = Infinity; mesh.count > target && mesh.count < (1 - LEAST) * before; ) {
    before = mesh.count;
    cost.fill(Infinity);
    let left = 0;
    for (let u = 0; u < n; u++) {
      if (mesh.around[u].length === 0) continue;
      left++;
      for (const v of mesh.neighbours(u)) {
        const own = mesh.costOf(u, v);
        if (own < cost[u]) [cost[u], best[u]] = [own, v];
      }
    }
    const limit = Math.min(cost.slice().sort()[Math.floor(SWEEP * left)], maxError ** 2);
    touched.fill(0);
    for (let u = 0; u < n && mesh.count > target; u++) {
      const v = best[u];
      if (!(cost[u] <= limit) || touched[u] || touched[v] || !mesh.collapse(u, v)) continue;
      touched[u] = 1;
      touched[v] = 1;
      error = Math.max(error, cost[u]);
    }
  }
  return error;
}

/** Collapses one edge after the other, the cheapest first, and returns the largest squared error. */
function collapseCheapest(mesh: ShrinkingMesh, target: number, maxError: number): number {
  const { around } = mesh;
  const heap = new EdgeHeap();
  const stamp = new Uint32Array(around.length);
  const offer = (u: number, v: number) => {
    // Both directions are offered: where one is forbidden by a turning triangle, the other may not be.
    heap.push(mesh.costOf(u, v), u, v, stamp[u] + stamp[v]);
    heap.push(mesh.costOf(v, u), v, u, stamp[u] + stamp[v]);
  };
  const { indices } = mesh;
  for (let at = 0; at < indices.length; at += 3)
    for (let k = 0; k < 3; k++) {
      const u = indices[at + k];
      const v = indices[at + ((k + 1) % 3)];
      if (u < v) offer(u, v);
    }
  let error = 0;
  while (mesh.count > target && heap.pop()) {
    const { cost, from: u, to: v } = heap;
    if (stamp[u] + stamp[v] !== heap.stamp || around[u].length === 0 || around[v].length === 0) continue;
    if (Math.sqrt(cost) > maxError) break;
    if (!mesh.collapse(u, v)) continue;
    error = Math.max(error, cost);
    // Every pair that was offered with an old stamp of v, or lost an obstacle, is offered anew.
    stamp[v]++;
    for (const w of mesh.neighbours(v)) offer(w, v);
  }
  return error;
}
