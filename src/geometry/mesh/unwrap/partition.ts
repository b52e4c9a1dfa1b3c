import { boundsOf, diagonalOf } from '../../../core/bounds.js';
import { buildEdges } from '../edges.js';
import { TriangleHeap } from './triangleHeap.js';

/** A surface as a graph of triangles, with what tells them apart. */
interface TriangleGraph {
  /** Number of triangles. */
  count: number;
  /** Across the edges of each triangle, −1 where there is none or more than one. */
  neighbours: Int32Array;
  normals: Float64Array;
  centroids: Float64Array;
  areas: Float64Array;
  /** Weight of squared distances beside squared differences of normals. */
  nearness: number;
}

/** Pieces that grow from seeds. */
interface Growing {
  /** The triangle that each piece grows from. */
  seeds: number[];
  /** Mean normal and centroid of each piece, six numbers. */
  proxies: number[];
  /** The piece of every triangle. */
  piece: Int32Array;
}

/** Times that pieces are grown anew from their middles at the end. */
const LAST_ROUNDS = 3;

/**
 * Cuts a surface into connected pieces of about equal size and similar normals: regions grow from seeds over edges,
 * cheapest triangle first, and are grown anew from their middles (Lloyd's method on the dual graph; Cohen-Steiner et
 * al. 2004, metric L²·¹).
 *
 * @param pieces number of pieces wanted; a surface of several parts has at least one for each.
 * @returns the piece of every triangle, numbered 0, 1, …
 */
export function partitionSurface(
  positions: Float32Array,
  indices: Uint32Array,
  pieces: number,
): { piece: Uint32Array; count: number } {
  const graph = graphOf(positions, indices);
  const growing: Growing = { seeds: [], proxies: [], piece: new Int32Array(graph.count) };
  for (const triangle of firstSeeds(graph.neighbours, graph.count)) addSeed(graph, growing, triangle);
  grow(graph, growing);
  while (growing.seeds.length < pieces) {
    refit(graph, growing);
    const added = worstTriangles(graph, growing, pieces);
    if (added.length === 0) break;
    for (const triangle of added) addSeed(graph, growing, triangle);
    grow(graph, growing);
  }
  for (let i = 0; i < LAST_ROUNDS; i++) {
    refit(graph, growing);
    grow(graph, growing);
  }
  return { piece: Uint32Array.from(growing.piece), count: growing.seeds.length };
}

function graphOf(positions: Float32Array, indices: Uint32Array): TriangleGraph {
  const count = indices.length / 3;
  const edges = buildEdges(indices, positions.length / 3);
  const neighbours = new Int32Array(count * 3).fill(-1);
  for (let e = 0; e < edges.count; e++) {
    if (edges.start[e + 1] - edges.start[e] !== 2) continue;
    const [a, b] = [edges.halfEdges[edges.start[e]], edges.halfEdges[edges.start[e] + 1]];
    neighbours[a] = (b / 3) | 0;
    neighbours[b] = (a / 3) | 0;
  }
  const { normals, centroids, areas, extent } = measure(positions, indices);
  // Normals lead; nearness only decides between triangles of like normals, so that flat regions are cut into compact
  // pieces.
  return { count, neighbours, normals, centroids, areas, nearness: 1 / (extent * extent) };
}

/** How badly triangle `t` fits the `i`-th of the proxies. */
function misfit({ normals, centroids, nearness }: TriangleGraph, t: number, proxies: Float64Array, i: number): number {
  let d = 0;
  for (let k = 0; k < 3; k++) {
    d +=
      (normals[t * 3 + k] - proxies[i * 6 + k]) ** 2 + nearness * (centroids[t * 3 + k] - proxies[i * 6 + 3 + k]) ** 2;
  }
  return d;
}

/** Begins a piece with a triangle. */
function addSeed({ normals, centroids }: TriangleGraph, { seeds, proxies }: Growing, t: number): void {
  seeds.push(t);
  for (let k = 0; k < 6; k++) proxies.push(k < 3 ? normals[t * 3 + k] : centroids[t * 3 + k - 3]);
}

/** Gives every triangle to a piece: all grow from their seeds at once, the triangle that fits best first. */
function grow(graph: TriangleGraph, { seeds, proxies, piece }: Growing): void {
  const { neighbours } = graph;
  piece.fill(-1);
  const fixed = Float64Array.from(proxies);
  const heap = new TriangleHeap();
  for (let i = 0; i < seeds.length; i++) heap.push(-1, seeds[i], i);
  while (heap.pop()) {
    const { triangle: t, piece: i } = heap;
    if (piece[t] >= 0) continue;
    piece[t] = i;
    for (let k = 0; k < 3; k++) {
      const o = neighbours[t * 3 + k];
      if (o >= 0 && piece[o] < 0) heap.push(misfit(graph, o, fixed, i), o, i);
    }
  }
}

