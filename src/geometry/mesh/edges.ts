/**
 * Edges of a triangle mesh. Half-edge `3 t + k` runs from corner k of triangle t to its corner k + 1; an edge gathers
 * all half-edges between the same two vertices, whatever their direction and number.
 */
export interface EdgeTable {
  count: number;
  /** Lower and higher vertex index, two per edge. */
  vertices: Uint32Array;
  /** The edge of every half-edge. */
  ofHalfEdge: Uint32Array;
  /** The half-edges of edge e are `halfEdges[start[e]] … halfEdges[start[e + 1] - 1]`, ascending. */
  start: Uint32Array;
  halfEdges: Uint32Array;
}

/** The vertex that half-edge `h` runs from. */
export const edgeFrom = (indices: Uint32Array, h: number): number => indices[h];
/** The vertex that half-edge `h` runs to. */
export const edgeTo = (indices: Uint32Array, h: number): number => indices[h % 3 === 2 ? h - 2 : h + 1];

/**
 * Builds the edge table in linear time. Edges are numbered by lower, then by first use, so that the numbering is
 * reproducible.
 */
export function buildEdges(indices: Uint32Array, vertexCount: number): EdgeTable {
  const n = indices.length;
  const bucket = new Uint32Array(vertexCount + 1);
  const low = new Uint32Array(n);
  const high = new Uint32Array(n);
  for (let h = 0; h < n; h++) {
    const a = edgeFrom(indices, h);
    const b = edgeTo(indices, h);
    low[h] = Math.min(a, b);
    high[h] = Math.max(a, b);
    bucket[low[h] + 1]++;
  }
  for (let v = 0; v < vertexCount; v++) bucket[v + 1] += bucket[v];
  const sorted = new Uint32Array(n);
  const next = bucket.slice(0, vertexCount);
  for (let h = 0; h < n; h++) sorted[next[low[h]]++] = h;

  const ofHalfEdge = new Uint32Array(n);
  const pairs = new Uint32Array(n * 2);
  let count = 0;
  // Few half-edges share a lower vertex, so a linear search among the edges just made beats a hash table; where a
  // vertex has a great many neighbours (a fan), a map takes over.
  for (let v = 0; v < vertexCount; v++) {
    const first = count;
    const many = bucket[v + 1] - bucket[v] > 64 ? new Map<number, number>() : null;
    for (let i = bucket[v]; i < bucket[v + 1]; i++) {
      const h = sorted[i];
      let e = -1;
      if (many) e = many.get(high[h]) ?? -1;
      else
        for (let c = first; c < count; c++)
          if (pairs[c * 2 + 1] === high[h]) {
            e = c;
            break;
          }
      if (e < 0) {
        e = count++;
        pairs[e * 2] = v;
        pairs[e * 2 + 1] = high[h];
        many?.set(high[h], e);
      }
      ofHalfEdge[h] = e;
    }
  }
  const start = new Uint32Array(count + 1);
  for (let h = 0; h < n; h++) start[ofHalfEdge[h] + 1]++;
  for (let e = 0; e < count; e++) start[e + 1] += start[e];
  const fill = start.slice(0, count);
  const halfEdges = new Uint32Array(n);
  for (let h = 0; h < n; h++) halfEdges[fill[ofHalfEdge[h]]++] = h;
  return { count, vertices: pairs.slice(0, count * 2), ofHalfEdge, start, halfEdges };
}

/** Disjoint sets over 0…n−1; the root of a set is its lowest member. */
export class DisjointSets {
  private readonly parent: Uint32Array;
  constructor(n: number) {
    this.parent = new Uint32Array(n);
    for (let i = 0; i < n; i++) this.parent[i] = i;
  }
  find(i: number): number {
    const p = this.parent;
    while (p[i] !== i) {
      p[i] = p[p[i]];
      i = p[i];
    }
    return i;
  }
  union(a: number, b: number): void {
    const ra = this.find(a);
    const rb = this.find(b);
    if (ra < rb) this.parent[rb] = ra;
    else this.parent[ra] = rb;
  }
  /** Numbers the sets 0, 1, … by their lowest member. */
  labels(): { label: Uint32Array; count: number } {
    const n = this.parent.length;
    const label = new Uint32Array(n);
    let count = 0;
    for (let i = 0; i < n; i++) {
      const root = this.find(i);
      label[i] = root === i ? count++ : label[root];
    }
    return { label, count };
  }
}
