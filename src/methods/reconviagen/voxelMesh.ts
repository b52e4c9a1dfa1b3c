import type { Mesh } from '../../core/mesh.js';

/** Corners of a cube's faces, counter-clockwise from outside, by axis and side; bit k of a corner is its place on axis k. */
const FACES: readonly { axis: number; step: number; corners: readonly number[] }[] = [
  { axis: 0, step: -1, corners: [0, 4, 6, 2] },
  { axis: 0, step: 1, corners: [1, 3, 7, 5] },
  { axis: 1, step: -1, corners: [0, 1, 5, 4] },
  { axis: 1, step: 1, corners: [2, 6, 7, 3] },
  { axis: 2, step: -1, corners: [0, 2, 3, 1] },
  { axis: 2, step: 1, corners: [4, 5, 7, 6] },
];

/**
 * The faces of voxels that no other voxel covers, for a picture of them.
 * @param coords x, y, z in 0…side − 1
 * @returns a mesh within −½…½ whose faces share no vertices
 */
export function voxelMesh(coords: Int32Array, side: number): Mesh {
  const id = (x: number, y: number, z: number): number =>
    [x, y, z].every((c) => c >= 0 && c < side) ? (x * side + y) * side + z : -1;
  const taken = new Set<number>();
  for (let i = 0; i < coords.length; i += 3) taken.add(id(coords[i], coords[i + 1], coords[i + 2]));
  const positions: number[] = [];
  const indices: number[] = [];
  for (let i = 0; i < coords.length; i += 3) {
    const at = [coords[i], coords[i + 1], coords[i + 2]];
    for (const { axis, step, corners } of FACES) {
      const next = at.map((c, k) => (k === axis ? c + step : c));
      if (taken.has(id(next[0], next[1], next[2]))) continue;
      const first = positions.length / 3;
      for (const corner of corners) {
        for (let k = 0; k < 3; k++) positions.push((at[k] + ((corner >> k) & 1)) / side - 0.5);
      }
      indices.push(first, first + 1, first + 2, first, first + 2, first + 3);
    }
  }
  return { positions: Float32Array.from(positions), indices: Uint32Array.from(indices) };
}
