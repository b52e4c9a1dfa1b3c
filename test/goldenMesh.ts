import { expect } from 'vitest';
import type { ExtractedMesh } from '../src/methods/reconviagen/extract.js';
import type { Golden } from './goldens.js';

/**
 * Holds a mesh against the reference: as many vertices at the same places with the same colours, and the same faces in
 * the same order. Within a cube the reference numbers its vertices in another order in a few cases, so vertices of a
 * cube are matched by place.
 */
export function checkMesh(golden: Golden, mesh: ExtractedMesh, cell: number): void {
  const vertices = golden.data('out.vertices');
  expect(mesh.vertices.length).toBe(vertices.length);
  const distance = (mine: number, theirs: number): number =>
    Math.hypot(...[0, 1, 2].map((i) => mesh.vertices[mine * 3 + i] - vertices[theirs * 3 + i]));
  const count = vertices.length / 3;
  const mine = new Int32Array(count); // mine[theirs]
  let moved = 0;
  for (let v = 0; v < count; v++) {
    const near = [0, 1, -1, 2, -2, 3, -3].map((d) => v + d).filter((i) => i >= 0 && i < count);
    mine[v] = near.reduce((best, i) => (distance(i, v) < distance(best, v) - 1e-4 * cell ? i : best), v);
    if (mine[v] !== v) moved++;
  }
  expect(new Set(mine).size, 'each vertex is matched once').toBe(count);
  expect(moved).toBeLessThan(40);
  golden.check(
    'out.vertices',
    [...mine].flatMap((v) => [...mesh.vertices.subarray(v * 3, v * 3 + 3)]),
  );
  golden.check(
    'out.vertex_attrs',
    [...mine].flatMap((v) => [...mesh.colours.subarray(v * 6, v * 6 + 6)]),
  );
  const theirs = new Int32Array(count);
  mine.forEach((m, v) => {
    theirs[m] = v;
  });
  golden.checkExact(
    'out.faces',
    Int32Array.from(mesh.faces, (v) => theirs[v]),
  );
}
