import { describe, expect, it } from 'vitest';
import { join, sphere, torus, voxels } from '../../../../test/shapes.js';
import type { Mesh } from '../../../core/mesh.js';
import { Random } from '../../../core/random.js';
import { runInThread } from '../../../platform/runInThread.js';
import { measureTriangle, meshHealth } from '../measure/health.js';
import { type UnwrapResult, unwrapMesh } from './unwrap.js';

/**
 * The chart at every texel centre, −1 = none, and how many texels more than one triangle claims by more than rounding.
 */
function rasteriseUvs({ mesh, chart }: UnwrapResult, size: number): { owner: Int32Array; overlaps: number } {
  const owner = new Int32Array(size * size).fill(-1);
  let overlaps = 0;
  const uv = mesh.uvs!;
  for (let t = 0; t < chart.length; t++) {
    const p = [0, 1, 2].map((k) => {
      const v = mesh.indices[t * 3 + k];
      return [uv[v * 2] * size, uv[v * 2 + 1] * size];
    });
    const [xs, ys] = [p.map((q) => q[0]), p.map((q) => q[1])];
    const area = (p[1][0] - p[0][0]) * (p[2][1] - p[0][1]) - (p[2][0] - p[0][0]) * (p[1][1] - p[0][1]);
    if (area === 0) continue;
    for (let y = Math.max(0, Math.floor(Math.min(...ys))); y <= Math.max(...ys) && y < size; y++)
      for (let x = Math.max(0, Math.floor(Math.min(...xs))); x <= Math.max(...xs) && x < size; x++) {
        const weights = [0, 1, 2].map((k) => {
          const [a, b] = [p[(k + 1) % 3], p[(k + 2) % 3]];
          return ((b[0] - a[0]) * (y + 0.5 - a[1]) - (b[1] - a[1]) * (x + 0.5 - a[0])) / area;
        });
        if (Math.min(...weights) < 1e-4) continue;
        if (owner[y * size + x] >= 0) overlaps++;
        owner[y * size + x] = chart[t];
      }
  }
  return { owner, overlaps };
}

/** Whether two texels of different charts lie closer than `distance`. */
function closest(owner: Int32Array, size: number, distance: number): boolean {
  const reach = Math.ceil(distance);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const c = owner[y * size + x];
      if (c < 0) continue;
      for (let dy = 0; dy <= reach; dy++)
        for (let dx = -reach; dx <= reach; dx++) {
          if (dx * dx + dy * dy >= distance * distance || y + dy >= size || x + dx < 0 || x + dx >= size) continue;
          const o = owner[(y + dy) * size + x + dx];
          if (o >= 0 && o !== c) return true;
        }
    }
  return false;
}

const rough = (mesh: Mesh, amplitude: number): Mesh => {
  const random = new Random(3);
  return { ...mesh, positions: mesh.positions.map((v) => v + random.normal() * amplitude) };
};

const cases: [string, Mesh][] = [
  ['a sphere', sphere(4)],
  ['a torus', torus(48, 24)],
  ['a rough sphere', rough(sphere(4), 0.01)],
  ['stair-steps', voxels(12, (x, y, z) => x * x + y * y + z * z < 0.8)],
  ['several parts', join(torus(32, 16), sphere(2, 0.3), sphere(1, 0.02, [2, 0, 0]))],
];

describe('unwrapMesh', () => {
  it.each(cases)('unwraps %s without overlaps, with padding, keeping the surface', async (_, mesh) => {
    const [size, padding] = [256, 3];
    const result = await unwrapMesh(mesh, { textureSize: size, padding }, { runInThread });
    const { owner, overlaps } = rasteriseUvs(result, size);
    expect(overlaps).toBe(0);
    expect(closest(owner, size, padding)).toBe(false);
    expect(result.mesh.uvs!.every((c) => c >= 0 && c <= 1)).toBe(true);
    const covered = owner.reduce((sum, c) => sum + (c >= 0 ? 1 : 0), 0) / size ** 2;
    expect(covered).toBeGreaterThan(0.4);
    expect(Math.abs(covered - result.utilisation)).toBeLessThan(0.02);
    expect(new Set(result.chart).size).toBe(result.charts);

    const [before, after] = [meshHealth(mesh), meshHealth(result.mesh)];
    expect(after).toEqual({
      ...before,
      area: expect.closeTo(before.area, 4),
      volume: expect.closeTo(before.volume, 4),
    });
  });

  it('gives every chart texels in proportion to its surface', async () => {
    const { mesh, chart, charts } = await unwrapMesh(torus(64, 32), { textureSize: 512 }, { runInThread });
    const uv = new Float64Array(charts);
    const surface = new Float64Array(charts);
    for (let t = 0; t < chart.length; t++) {
      const [i, j, k] = mesh.indices.subarray(t * 3, t * 3 + 3);
      const q = [i, j, k].map((v) => [mesh.uvs![v * 2], mesh.uvs![v * 2 + 1]]);
      uv[chart[t]] +=
        Math.abs((q[1][0] - q[0][0]) * (q[2][1] - q[0][1]) - (q[2][0] - q[0][0]) * (q[1][1] - q[0][1])) / 2;
      surface[chart[t]] += measureTriangle(mesh.positions, i, j, k).area;
    }
    const ratios = uv.map((a, c) => a / surface[c]);
    expect(Math.max(...ratios) / Math.min(...ratios)).toBeLessThan(1.01);
  });

  it('repeats attributes along seams', async () => {
    const m = sphere(3);
    const { mesh } = await unwrapMesh({ ...m, normals: m.positions.slice() }, { textureSize: 256 }, { runInThread });
    expect(mesh.positions.length).toBeGreaterThan(m.positions.length);
    expect(mesh.normals).toEqual(mesh.positions);
  });

  it('gives the same result twice', async () => {
    const m = rough(torus(40, 20), 0.005);
    const options = { textureSize: 512 };
    expect(await unwrapMesh(m, options, { runInThread })).toEqual(await unwrapMesh(m, options, { runInThread }));
  });

  it('keeps triangles without area, outside of all charts', async () => {
    const m = sphere(2);
    const indices = Uint32Array.from([...m.indices, m.indices[0], m.indices[1], m.indices[1]]);
    const { mesh, chart } = await unwrapMesh(
      { positions: m.positions, indices },
      { textureSize: 256 },
      { runInThread },
    );
    expect(mesh.indices.length).toBe(indices.length);
    expect(chart.filter((c) => c < 0).length).toBe(1);
  });

  it('stops when cancelled, and reports progress that only rises', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const work = unwrapMesh(
      sphere(5),
      {},
      {
        runInThread,
        signal: controller.signal,
        progress: (f) => {
          seen.push(f);
          if (f > 0.05) controller.abort();
        },
      },
    );
    await expect(work).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(seen.length).toBeGreaterThan(0);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
    await expect(unwrapMesh(sphere(1), {}, { runInThread, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
  });

  it('refuses a mesh without area', async () => {
    const nothing = { positions: new Float32Array(9), indices: new Uint32Array([0, 1, 2]) };
    await expect(unwrapMesh(nothing, {}, { runInThread })).rejects.toMatchObject({ code: 'SURFACE_EMPTY' });
  });
});
