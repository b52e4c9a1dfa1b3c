import { MeshoptTangents } from 'meshoptimizer/tangents';
import type { Mesh } from '../../core/mesh.js';
import { gatherVertices } from './compact.js';

/**
 * The same mesh with tangents as glTF wants them: unit x, y, z along increasing u, w = ±1 for the bitangent w · (n ×
 * t), in the manner of MikkTSpace (Mikkelsen 2008), which tools that bake and viewers that lack tangents use too.
 * Tangents belong to corners, so vertices where they differ (mirrored charts, creases) are repeated.
 *
 * glTF counts v downwards, while the green of its normal maps points up the image: the bitangent runs against v, so the
 * handedness that MikkTSpace finds for these coordinates is turned round.
 *
 * @param mesh with normals and UVs, otherwise RangeError.
 */
export async function computeTangents(mesh: Mesh): Promise<Mesh> {
  if (!mesh.normals || !mesh.uvs) throw new RangeError('tangents need normals and uvs');
  await MeshoptTangents.ready;
  const perCorner = MeshoptTangents.generateTangents(mesh.indices, mesh.positions, 3, mesh.normals, 3, mesh.uvs, 2, [
    'Compatible',
    'ZeroFallback',
  ]);
  const bits = new Uint32Array(perCorner.buffer, perCorner.byteOffset, perCorner.length);
  const from: number[] = [];
  const tangents: number[] = [];
  const indices = new Uint32Array(mesh.indices.length);
  const seen = new Map<string, number>();
  for (let h = 0; h < indices.length; h++) {
    const v = mesh.indices[h];
    const key = `${v},${bits[h * 4]},${bits[h * 4 + 1]},${bits[h * 4 + 2]},${bits[h * 4 + 3]}`;
    let i = seen.get(key);
    if (i === undefined) {
      i = from.push(v) - 1;
      seen.set(key, i);
      tangents.push(...tangentFor(perCorner.subarray(h * 4, h * 4 + 4), mesh.normals.subarray(v * 3, v * 3 + 3)));
    }
    indices[h] = i;
  }
  const { tangents: _, ...rest } = mesh;
  return { ...gatherVertices({ ...rest }, Uint32Array.from(from)), indices, tangents: Float32Array.from(tangents) };
}

/**
 * Made exactly perpendicular to the normal and of unit length; where there is none (no area in the texture), any
 * direction is as good.
 */
function tangentFor(t: Float32Array, n: Float32Array): [number, number, number, number] {
  const along = t[0] * n[0] + t[1] * n[1] + t[2] * n[2];
  let v = [t[0] - along * n[0], t[1] - along * n[1], t[2] - along * n[2]];
  if (Math.hypot(...v) < 1e-6) {
    const axis = Math.abs(n[0]) < 0.9 ? [1, 0, 0] : [0, 1, 0];
    const d = axis[0] * n[0] + axis[1] * n[1];
    v = axis.map((a, k) => a - d * n[k]);
  }
  const length = Math.hypot(...v);
  return [v[0] / length, v[1] / length, v[2] / length, t[3] < 0 ? 1 : -1];
}
