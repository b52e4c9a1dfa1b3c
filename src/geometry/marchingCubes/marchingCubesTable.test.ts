import { describe, expect, it } from 'vitest';
import { topology } from '../../../test/solids.js';
import { Random } from '../../core/random.js';
import { edgeCorner, MARCHING_CUBES } from './marchingCubesTable.js';

/** Plain marching cubes over a grid whose border is outside. */
function polygonise(inside: (x: number, y: number, z: number) => boolean, size: number) {
  const ids = new Map<string, number>();
  const positions: number[] = [];
  const indices: number[] = [];
  for (let z = 0; z < size; z++)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        let config = 0;
        for (let c = 0; c < 8; c++) if (inside(x + (c & 1), y + ((c >> 1) & 1), z + (c >> 2))) config |= 1 << c;
        for (let t = MARCHING_CUBES.starts[config] * 3; t < MARCHING_CUBES.starts[config + 1] * 3; t++) {
          const edge = MARCHING_CUBES.edges[t];
          const c = edgeCorner(edge);
          const p = [x + (c & 1), y + ((c >> 1) & 1), z + (c >> 2)];
          p[edge >> 2] += 0.5;
          const key = p.join();
          if (!ids.has(key)) {
            ids.set(key, ids.size);
            positions.push(...p);
          }
          indices.push(ids.get(key) as number);
        }
      }
  return { positions: Float32Array.from(positions), indices: Uint32Array.from(indices) };
}

describe('marching cubes cases', () => {
  it('close to a manifold for random fields, where every ambiguous case occurs', () => {
    const random = new Random(3);
    const size = 14;
    for (const share of [0.2, 0.5, 0.8]) {
      const bits = Array.from({ length: (size + 1) ** 3 }, () => random.float() < share);
      const mesh = polygonise((x, y, z) => {
        const border = [x, y, z].some((v) => v === 0 || v === size);
        return !border && bits[(z * size + y) * size + x];
      }, size);
      expect(mesh.indices.length).toBeGreaterThan(1000);
      expect(topology(mesh).badEdges).toBe(0);
      expect(topology(mesh).volume).toBeGreaterThan(0);
    }
  });

  it('have no triangle where all corners agree, and one where a single corner differs', () => {
    const count = (config: number): number => MARCHING_CUBES.starts[config + 1] - MARCHING_CUBES.starts[config];
    expect(count(0)).toBe(0);
    expect(count(255)).toBe(0);
    for (let c = 0; c < 8; c++) {
      expect(count(1 << c)).toBe(1);
      expect(count(255 ^ (1 << c))).toBe(1);
    }
  });
});
