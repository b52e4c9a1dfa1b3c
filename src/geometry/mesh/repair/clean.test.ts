import { describe, expect, it } from 'vitest';
import { box, flip, join, sphere, torus, without } from '../../../../test/shapes.js';
import { meshHealth } from '../measure/health.js';
import { fillHoles } from './fillHoles.js';
import { removeInnerShells } from './innerShells.js';
import { removeSpecks } from './specks.js';

describe('removeSpecks', () => {
  it('removes small parts and leaves no unused vertices', () => {
    const { mesh, removed } = removeSpecks(join(sphere(3), sphere(1, 0.005, [2, 0, 0]), sphere(1, 0.2, [3, 0, 0])));
    expect(removed).toBe(1);
    expect(meshHealth(mesh)).toMatchObject({ components: 2 });
    expect(mesh.positions.length / 3).toBe(meshHealth(mesh).vertices);
  });

  it('keeps thin but long parts even where area and volume call them small', () => {
    const wire = box([2, 0, 0], [2.001, 1, 0.001]);
    const crumb = box([3, 0, 0], [3.05, 0.05, 0.05]);
    const { mesh, removed } = removeSpecks(join(sphere(3), wire, crumb), { minimumArea: 0.01, minimumVolume: 0.01 });
    expect(removed).toBe(1);
    expect(meshHealth(mesh).bounds.max[0]).toBeCloseTo(2.001, 5);
  });

  it('never removes the largest part, and returns a mesh without specks as it is', () => {
    const m = sphere(1);
    expect(removeSpecks(m, { minimumExtent: 1 }).mesh).toBe(m);
    const two = join(sphere(2), sphere(2, 0.5, [3, 0, 0]));
    expect(meshHealth(removeSpecks(two, { minimumExtent: 1 }).mesh)).toMatchObject({ components: 1, triangles: 128 });
  });
});

describe('removeInnerShells', () => {
  it('removes what lies inside and leaves what lies beside, even within the bounding box', () => {
    const { mesh, removed } = removeInnerShells(
      join(torus(), sphere(2, 0.3), torus(24, 12, 1, 0.1), flip(sphere(1, 0.05, [1, 0, 0]))),
    );
    expect(removed).toBe(2);
    expect(meshHealth(mesh)).toMatchObject({ components: 2, innerShells: 0 });
  });

  it('takes no open part for a container', () => {
    const m = join(
      without(sphere(3), (t) => t === 0),
      sphere(1, 0.2),
    );
    expect(removeInnerShells(m)).toEqual({ mesh: m, removed: 0 });
  });
});

describe('fillHoles', () => {
  it('closes holes of any number of edges with outward triangles', () => {
    for (const hole of [1, 2, 16, 200, 600]) {
      const open = without(sphere(4), (t) => t < hole);
      const { mesh, filled } = fillHoles(open);
      expect(filled).toBeGreaterThan(0);
      expect(meshHealth(mesh)).toMatchObject({ watertight: true, nonManifoldEdges: 0, inwardTriangles: 0 });
    }
  });

  it('closes a flat hole with the flat patch', () => {
    const open = without(box([0, 0, 0], [1, 2, 3]), (t) => t < 2);
    expect(meshHealth(fillHoles(open).mesh)).toMatchObject({ area: 22, volume: 6, watertight: true });
  });

  it('puts a vertex at the centre of a very long rim', () => {
    const open = torus(700, 6);
    const cut = without(open, (t) => t % 12 < 2);
    const { mesh, filled } = fillHoles(cut);
    expect(filled).toBe(2);
    expect(mesh.positions.length).toBe(cut.positions.length + 6);
    expect(meshHealth(mesh)).toMatchObject({ watertight: true, boundaryEdges: 0 });
  });

  it('leaves holes larger than asked for', () => {
    const open = without(sphere(4), (t) => t === 5 || (t >= 256 && t < 320));
    const before = meshHealth(open).boundaryEdges;
    const { mesh, filled } = fillHoles(open, { maxEdges: 3 });
    expect(filled).toBe(1);
    expect(meshHealth(mesh).boundaryEdges).toBe(before - 3);
  });

  it('closes rims that touch at a vertex one by one', () => {
    const m = sphere(3);
    const v = m.indices[0];
    const corners = (t: number) => [...m.indices.subarray(t * 3, t * 3 + 3)];
    const fan = Array.from({ length: m.indices.length / 3 }, (_, t) => t).filter((t) => corners(t).includes(v));
    const opposite = fan.find((t) => corners(t).filter((w) => corners(fan[0]).includes(w)).length === 1)!;
    const open = without(m, (t) => t === fan[0] || t === opposite);
    expect(meshHealth(open).nonManifoldVertices).toBe(1);
    const { mesh, filled } = fillHoles(open);
    expect(filled).toBe(2);
    expect(meshHealth(mesh)).toMatchObject({ watertight: true, nonManifoldVertices: 0 });
  });
});
