import type { Mesh } from '../../../core/mesh.js';

/**
 * A mesh cut finely enough to carry colours at its vertices, with its vertices joined into nodes wherever they
 * coincide.
 */
export interface SurfaceGraph {
  /** Vertices with texture coordinates, and triangles; the same surface and charts as the mesh. */
  uvs: Float32Array;
  indices: Uint32Array;
  /** The node of each vertex. */
  nodeOf: Uint32Array;
  /** Position and unit normal per node. */
  positions: Float32Array;
  normals: Float32Array;
  /** Neighbours of node i: `neighbours[start[i]] … neighbours[start[i + 1] − 1]`. */
  start: Uint32Array;
  neighbours: Uint32Array;
}

/**
 * Cuts edges longer than `length` in halves until none is left or `limit` triangles are reached, and joins vertices
 * that share a position across chart borders.
 */
export function surfaceGraph(mesh: Mesh, length: number, limit: number): SurfaceGraph {
  const positions = Array.from(mesh.positions);
  const normals = Array.from(mesh.normals!);
  const uvs = Array.from(mesh.uvs!);
  let indices = Array.from(mesh.indices);
  for (let round = 0; round < 12 && indices.length / 3 < limit; round++) {
    const split = splitLongEdges(positions, normals, uvs, indices, length);
    if (split.length === indices.length) break;
    indices = split;
  }
  const nodeOf = new Uint32Array(positions.length / 3);
  const nodes = new Map<string, number>();
  const nodePositions: number[] = [];
  const nodeNormals: number[] = [];
  for (let v = 0; v < nodeOf.length; v++) {
    // Positions are compared as 32-bit floats: midpoints of the same edge come out equal in every chart.
    const key = `${Math.fround(positions[v * 3])},${Math.fround(positions[v * 3 + 1])},${Math.fround(positions[v * 3 + 2])}`;
    let node = nodes.get(key);
    if (node === undefined) {
      node = nodes.size;
      nodes.set(key, node);
      nodePositions.push(positions[v * 3], positions[v * 3 + 1], positions[v * 3 + 2]);
      nodeNormals.push(0, 0, 0);
    }
    nodeOf[v] = node;
    for (let c = 0; c < 3; c++) nodeNormals[node * 3 + c] += normals[v * 3 + c];
  }
  for (let i = 0; i < nodeNormals.length; i += 3) {
    const n = Math.hypot(nodeNormals[i], nodeNormals[i + 1], nodeNormals[i + 2]) || 1;
    for (let c = 0; c < 3; c++) nodeNormals[i + c] /= n;
  }
  return {
    uvs: Float32Array.from(uvs),
    indices: Uint32Array.from(indices),
    nodeOf,
    positions: Float32Array.from(nodePositions),
    normals: Float32Array.from(nodeNormals),
    ...adjacency(nodeOf, indices, nodes.size),
  };
}

/** One round: every edge longer than `length` gets a vertex in its middle, and triangles are cut to match. */
function splitLongEdges(
  positions: number[],
  normals: number[],
  uvs: number[],
  indices: number[],
  length: number,
): number[] {
  const middles = new Map<number, number>();
  const middle = (a: number, b: number): number => {
    const d = Math.hypot(
      positions[a * 3] - positions[b * 3],
      positions[a * 3 + 1] - positions[b * 3 + 1],
      positions[a * 3 + 2] - positions[b * 3 + 2],
    );
    if (d <= length) return -1;
    const key = Math.min(a, b) * 0x4000000 + Math.max(a, b);
    let m = middles.get(key);
    if (m === undefined) {
      m = positions.length / 3;
      middles.set(key, m);
      for (let c = 0; c < 3; c++) positions.push((positions[a * 3 + c] + positions[b * 3 + c]) / 2);
      for (let c = 0; c < 3; c++) normals.push((normals[a * 3 + c] + normals[b * 3 + c]) / 2);
      for (let c = 0; c < 2; c++) uvs.push((uvs[a * 2 + c] + uvs[b * 2 + c]) / 2);
    }
    return m;
  };
  const out: number[] = [];
  for (let t = 0; t < indices.length; t += 3) {
    const corners = [indices[t], indices[t + 1], indices[t + 2]];
    const cuts = [0, 1, 2].map((k) => middle(corners[k], corners[(k + 1) % 3]));
    const many = cuts.filter((m) => m >= 0).length;
    if (many === 0) {
      out.push(...corners);
    } else if (many === 3) {
      out.push(corners[0], cuts[0], cuts[2], cuts[0], corners[1], cuts[1]);
      out.push(cuts[2], cuts[1], corners[2], cuts[0], cuts[1], cuts[2]);
    } else if (many === 1) {
      const k = cuts.findIndex((m) => m >= 0);
      const [a, b, c] = [corners[k], corners[(k + 1) % 3], corners[(k + 2) % 3]];
      out.push(a, cuts[k], c, cuts[k], b, c);
    } else {
      // The corner between the two cut edges is cut off; the rest is a quadrilateral.
      const k = (cuts.indexOf(-1) + 1) % 3;
      const [a, b, c] = [corners[k], corners[(k + 1) % 3], corners[(k + 2) % 3]];
      const [ab, bc] = [cuts[k], cuts[(k + 1) % 3]];
      out.push(ab, b, bc, a, ab, bc, a, bc, c);
    }
  }
  return out;
}

function adjacency(
  nodeOf: Uint32Array,
  indices: readonly number[],
  nodes: number,
): { start: Uint32Array; neighbours: Uint32Array } {
  const start = new Uint32Array(nodes + 1);
  const visit = (see: (a: number, b: number) => void) => {
    for (let t = 0; t < indices.length; t += 3) {
      for (let k = 0; k < 3; k++) {
        const a = nodeOf[indices[t + k]];
        const b = nodeOf[indices[t + ((k + 1) % 3)]];
        see(a, b);
        see(b, a);
      }
    }
  };
  visit((a) => {
    start[a + 1]++;
  });
  for (let i = 0; i < nodes; i++) start[i + 1] += start[i];
  const neighbours = new Uint32Array(start[nodes]);
  const next = start.slice(0, nodes);
  visit((a, b) => {
    neighbours[next[a]++] = b;
  });
  return { start, neighbours };
}
