import { describe, expect, it } from 'vitest';
import { torus } from '../../../../test/shapes.js';
import { meshHealth } from '../measure/health.js';
import { weldMap } from '../weld.js';
import { collapseEdges } from './collapse.js';

describe('collapseEdges', () => {
  const { positions, indices } = torus(240, 120);
  const map = weldMap(positions);
  const welded = indices.map((i) => map[i]);
  const volume = meshHealth({ positions, indices: welded }).volume;

  it.each([
    // One by one, and in sweeps first: 57,600 triangles are far more than four times as many.
    [20000, 0.0006],
    [1000, 0.01],
  ])('brings a torus down to %d triangles near where it was', (target, bound) => {
    const left = collapseEdges(positions, welded, target, { sweeps: true });
    const h = meshHealth({ positions, indices: left.indices });
    expect(h).toMatchObject({ watertight: true, genus: 1, nonManifoldVertices: 0, inwardTriangles: 0 });
    expect(h.triangles).toBeLessThanOrEqual(target);
    expect(h.triangles).toBeGreaterThan(0.99 * target);
    expect(left.error).toBeLessThan(bound);
    expect(Math.abs(h.volume / volume - 1)).toBeLessThan(2 * bound);
  });

  it('stops in the midst of sweeps where the allowed error is reached', () => {
    const { indices: left, error } = collapseEdges(positions, welded, 1000, { maxError: 0.001, sweeps: true });
    expect(error).toBeLessThanOrEqual(0.001);
    expect(left.length / 3).toBeGreaterThan(4000);
    expect(left.length / 3).toBeLessThan(40000);
  });
});
