import { describe, expect, it } from 'vitest';
import { join, sphere, torus, without } from '../../../../test/shapes.js';
import { meshHealth } from '../measure/health.js';
import { simplifyMesh } from './simplify.js';

describe('simplifyMesh', () => {
  it('keeps within the budget and the reported error bounds the deviation from a sphere', async () => {
    const { mesh, error, closedManifold } = await simplifyMesh(sphere(5), { triangles: 500 });
    expect(mesh.indices.length / 3).toBeLessThanOrEqual(500);
    expect(mesh.indices.length / 3).toBeGreaterThan(450);
    expect(closedManifold).toBe(true);
    const h = meshHealth(mesh);
    expect(h).toMatchObject({ watertight: true, genus: 0, inwardTriangles: 0 });
    expect(mesh.positions.length / 3).toBe(h.vertices);
    expect(error).toBeGreaterThan(0.001);
    expect(error).toBeLessThan(0.05);
    expect(Math.abs(h.volume / ((4 / 3) * Math.PI) - 1)).toBeLessThan(0.03);
  });

  it('returns a mesh within the budget as it is', async () => {
    const m = sphere(2);
    expect(await simplifyMesh(m, { triangles: 128 })).toEqual({ mesh: m, error: 0, closedManifold: true });
  });

  it('stops before the budget where the allowed error is reached', async () => {
    const { mesh, error } = await simplifyMesh(sphere(5), { triangles: 10, maxError: 0.002 });
    expect(mesh.indices.length / 3).toBeGreaterThan(100);
    expect(error).toBeLessThanOrEqual(0.002);
  });

  it('keeps a closed manifold closed, manifold and of the same shape class at absurdly small budgets', async () => {
    const m = join(torus(96, 48), torus(64, 16, 0.3, 0.02), sphere(4, 0.3));
    for (const triangles of [400, 120, 60]) {
      const result = await simplifyMesh(m, { triangles });
      expect(result.closedManifold).toBe(true);
      const h = meshHealth(result.mesh);
      expect(h).toMatchObject({
        watertight: true,
        components: 3,
        genus: 2,
        nonManifoldVertices: 0,
        degenerateTriangles: 0,
      });
      expect(h.triangles).toBeLessThanOrEqual(triangles);
    }
  });

  it('keeps every crumb and every tunnel of a surface of many parts, and the shape of the largest', async () => {
    // Crumbs that vanish at the whole's budget, and a part with tunnels that are closed at any.
    const crumbs = Array.from({ length: 60 }, (_, i) => {
      const ring = torus(12, 6, 0.01, 0.004);
      return { ...ring, positions: ring.positions.map((v, k) => v + (k % 3 === 0 ? 2 + 0.1 * i : 0)) };
    });
    const m = join(sphere(6), ...crumbs);
    const result = await simplifyMesh(m, { triangles: 3000, regular: true });
    expect(result.closedManifold).toBe(true);
    const h = meshHealth(result.mesh);
    expect(h).toMatchObject({ watertight: true, components: 61, genus: 60, nonManifoldVertices: 0 });
    expect(h.triangles).toBeLessThanOrEqual(3000);
    expect(result.error).toBeLessThan(0.03);
    expect(Math.abs(h.volume / ((4 / 3) * Math.PI) - 1)).toBeLessThan(0.02);
  });

  it('leaves open rims where they are if told to', async () => {
    const open = without(sphere(5), (t) => t < 1024);
    const before = meshHealth(open).boundaryEdges;
    const locked = await simplifyMesh(open, { triangles: 1500, lockBorder: true });
    expect(meshHealth(locked.mesh).boundaryEdges).toBe(before);
    const free = await simplifyMesh(open, { triangles: 1500 });
    expect(meshHealth(free.mesh).boundaryEdges).toBeLessThan(before);
  });

  it('keeps attributes with their vertices', async () => {
    const m = sphere(4);
    const { mesh } = await simplifyMesh({ ...m, normals: m.positions.slice() }, { triangles: 300 });
    expect(mesh.normals).toEqual(mesh.positions);
  });
});
