import { describe, expect, it } from 'vitest';
import { sphere, voxels, without } from '../../../../test/shapes.js';
import type { Mesh } from '../../../core/mesh.js';
import { Random } from '../../../core/random.js';
import { meshHealth } from '../measure/health.js';
import { smoothMesh } from './smooth.js';

/** Root mean square deviation of the triangles' normals from the radial direction, in degrees. */
function roughness({ positions: p, indices }: Mesh): number {
  let sum = 0;
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => p.subarray(indices[t + k] * 3, indices[t + k] * 3 + 3));
    const u = [0, 1, 2].map((k) => b[k] - a[k]);
    const v = [0, 1, 2].map((k) => c[k] - a[k]);
    const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    const m = [0, 1, 2].map((k) => a[k] + b[k] + c[k]);
    const cosine = (n[0] * m[0] + n[1] * m[1] + n[2] * m[2]) / (Math.hypot(...n) * Math.hypot(...m));
    sum += Math.acos(Math.min(1, Math.max(-1, cosine))) ** 2;
  }
  return (Math.sqrt(sum / (indices.length / 3)) * 180) / Math.PI;
}

describe('smoothMesh', () => {
  it('keeps the volume and the size of a sphere, however long it smooths', () => {
    const m = sphere(4);
    for (const iterations of [1, 10, 100]) {
      const { volume, bounds } = meshHealth(smoothMesh(m, { iterations }));
      expect(Math.abs(volume / meshHealth(m).volume - 1)).toBeLessThan(0.001);
      for (const v of bounds.max) expect(Math.abs(v - 1)).toBeLessThan(0.01);
    }
  });

  it('removes stair-steps without moving the surface', () => {
    const steps = voxels(24, (x, y, z) => x * x + y * y + z * z < 0.64);
    const smooth = smoothMesh(steps, { iterations: 30 });
    expect(roughness(steps)).toBeGreaterThan(35);
    expect(roughness(smooth)).toBeLessThan(8);
    const [before, after] = [meshHealth(steps), meshHealth(smooth)];
    expect(Math.abs(after.volume / before.volume - 1)).toBeLessThan(0.01);
    expect(after).toMatchObject({ watertight: true, inwardTriangles: 0, triangles: before.triangles });
  });

  it('removes noise', () => {
    const random = new Random(1);
    const m = sphere(4);
    const noisy = { ...m, positions: m.positions.map((v) => v + 0.01 * random.normal()) };
    expect(roughness(smoothMesh(noisy))).toBeLessThan(roughness(noisy) / 3);
  });

  it('smooths open rims along themselves, or leaves them', () => {
    const open = without(sphere(4), (t) => t < 256);
    const rim = meshHealth(open).boundaryEdges;
    expect(meshHealth(smoothMesh(open)).boundaryEdges).toBe(rim);
    const fixed = smoothMesh(open, { boundary: 'fixed' });
    const edge = Array.from({ length: open.positions.length / 3 }, (_, v) => v).filter((v) =>
      [0, 1, 2].every((k) => fixed.positions[v * 3 + k] === open.positions[v * 3 + k]),
    );
    expect(edge.length).toBeGreaterThanOrEqual(rim);
  });

  it('moves vertices by their weights', () => {
    const m = voxels(8, (x, y, z) => x * x + y * y + z * z < 0.8);
    const weights = Float32Array.from({ length: m.positions.length / 3 }, (_, v) => (m.positions[v * 3] > 0 ? 0 : 1));
    const { positions } = smoothMesh(m, { weights });
    for (let v = 0; v < weights.length; v++)
      if (weights[v] === 0)
        expect(positions.subarray(v * 3, v * 3 + 3)).toEqual(m.positions.subarray(v * 3, v * 3 + 3));
    expect(positions).not.toEqual(m.positions);
  });

  it('keeps seams closed: vertices at one place move as one', () => {
    const m = voxels(8, (x, y, z) => x * x + y * y + z * z < 0.8);
    const split = {
      positions: Float32Array.from([...m.indices].flatMap((i) => [...m.positions.subarray(i * 3, i * 3 + 3)])),
      indices: Uint32Array.from(m.indices.keys()),
    };
    expect(meshHealth(smoothMesh(split))).toEqual(meshHealth(smoothMesh(m)));
  });
});
