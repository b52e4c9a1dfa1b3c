import type { Mesh } from '../../core/mesh.js';

/** Drops vertices that no triangle uses; the others keep their order. */
export function compactMesh(mesh: Mesh): Mesh {
  const n = mesh.positions.length / 3;
  const used = new Uint8Array(n);
  for (const i of mesh.indices) used[i] = 1;
  const to = new Uint32Array(n);
  let count = 0;
  for (let i = 0; i < n; i++) if (used[i]) to[i] = count++;
  if (count === n) return mesh;
  const from = new Uint32Array(count);
  for (let i = 0; i < n; i++) if (used[i]) from[to[i]] = i;
  return { ...gatherVertices(mesh, from), indices: mesh.indices.map((i) => to[i]) };
}

/** The attributes of `mesh` with vertex i taken from vertex `from[i]`. */
export function gatherVertices(mesh: Mesh, from: Uint32Array): Omit<Mesh, 'indices'> {
  const gather = (data: Float32Array | undefined, size: number) => {
    if (!data) return undefined;
    const out = new Float32Array(from.length * size);
    for (let i = 0; i < from.length; i++) for (let k = 0; k < size; k++) out[i * size + k] = data[from[i] * size + k];
    return out;
  };
  const out: Omit<Mesh, 'indices'> = { positions: gather(mesh.positions, 3)! };
  if (mesh.normals) out.normals = gather(mesh.normals, 3);
  if (mesh.uvs) out.uvs = gather(mesh.uvs, 2);
  if (mesh.tangents) out.tangents = gather(mesh.tangents, 4);
  if (mesh.colors) out.colors = gather(mesh.colors, 3);
  return out;
}
