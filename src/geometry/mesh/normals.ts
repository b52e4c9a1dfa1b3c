import type { Mesh } from '../../core/mesh.js';
import { weldMap } from './weld.js';

/**
 * Vertex normals: the mean of the normals of the triangles around a vertex, weighted by the triangle's area and its
 * angle at the vertex (Thürmer & Wüthrich 1998), smooth across texture seams: vertices at one place get the same
 * normal. Where all cancel, (0, 1, 0).
 */
export function computeNormals(mesh: Mesh): Float32Array {
  const { positions: p, indices } = mesh;
  const map = weldMap(p);
  const sums = new Float64Array(p.length);
  const length = (x: number, y: number, z: number) => Math.sqrt(x * x + y * y + z * z);
  for (let t = 0; t < indices.length; t += 3) {
    const v = [indices[t] * 3, indices[t + 1] * 3, indices[t + 2] * 3];
    const ux = p[v[1]] - p[v[0]];
    const uy = p[v[1] + 1] - p[v[0] + 1];
    const uz = p[v[1] + 2] - p[v[0] + 2];
    const wx = p[v[2]] - p[v[0]];
    const wy = p[v[2] + 1] - p[v[0] + 1];
    const wz = p[v[2] + 2] - p[v[0] + 2];
    const nx = uy * wz - uz * wy;
    const ny = uz * wx - ux * wz;
    const nz = ux * wy - uy * wx;
    const u2 = ux * ux + uy * uy + uz * uz;
    const w2 = wx * wx + wy * wy + wz * wz;
    const uw = ux * wx + uy * wy + uz * wz;
    const doubleArea = length(nx, ny, nz);
    if (!(doubleArea > 0)) continue;
    // Angles from doubled area and dot products of the edges at each corner.
    const angles = [Math.atan2(doubleArea, uw), Math.atan2(doubleArea, u2 - uw), Math.atan2(doubleArea, w2 - uw)];
    for (let k = 0; k < 3; k++) {
      const at = map[indices[t + k]] * 3;
      sums[at] += nx * angles[k];
      sums[at + 1] += ny * angles[k];
      sums[at + 2] += nz * angles[k];
    }
  }
  const normals = new Float32Array(p.length);
  for (let i = 0; i < map.length; i++) {
    const at = map[i] * 3;
    const n = length(sums[at], sums[at + 1], sums[at + 2]);
    for (let k = 0; k < 3; k++) normals[i * 3 + k] = n > 0 ? sums[at + k] / n : k === 1 ? 1 : 0;
  }
  return normals;
}