/** Makes proxies the means of their pieces, and seeds the triangles that fit those best. */
function refit(graph: TriangleGraph, { seeds, proxies, piece }: Growing): void {
  const { count, normals, centroids, areas } = graph;
  const sums = new Float64Array(seeds.length * 7);
  for (let t = 0; t < count; t++) {
    const at = piece[t] * 7;
    for (let k = 0; k < 3; k++) {
      sums[at + k] += normals[t * 3 + k] * areas[t];
      sums[at + 3 + k] += centroids[t * 3 + k] * areas[t];
    }
    sums[at + 6] += areas[t];
  }
  for (let i = 0; i < seeds.length; i++) {
    if (!(sums[i * 7 + 6] > 0)) continue;
    const length = Math.hypot(sums[i * 7], sums[i * 7 + 1], sums[i * 7 + 2]) || 1;
    for (let k = 0; k < 3; k++) {
      proxies[i * 6 + k] = sums[i * 7 + k] / length;
      proxies[i * 6 + 3 + k] = sums[i * 7 + 3 + k] / sums[i * 7 + 6];
    }
  }
  const fixed = Float64Array.from(proxies);
  const best = new Float64Array(seeds.length).fill(Infinity);
  for (let t = 0; t < count; t++) {
    const d = misfit(graph, t, fixed, piece[t]);
    if (d < best[piece[t]]) {
      best[piece[t]] = d;
      seeds[piece[t]] = t;
    }
  }
}

/**
 * Triangles that differ most from their pieces, for new pieces to grow from: a few at a time, of each piece one at
 * most.
 */
function worstTriangles(graph: TriangleGraph, { seeds, proxies, piece }: Growing, pieces: number): number[] {
  const { count, areas } = graph;
  const fixed = Float64Array.from(proxies);
  const worst = new Float64Array(seeds.length);
  const where = new Int32Array(seeds.length).fill(-1);
  for (let t = 0; t < count; t++) {
    const d = misfit(graph, t, fixed, piece[t]) * (areas[t] > 0 ? 1 : 0);
    if (d > worst[piece[t]]) {
      worst[piece[t]] = d;
      where[piece[t]] = t;
    }
  }
  const ranked = Array.from(worst.keys())
    .filter((i) => where[i] >= 0 && where[i] !== seeds[i])
    .sort((a, b) => worst[b] - worst[a] || a - b);
  const adding = Math.min(pieces - seeds.length, Math.max(1, Math.ceil(seeds.length / 3)));
  return ranked.slice(0, adding).map((i) => where[i]);
}

/** The first triangle of every part connected through `neighbours`. */
function firstSeeds(neighbours: Int32Array, n: number): number[] {
  const seen = new Uint8Array(n);
  const seeds: number[] = [];
  const stack: number[] = [];
  for (let s = 0; s < n; s++) {
    if (seen[s]) continue;
    seeds.push(s);
    seen[s] = 1;
    stack.push(s);
    while (stack.length > 0) {
      const t = stack.pop()!;
      for (let k = 0; k < 3; k++) {
        const o = neighbours[t * 3 + k];
        if (o < 0 || seen[o]) continue;
        seen[o] = 1;
        stack.push(o);
      }
    }
  }
  return seeds;
}

function measure(p: Float32Array, indices: Uint32Array) {
  const n = indices.length / 3;
  const normals = new Float64Array(n * 3);
  const centroids = new Float64Array(n * 3);
  const areas = new Float64Array(n);
  for (let t = 0; t < n; t++) {
    const [a, b, c] = [indices[t * 3] * 3, indices[t * 3 + 1] * 3, indices[t * 3 + 2] * 3];
    const u = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]];
    const v = [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]];
    const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    const length = Math.hypot(...normal);
    areas[t] = length / 2;
    for (let k = 0; k < 3; k++) {
      normals[t * 3 + k] = length > 0 ? normal[k] / length : 0;
      const m = (p[a + k] + p[b + k] + p[c + k]) / 3;
      centroids[t * 3 + k] = m;
    }
  }
  const extent = diagonalOf(boundsOf(centroids)) || 1;
  return { normals, centroids, areas, extent };
}
