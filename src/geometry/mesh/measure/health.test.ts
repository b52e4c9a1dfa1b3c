import { describe, expect, it } from 'vitest';
import { box, flip, join, sphere, torus, voxels, without } from '../../../../test/shapes.js';
import { meshHealth } from './health.js';

describe('meshHealth', () => {
  it('finds nothing wrong with a closed box and measures it', () => {
    expect(meshHealth(box([0, 0, 0], [1, 2, 3]))).toEqual({
      triangles: 12,
      vertices: 8,
      components: 1,
      boundaryEdges: 0,
      nonManifoldEdges: 0,
      nonManifoldVertices: 0,
      watertight: true,
      eulerCharacteristic: 2,
      genus: 0,
      inwardTriangles: 0,
      degenerateTriangles: 0,
      innerShells: 0,
      area: 22,
      volume: 6,
      bounds: { min: [0, 0, 0], max: [1, 2, 3] },
    });
  });

  it('tells a torus from a sphere by its genus', () => {
    expect(meshHealth(torus())).toMatchObject({
      watertight: true,
      eulerCharacteristic: 0,
      genus: 1,
      inwardTriangles: 0,
    });
    const both = meshHealth(join(torus(), sphere(2, 0.2, [3, 0, 0])));
    expect(both).toMatchObject({ components: 2, genus: 1, innerShells: 0 });
  });

  it('takes vertices split along texture seams for one', () => {
    const m = box();
    const split = {
      positions: Float32Array.from([...m.indices].flatMap((i) => [...m.positions.subarray(i * 3, i * 3 + 3)])),
      indices: Uint32Array.from({ length: 36 }, (_, i) => i),
    };
    expect(meshHealth(split)).toMatchObject({ vertices: 8, components: 1, watertight: true });
  });

  it('counts the rim of a hole', () => {
    const open = meshHealth(without(sphere(3), (t) => t === 7));
    expect(open).toMatchObject({ boundaryEdges: 3, watertight: false, genus: null, inwardTriangles: 0 });
  });

  it('counts edges with three triangles and vertices where two fans meet', () => {
    const fin = {
      positions: new Float32Array([0, 0, 0, 0, 0, 1, 1, 0, 0, -1, 0, 0, 0, 1, 0]),
      indices: new Uint32Array([0, 1, 2, 1, 0, 3, 0, 1, 4]),
    };
    expect(meshHealth(fin)).toMatchObject({ nonManifoldEdges: 1, nonManifoldVertices: 2, components: 1 });
    const kissing = meshHealth(join(box([0, 0, 0], [1, 1, 1]), box([1, 1, 1], [2, 2, 2])));
    expect(kissing).toMatchObject({ nonManifoldVertices: 1, watertight: true, genus: null, components: 2 });
  });

  it('counts every triangle of a component that is inside out', () => {
    const m = join(sphere(2), flip(sphere(1, 0.5, [4, 0, 0])));
    expect(meshHealth(m).inwardTriangles).toBe(32);
  });

  it('counts single turned triangles in an otherwise sound surface', () => {
    for (const surface of [sphere(3), torus()]) {
      const turned = new Set([5, 100, 101, 333]);
      const h = meshHealth(flip(surface, (t) => turned.has(t)));
      expect(h).toMatchObject({ inwardTriangles: 4, watertight: false });
    }
  });

  it('judges an open surface that is inside out by its rays', () => {
    const bowl = without(sphere(3), (t) => t < 64);
    expect(meshHealth(bowl).inwardTriangles).toBe(0);
    expect(meshHealth(flip(bowl)).inwardTriangles).toBe(bowl.indices.length / 3);
  });

  it('finds shells inside others, and takes a cavity for what it is', () => {
    const cavity = meshHealth(join(sphere(3), flip(sphere(2, 0.5)), sphere(2, 0.2)));
    expect(cavity).toMatchObject({ components: 3, innerShells: 2, inwardTriangles: 0 });
    expect(meshHealth(join(torus(), sphere(2, 0.3))).innerShells).toBe(0);
  });

  it('takes a cavity for what it is even where edges of four triangles or holes spoil its surface', () => {
    // Two cubes of void that touch along an edge, within a solid.
    const hollow = voxels(6, (x, y, z) => !(x < 0 === y < 0 && Math.max(Math.abs(x), Math.abs(y), Math.abs(z)) < 0.5));
    expect(meshHealth(hollow)).toMatchObject({
      components: 2,
      nonManifoldEdges: 2,
      innerShells: 1,
      inwardTriangles: 0,
    });
    expect(meshHealth(flip(hollow)).inwardTriangles).toBeGreaterThan(400);
    const torn = join(
      sphere(3),
      without(flip(sphere(3, 0.6)), (t) => t < 8),
    );
    expect(meshHealth(torn)).toMatchObject({ inwardTriangles: 0 });
  });

  it('counts triangles without area', () => {
    const m = box();
    const needle = {
      positions: Float32Array.from([...m.positions, 0, 5, 0, 1, 5, 0, 0.5, 5, 0]),
      indices: Uint32Array.from([...m.indices, 8, 9, 10, 0, 0, 1]),
    };
    expect(meshHealth(needle)).toMatchObject({ degenerateTriangles: 2, triangles: 14 });
  });

  it('accepts an empty mesh', () => {
    const h = meshHealth({ positions: new Float32Array(), indices: new Uint32Array() });
    expect(h).toMatchObject({
      triangles: 0,
      components: 0,
      watertight: false,
      bounds: { min: [0, 0, 0], max: [0, 0, 0] },
    });
  });
});
