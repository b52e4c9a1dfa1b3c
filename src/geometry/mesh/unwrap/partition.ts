import { boundsOf, diagonalOf } from '../../../core/bounds.js';
import { buildEdges } from '../edges.js';

/**
 * Cuts a surface into connected pieces of about equal size and similar normals: regions grow from seeds over edges, cheapest triangle
 * first, and are grown anew from their middles (Lloyd's method on the dual graph; Cohen-Steiner et al. 2004, metric L²·¹).
 *
 * @param pieces number of pieces wanted; a surface of several parts has at least one for each.
 * @returns the piece of every triangle, numbered 0, 1, …
 */
export function partitionSurface(
  positions: Float32Array,
  indices: Uint32Array,
  pieces: number,
): { piece: Uint32Array; count: number } {
  const n = indices.length / 3;
  const edges = buildEdges(indices, positions.length / 3);
  const neighbours = new Int32Array(n * 3).fill(-1);
  for (let e = 0; e < edges.count; e++) {
    if (edges.start[e + 1] - edges.start[e] !== 2) continue;
    const [a, b] = [edges.halfEdges[edges.start[e]], edges.halfEdges[edges.start[e] + 1]];
    neighbours[a] = (b / 3) | 0;
    neighbours[b] = (a / 3) | 0;
  }
  const { normals, centroids, areas, extent } = measure(positions, indices);
  // Normals lead; nearness only decides between triangles of like normals, so that flat regions are cut into compact pieces.
  const nearness = 1 / (extent * extent);
  const cost = (t: number, c: Float64Array, i: number): number => {
    let d = 0;
    for (let k = 0; k < 3; k++) {
      d += (normals[t * 3 + k] - c[i * 6 + k]) ** 2 + nearness * (centroids[t * 3 + k] - c[i * 6 + 3 + k]) ** 2;
    }
    return d;
  };

  const seeds = firstSeeds(neighbours, n);
  const piece = new Int32Array(n);
  const proxies: number[] = [];
  for (const t of seeds)
    for (let k = 0; k < 6; k++) proxies.push(k < 3 ? normals[t * 3 + k] : centroids[t * 3 + k - 3]);
  const flood = (): void => {
    piece.fill(-1);
    const c = Float64Array.from(proxies);
    const heap = new TriangleHeap();
    for (let i = 0; i < seeds.length; i++) heap.push(-1, seeds[i], i);
    for (let top = heap.pop(); top; top = heap.pop()) {
      const [t, i] = top;
      if (piece[t] >= 0) continue;
      piece[t] = i;
      for (let k = 0; k < 3; k++) {
        const o = neighbours[t * 3 + k];
        if (o >= 0 && piece[o] < 0) heap.push(cost(o, c, i), o, i);
      }
    }
  };
  const refit = (): void => {
    const c = new Float64Array(seeds.length * 7);
    for (let t = 0; t < n; t++) {
      const at = piece[t] * 7;
      for (let k = 0; k < 3; k++) {
        c[at + k] += normals[t * 3 + k] * areas[t];
        c[at + 3 + k] += centroids[t * 3 + k] * areas[t];
      }
      c[at + 6] += areas[t];
    }
    for (let i = 0; i < seeds.length; i++) {
      if (!(c[i * 7 + 6] > 0)) continue;
      const length = Math.hypot(c[i * 7], c[i * 7 + 1], c[i * 7 + 2]) || 1;
      for (let k = 0; k < 3; k++) {
        proxies[i * 6 + k] = c[i * 7 + k] / length;
        proxies[i * 6 + 3 + k] = c[i * 7 + 3 + k] / c[i * 7 + 6];
      }
    }
    const fit = Float64Array.from(proxies);
    const best = new Float64Array(seeds.length).fill(Infinity);
    for (let t = 0; t < n; t++) {
      const d = cost(t, fit, piece[t]);
      if (d < best[piece[t]]) {
        best[piece[t]] = d;
        seeds[piece[t]] = t;
      }
    }
  };
  flood();
  // New seeds go where the surface differs most from its piece, a few at a time.
  while (seeds.length < pieces) {
    refit();
    const c = Float64Array.from(proxies);
    const worst = new Float64Array(seeds.length);
    const where = new Int32Array(seeds.length).fill(-1);
    for (let t = 0; t < n; t++) {
      const d = cost(t, c, piece[t]) * (areas[t] > 0 ? 1 : 0);
      if (d > worst[piece[t]]) {
        worst[piece[t]] = d;
        where[piece[t]] = t;
      }
    }
    const ranked = Array.from(worst.keys())
      .filter((i) => where[i] >= 0 && where[i] !== seeds[i])
      .sort((a, b) => worst[b] - worst[a] || a - b);
    const adding = Math.min(pieces - seeds.length, Math.max(1, Math.ceil(seeds.length / 3)), ranked.length);
    if (adding === 0) break;
    for (const i of ranked.slice(0, adding)) {
      const t = where[i];
      seeds.push(t);
      for (let k = 0; k < 6; k++) proxies.push(k < 3 ? normals[t * 3 + k] : centroids[t * 3 + k - 3]);
    }
    flood();
  }
  for (let i = 0; i < 3; i++) {
    refit();
    flood();
  }
  return { piece: Uint32Array.from(piece), count: seeds.length };
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

/** A binary heap of (triangle, piece), cheapest first; ties by the order of pushing. */
class TriangleHeap {
  private readonly cost: number[] = [];
  private readonly entry: [number, number][] = [];
  private readonly order: number[] = [];
  private pushed = 0;

  push(cost: number, triangle: number, piece: number): void {
    let i = this.cost.push(cost) - 1;
    this.entry.push([triangle, piece]);
    this.order.push(this.pushed++);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.less(i, parent)) break;
      this.swap(i, parent);
      i = parent;
    }
  }

  pop(): [number, number] | undefined {
    if (this.cost.length === 0) return undefined;
    this.swap(0, this.cost.length - 1);
    this.cost.pop();
    this.order.pop();
    const top = this.entry.pop()!;
    const n = this.cost.length;
    for (let i = 0; ; ) {
      let child = i * 2 + 1;
      if (child >= n) break;
      if (child + 1 < n && this.less(child + 1, child)) child++;
      if (!this.less(child, i)) break;
      this.swap(i, child);
      i = child;
    }
    return top;
  }

  private less(a: number, b: number): boolean {
    return this.cost[a] < this.cost[b] || (this.cost[a] === this.cost[b] && this.order[a] < this.order[b]);
  }

  private swap(a: number, b: number): void {
    for (const list of [this.cost, this.order]) [list[a], list[b]] = [list[b], list[a]];
    [this.entry[a], this.entry[b]] = [this.entry[b], this.entry[a]];
  }
}
