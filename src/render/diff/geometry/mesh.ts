import type { Mesh } from '../../../core/mesh.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import type { DiffMesh } from '../types.js';

/** Words of a triangle's record. */
export const TRIANGLE_WORDS = 24;
const NONE = 0xffffffff;

/** A mesh in the layout of `DiffMesh`, still in memory. */
export interface PackedMesh {
  /** f32 [P × 3]. */
  positions: Float32Array;
  /** u32 [T × 24]. */
  triangles: Uint32Array;
  /** u32 [P + 1 + 3T]. */
  corners: Uint32Array;
  vertexToPosition: Uint32Array;
}

/**
 * Shares positions that are equal to the bit, finds the neighbours across edges, and packs texture coordinates and
 * tangents per corner.
 */
export function packMesh(mesh: Mesh): PackedMesh {
  const { vertexToPosition, positions } = sharePositions(mesh.positions);
  const triangleCount = mesh.indices.length / 3;
  const triangles = new Uint32Array(triangleCount * TRIANGLE_WORDS);
  const floats = new Float32Array(triangles.buffer);
  const opposite = oppositeCorners(mesh.indices, vertexToPosition);
  for (let t = 0; t < triangleCount; t++) {
    const at = t * TRIANGLE_WORDS;
    for (let k = 0; k < 3; k++) {
      const vertex = mesh.indices[t * 3 + k];
      triangles[at + k] = vertexToPosition[vertex];
      const corner = opposite[t * 3 + k];
      triangles[at + 4 + k] = corner === NONE ? NONE : vertexToPosition[mesh.indices[corner]];
      if (mesh.tangents) {
        for (let c = 0; c < 3; c++) floats[at + 8 + k * 4 + c] = mesh.tangents[vertex * 4 + c];
      }
      floats[at + 11 + k * 4] = mesh.uvs?.[vertex * 2] ?? 0;
      floats[at + 20 + k] = mesh.uvs?.[vertex * 2 + 1] ?? 0;
    }
    floats[at + 23] = mesh.tangents ? Math.sign(mesh.tangents[mesh.indices[t * 3] * 4 + 3]) : 1;
  }
  return { positions, triangles, corners: cornerLists(triangles, positions.length / 3), vertexToPosition };
}

/** Uploads a mesh. Texture coordinates and tangents are optional (zero where absent). */
export function createDiffMesh(gpu: Gpu, mesh: Mesh): DiffMesh {
  const { positions, triangles, corners, vertexToPosition } = packMesh(mesh);
  const positionCount = positions.length / 3;
  return {
    positionCount,
    triangleCount: mesh.indices.length / 3,
    positions: gpu.upload(positions, 'positions'),
    normals: gpu.createBuffer(positionCount * 16, 'normals'),
    triangles: gpu.upload(triangles, 'triangles'),
    corners: gpu.upload(corners, 'corners'),
    vertexToPosition,
  };
}

/** Frees the mesh's buffers. */
export function destroyDiffMesh(mesh: DiffMesh): void {
  for (const buffer of [mesh.positions, mesh.normals, mesh.triangles, mesh.corners]) buffer.destroy();
}

/** The mesh's positions (shared, [P × 3]) given back to the vertices of the mesh it was made from. */
export function scatterPositions(shared: Float32Array, vertexToPosition: Uint32Array): Float32Array {
  const out = new Float32Array(vertexToPosition.length * 3);
  vertexToPosition.forEach((p, v) => {
    out.set(shared.subarray(p * 3, p * 3 + 3), v * 3);
  });
  return out;
}

function sharePositions(positions: Float32Array): { vertexToPosition: Uint32Array; positions: Float32Array } {
  const count = positions.length / 3;
  const vertexToPosition = new Uint32Array(count);
  const shared: number[] = [];
  const seen = new Map<string, number>();
  for (let v = 0; v < count; v++) {
    const key = `${positions[v * 3]},${positions[v * 3 + 1]},${positions[v * 3 + 2]}`;
    let p = seen.get(key);
    if (p === undefined) {
      p = shared.length / 3;
      shared.push(positions[v * 3], positions[v * 3 + 1], positions[v * 3 + 2]);
      seen.set(key, p);
    }
    vertexToPosition[v] = p;
  }
  return { vertexToPosition, positions: Float32Array.from(shared) };
}

/**
 * For each corner k of each triangle: the far corner of the triangle across edge k → k + 1, or none. An edge with more
 * than two triangles has none either, so that it always counts as an outline.
 */
function oppositeCorners(indices: Uint32Array, vertexToPosition: Uint32Array): Uint32Array {
  const edges = new Map<number, number[]>();
  const key = (a: number, b: number) => Math.min(a, b) * 0x4000000 + Math.max(a, b);
  const each = (visit: (h: number, edge: number) => void) => {
    for (let h = 0; h < indices.length; h++) {
      const next = h % 3 === 2 ? h - 2 : h + 1;
      visit(h, key(vertexToPosition[indices[h]], vertexToPosition[indices[next]]));
    }
  };
  each((h, edge) => {
    const list = edges.get(edge);
    if (list) list.push(h);
    else edges.set(edge, [h]);
  });
  const out = new Uint32Array(indices.length).fill(NONE);
  each((h, edge) => {
    const list = edges.get(edge)!;
    if (list.length !== 2) return;
    const other = list[0] === h ? list[1] : list[0];
    const start = other - (other % 3);
    out[h] = start + ((other - start + 2) % 3);
  });
  return out;
}

function cornerLists(triangles: Uint32Array, positionCount: number): Uint32Array {
  const triangleCount = triangles.length / TRIANGLE_WORDS;
  const out = new Uint32Array(positionCount + 1 + triangleCount * 3);
  const each = (visit: (corner: number, position: number) => void) => {
    for (let t = 0; t < triangleCount; t++)
      for (let k = 0; k < 3; k++) visit(t * 3 + k, triangles[t * TRIANGLE_WORDS + k]);
  };
  each((_, p) => {
    out[p + 1]++;
  });
  for (let p = 0; p < positionCount; p++) out[p + 1] += out[p];
  const next = out.slice(0, positionCount);
  each((corner, p) => {
    out[positionCount + 1 + next[p]++] = corner;
  });
  return out;
}
