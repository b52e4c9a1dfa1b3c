import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import { buildBvh, forEachHit, triangleDistance } from '../../src/geometry/mesh/measure/bvh.js';
import { box, flip, join, sphere, torus } from '../../test/shapes.js';
import { distancesToMesh } from './distance.js';
import { scoreGeometry } from './fscore.js';
import { sampleSurface } from './sampling.js';

const points = (n: number, range: number, seed = 1): Float32Array => {
  const random = new Random(seed);
  return Float32Array.from({ length: n * 3 }, () => (random.float() * 2 - 1) * range);
};

describe('distancesToMesh', () => {
  it('agrees with the nearest of all triangles, tried one by one', async () => {
    const m = join(torus(24, 12), sphere(2, 0.2, [0, 0.5, 0]));
    const p = points(300, 1.5);
    const fast = await distancesToMesh(p, m);
    for (let i = 0; i < fast.length; i++) {
      let best = Infinity;
      for (let t = 0; t < m.indices.length / 3; t++)
        best = Math.min(best, triangleDistance(m.positions, m.indices, t, p[i * 3], p[i * 3 + 1], p[i * 3 + 2]));
      expect(fast[i]).toBeCloseTo(Math.sqrt(best), 6);
    }
  });

  it('knows the distance to a box: faces, edges and corners', async () => {
    const p = points(2000, 2.5);
    const d = await distancesToMesh(p, box());
    for (let i = 0; i < d.length; i++) {
      const q = [0, 1, 2].map((k) => Math.abs(p[i * 3 + k]) - 1);
      const inside = Math.max(...q);
      const expected = inside > 0 ? Math.hypot(...q.map((v) => Math.max(0, v))) : -inside;
      expect(d[i]).toBeCloseTo(expected, 5);
    }
  });

  it('stays within a limit, and takes an empty mesh for infinitely far', async () => {
    const p = new Float32Array([1.05, 0, 0, 9, 0, 0]);
    const d = await distancesToMesh(p, sphere(5), { limit: 0.5 });
    expect(d[0]).toBeCloseTo(0.05, 3);
    expect(d[1]).toBe(0.5);
    const empty = { positions: new Float32Array(), indices: new Uint32Array() };
    expect([...(await distancesToMesh(p, empty))]).toEqual([Infinity, Infinity]);
  });

  it('survives triangles without area', async () => {
    const m = {
      positions: new Float32Array([0, 0, 0, 1, 0, 0, 2, 0, 0]),
      indices: new Uint32Array([0, 1, 2, 0, 0, 0]),
    };
    const d = await distancesToMesh(new Float32Array([1.5, 1, 0, 3, 0, 0, -2, 0, 0]), m);
    [1, 1, 2].forEach((v, i) => {
      expect(d[i]).toBeCloseTo(v, 6);
    });
  });

  it('stops when cancelled', async () => {
    await expect(distancesToMesh(points(9, 1), sphere(1), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
  });
});

describe('forEachHit', () => {
  it('crosses a closed surface an odd number of times from inside and an even number from outside', () => {
    const m = torus();
    const bvh = buildBvh(m.positions, m.indices);
    const p = points(400, 1.4, 3);
    for (let i = 0; i < p.length; i += 3) {
      const origin = [p[i], p[i + 1], p[i + 2]];
      const fromTube = Math.hypot(Math.hypot(origin[0], origin[2]) - 1, origin[1]);
      if (Math.abs(fromTube - 0.35) < 0.01) continue;
      let hits = 0;
      forEachHit(bvh, origin, [0.36, 0.48, 0.8], () => {
        hits++;
        return true;
      });
      expect(hits % 2 === 1).toBe(fromTube < 0.35);
    }
  });
});

describe('sampleSurface', () => {
  it('lies on the surface, uniform by area, the same for the same seed', () => {
    const m = box([0, 0, 0], [1, 2, 3]);
    const s = sampleSurface(m, 22_000, new Random(7));
    expect(s).toEqual(sampleSurface(m, 22_000, new Random(7)));
    // A box of area 22: the 2 × 3 face has 6,000 of 22,000 samples, and each quarter of it 1,500.
    const face = Array.from({ length: 22_000 }, (_, i) => s.positions.subarray(i * 3, i * 3 + 3)).filter(
      (q) => q[0] === 0,
    );
    expect(Math.abs(face.length - 6000)).toBeLessThan(10);
    for (const low of [true, false])
      for (const near of [true, false]) {
        const quarter = face.filter((q) => q[1] < 1 === low && q[2] < 1.5 === near).length;
        expect(Math.abs(quarter - 1500)).toBeLessThan(120);
      }
    expect(
      sampleSurface({ positions: new Float32Array(9), indices: new Uint32Array([0, 1, 2]) }, 10, new Random(1))
        .triangles.length,
    ).toBe(0);
  });
});

describe('scoreGeometry', () => {
  const truth = sphere(5);
  const seen = sampleSurface(truth, 5000, new Random(2)).positions;

  it('gives 1 to the truth itself, whatever way its triangles face', async () => {
    for (const result of [truth, flip(truth)]) {
      const score = await scoreGeometry(result, truth, seen, { samples: 5000 });
      expect(score).toMatchObject({ precision: 1, recall: 1, fscore: 1 });
      expect(score.chamfer).toBeLessThan(1e-6);
    }
  });

  it('measures an offset: τ is 1 % of the diagonal', async () => {
    const near = await scoreGeometry(sphere(5, 1.02), truth, seen, { samples: 5000 });
    expect(near.tau).toBeCloseTo(0.01 * Math.sqrt(12), 6);
    expect(near.fscore).toBe(1);
    expect(near.accuracy).toBeCloseTo(0.02, 3);
    expect(near.completeness).toBeCloseTo(0.02, 3);
    const far = await scoreGeometry(sphere(5, 1.05), truth, seen, { samples: 5000 });
    expect(far.fscore).toBe(0);
  });

  it('tells what is too much from what is missing', async () => {
    const half = { ...truth, indices: truth.indices.filter((_, i, all) => truth.positions[all[i - (i % 3)] * 3] > 0) };
    const missing = await scoreGeometry(half, truth, seen, { samples: 5000 });
    expect(missing.precision).toBe(1);
    expect(missing.recall).toBeGreaterThan(0.48);
    expect(missing.recall).toBeLessThan(0.55);
    const extra = await scoreGeometry(join(truth, sphere(5, 1, [3, 0, 0])), truth, seen, { samples: 5000 });
    expect(extra.recall).toBe(1);
    expect(extra.precision).toBeCloseTo(0.5, 1);
    expect(extra.fscore).toBeCloseTo(2 / 3, 1);
  });
});
