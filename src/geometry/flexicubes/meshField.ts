import type { Mesh } from '../../core/mesh.js';
import { pause } from '../../core/pause.js';
import { triangleDistance } from '../mesh/measure/bvh.js';
import { type IsoLattice, latticeSize } from './brickGrid.js';

/** Triangles between two turns of the event loop. */
const TURN = 500;

/**
 * Signed distance of every lattice sample to a closed, outward oriented mesh, in voxels, negative inside: exact up to
 * `limit`, ±limit beyond. Triangles are visited one by one with the samples near them, so the time follows the area:
 * about a second for 10,000 triangles on 128³.
 * @returns f32 [x · y · z of `latticeSize`], x fastest
 * @throws CANCELLED
 */
export async function meshField(
  mesh: Mesh,
  lattice: IsoLattice,
  limit: number,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const [nx, ny, nz] = latticeSize(lattice);
  const { origin, voxel } = lattice;
  // In voxels from the lattice's origin, so that distances are in voxels.
  const p = mesh.positions.map((v, i) => (v - origin[i % 3]) / voxel);
  const squares = new Float32Array(nx * ny * nz).fill(limit * limit);
  const winding = windings(p, mesh.indices, [nx, ny, nz]);
  for (let t = 0; t < mesh.indices.length / 3; t++) {
    if (t % TURN === 0) {
      await pause(signal);
    }
    const corners = [0, 1, 2].map((k) => mesh.indices[t * 3 + k] * 3);
    const range = (axis: number, size: number) => {
      const values = corners.map((c) => p[c + axis]);
      return [
        Math.max(0, Math.ceil(Math.min(...values) - limit)),
        Math.min(size - 1, Math.floor(Math.max(...values) + limit)),
      ];
    };
    const [x0, x1] = range(0, nx);
    const [y0, y1] = range(1, ny);
    const [z0, z1] = range(2, nz);
    for (let z = z0; z <= z1; z++)
      for (let y = y0; y <= y1; y++)
        for (let x = x0; x <= x1; x++) {
          const at = (z * ny + y) * nx + x;
          const d = triangleDistance(p, mesh.indices, t, x, y, z);
          if (d < squares[at]) squares[at] = d;
        }
  }
  return squares.map((d, i) => (winding[i] > 0 ? -Math.sqrt(d) : Math.sqrt(d)));
}

/**
 * Winding number of every sample: what the rows of samples along x pass through, counted by direction. A row that meets
 * an edge or a corner is taken to lie beside it on the side of greater y, or z; both triangles at an edge decide alike,
 * so nothing counts twice or not at all.
 */
function windings(p: Float32Array, indices: Uint32Array, [nx, ny, nz]: number[]): Int16Array {
  const out = new Int16Array(nx * ny * nz);
  // Twice the signed area of the row's point with the edge a → b in the plane of y and z; exactly opposite for b → a.
  const area = (a: number, b: number, y: number, z: number): number => {
    if (a > b) return -area(b, a, y, z);
    return (p[b + 1] - p[a + 1]) * (z - p[a + 2]) - (y - p[a + 1]) * (p[b + 2] - p[a + 2]);
  };
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [indices[t] * 3, indices[t + 1] * 3, indices[t + 2] * 3];
    const ys = [p[a + 1], p[b + 1], p[c + 1]];
    const zs = [p[a + 2], p[b + 2], p[c + 2]];
    const z1 = Math.min(nz - 1, Math.floor(Math.max(...zs)));
    const y1 = Math.min(ny - 1, Math.floor(Math.max(...ys)));
    for (let z = Math.max(0, Math.ceil(Math.min(...zs))); z <= z1; z++) {
      for (let y = Math.max(0, Math.ceil(Math.min(...ys))); y <= y1; y++) {
        // Edges that cross the line at z beyond y, upwards and downwards, as in tests of points in polygons.
        let count = 0;
        for (const [u, v] of [
          [a, b],
          [b, c],
          [c, a],
        ]) {
          const from = p[u + 2] < z;
          if (from === p[v + 2] < z) continue;
          const side = area(u, v, y, z);
          if (from && side > 0) count++;
          if (!from && side < 0) count--;
        }
        if (count === 0) continue;
        // Where the row meets the plane of the triangle.
        const n = [0, 1, 2].map((k) => {
          const [i, j] = [(k + 1) % 3, (k + 2) % 3];
          return (p[b + i] - p[a + i]) * (p[c + j] - p[a + j]) - (p[b + j] - p[a + j]) * (p[c + i] - p[a + i]);
        });
        const x = p[a] - (n[1] * (y - p[a + 1]) + n[2] * (z - p[a + 2])) / n[0];
        // A triangle that faces −x is entered.
        const row = (z * ny + y) * nx;
        for (let i = Math.max(0, Math.ceil(x)); i < nx; i++) out[row + i] -= count;
      }
    }
  }
  return out;
}
