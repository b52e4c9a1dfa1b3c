import { buildEdges, DisjointSets, type EdgeTable, edgeFrom } from '../edges.js';

/** What the connectivity of a triangle mesh is like, whatever its positions. */
export interface Topology {
  edges: EdgeTable;
  /** Edges with one triangle. */
  boundaryEdges: number;
  /** Edges with three triangles or more. */
  nonManifoldEdges: number;
  /** Vertices whose triangles do not form one fan. */
  nonManifoldVertices: number;
  /** Edges with two triangles that run through it in the same direction. */
  inconsistentEdges: number;
  /** Parts connected through edges: part of every triangle, and their number. */
  part: Uint32Array;
  parts: number;
}

/** Analyses triangles over vertices that are already welded. */
export function topologyOf(indices: Uint32Array, vertexCount: number): Topology {
  const edges = buildEdges(indices, vertexCount);
  const { start, halfEdges } = edges;
  const triangles = new DisjointSets(indices.length / 3);
  // A fan at a vertex: its corners, joined where their triangles share an edge at that vertex. Corner h is where
  // half-edge h begins.
  const fans = new DisjointSets(indices.length);
  let boundaryEdges = 0;
  let nonManifoldEdges = 0;
  let inconsistentEdges = 0;
  for (let e = 0; e < edges.count; e++) {
    const n = start[e + 1] - start[e];
    if (n === 1) boundaryEdges++;
    if (n > 2) nonManifoldEdges++;
    const h0 = halfEdges[start[e]];
    for (let i = start[e] + 1; i < start[e + 1]; i++) {
      const h = halfEdges[i];
      triangles.union((h0 / 3) | 0, (h / 3) | 0);
      const same = edgeFrom(indices, h) === edgeFrom(indices, h0);
      if (n === 2 && same) inconsistentEdges++;
      fans.union(h0, same ? h : nextCorner(h));
      fans.union(nextCorner(h0), same ? nextCorner(h) : h);
    }
  }
  const fanOf = new Int32Array(vertexCount).fill(-1);
  const split = new Uint8Array(vertexCount);
  for (let h = 0; h < indices.length; h++) {
    const v = indices[h];
    const fan = fans.find(h);
    if (fanOf[v] < 0) fanOf[v] = fan;
    else if (fanOf[v] !== fan) split[v] = 1;
  }
  // The ends of a non-manifold edge are non-manifold too, although all their triangles hang together.
  for (let e = 0; e < edges.count; e++)
    if (start[e + 1] - start[e] > 2) {
      split[edges.vertices[e * 2]] = 1;
      split[edges.vertices[e * 2 + 1]] = 1;
    }
  const { label: part, count: parts } = triangles.labels();
  return {
    edges,
    boundaryEdges,
    nonManifoldEdges,
    nonManifoldVertices: split.reduce((sum, s) => sum + s, 0),
    inconsistentEdges,
    part,
    parts,
  };
}

/**
 * The vertices at which the mesh is no oriented, closed surface: ends of edges without exactly two opposite triangles,
 * split fans.
 */
export function irregularVertices(indices: Uint32Array, vertexCount: number): Uint32Array {
  const edges = buildEdges(indices, vertexCount);
  const { start, halfEdges, vertices } = edges;
  const bad = new Uint8Array(vertexCount);
  const fans = new DisjointSets(indices.length);
  for (let e = 0; e < edges.count; e++) {
    const h0 = halfEdges[start[e]];
    const h1 = halfEdges[start[e] + 1];
    if (start[e + 1] - start[e] !== 2 || edgeFrom(indices, h0) === edgeFrom(indices, h1)) {
      bad[vertices[e * 2]] = 1;
      bad[vertices[e * 2 + 1]] = 1;
    } else {
      fans.union(h0, nextCorner(h1));
      fans.union(nextCorner(h0), h1);
    }
  }
  const fanOf = new Int32Array(vertexCount).fill(-1);
  for (let h = 0; h < indices.length; h++) {
    const v = indices[h];
    const fan = fans.find(h);
    if (fanOf[v] < 0) fanOf[v] = fan;
    else if (fanOf[v] !== fan) bad[v] = 1;
  }
  return Uint32Array.from(bad.keys()).filter((v) => bad[v] === 1);
}

const nextCorner = (h: number): number => (h % 3 === 2 ? h - 2 : h + 1);
