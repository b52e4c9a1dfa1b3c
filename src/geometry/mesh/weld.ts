import type { Mesh } from '../../core/mesh.js';
import { compactMesh } from './compact.js';

export interface WeldOptions {
  /** Vertices nearer than this become one, in scene units. Default 0: only equal positions. */
  tolerance?: number;
}

/**
 * For every vertex the lowest vertex at the same place. With a tolerance, vertices are taken in order and join the nearest earlier
 * representative within it, so that chains of close vertices do not collapse into one.
 */
export function weldMap(positions: Float32Array, tolerance = 0): Uint32Array {
  const n = positions.length / 3;
  const map = new Uint32Array(n);
  let size = 1;
  while (size < n * 2) size *= 2;
  const head = new Int32Array(size).fill(-1);
  const next = new Int32Array(n).fill(-1);
  if (!(tolerance > 0)) {
    // Adding 0 turns −0 into 0, so that both are the same place.
    const canonical = Float32Array.from(positions, (v) => v + 0);
    const bits = new Uint32Array(canonical.buffer);
    for (let i = 0; i < n; i++) {
      const slot = hash(bits[i * 3], bits[i * 3 + 1], bits[i * 3 + 2]) & (size - 1);
      let j = head[slot];
      while (
        j >= 0 &&
        (bits[j * 3] !== bits[i * 3] || bits[j * 3 + 1] !== bits[i * 3 + 1] || bits[j * 3 + 2] !== bits[i * 3 + 2])
      )
        j = next[j];
      map[i] = j >= 0 ? j : i;
      if (j < 0) {
        next[i] = head[slot];
        head[slot] = i;
      }
    }
    return map;
  }
  const cell = (v: number) => Math.floor(v / tolerance);
  for (let i = 0; i < n; i++) {
    const [x, y, z] = positions.subarray(i * 3, i * 3 + 3);
    const [cx, cy, cz] = [cell(x), cell(y), cell(z)];
    let best = -1;
    let bestDistance = tolerance * tolerance;
    for (let dz = -1; dz <= 1; dz++)
      for (let dy = -1; dy <= 1; dy++)
        for (let dx = -1; dx <= 1; dx++) {
          for (let j = head[hash(cx + dx, cy + dy, cz + dz) & (size - 1)]; j >= 0; j = next[j]) {
            const d = (positions[j * 3] - x) ** 2 + (positions[j * 3 + 1] - y) ** 2 + (positions[j * 3 + 2] - z) ** 2;
            if (d < bestDistance || (d === bestDistance && (best < 0 || j < best))) {
              best = j;
              bestDistance = d;
            }
          }
        }
    map[i] = best >= 0 ? best : i;
    if (best < 0) {
      const slot = hash(cx, cy, cz) & (size - 1);
      next[i] = head[slot];
      head[slot] = i;
    }
  }
  return map;
}

/**
 * Merges vertices at the same place. A merged vertex keeps the attributes of the lowest of them, so weld before computing normals or
 * UVs, not after. Triangles that lose a corner are dropped.
 */
export function weldMesh(mesh: Mesh, options: WeldOptions = {}): Mesh {
  const map = weldMap(mesh.positions, options.tolerance ?? 0);
  const kept: number[] = [];
  for (let t = 0; t < mesh.indices.length; t += 3) {
    const a = map[mesh.indices[t]];
    const b = map[mesh.indices[t + 1]];
    const c = map[mesh.indices[t + 2]];
    if (a !== b && b !== c && c !== a) kept.push(a, b, c);
  }
  return compactMesh({ ...mesh, indices: Uint32Array.from(kept) });
}

function hash(a: number, b: number, c: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}
