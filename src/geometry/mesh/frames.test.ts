import { describe, expect, it } from 'vitest';
import { box, sphere, torus } from '../../../test/shapes.js';
import type { Mesh } from '../../core/mesh.js';
import { runInThread } from '../../platform/runInThread.js';
import { computeNormals } from './normals.js';
import { computeTangents } from './tangents.js';
import { unwrapMesh } from './unwrap/unwrap.js';

describe('computeNormals', () => {
  it('is radial on a sphere and diagonal at the corners of a box, however its faces are cut', () => {
    const m = sphere(4);
    const n = computeNormals(m);
    for (let i = 0; i < n.length; i += 3)
      expect(n[i] * m.positions[i] + n[i + 1] * m.positions[i + 1] + n[i + 2] * m.positions[i + 2]).toBeGreaterThan(
        0.9995,
      );
    const b = box();
    computeNormals(b).forEach((v, i) => {
      expect(v).toBeCloseTo(b.positions[i] / Math.sqrt(3), 6);
    });
  });

  it('is the same on both sides of a seam, and up where there is nothing to go by', () => {
    const m = box();
    const split = {
      positions: Float32Array.from([...m.indices].flatMap((i) => [...m.positions.subarray(i * 3, i * 3 + 3)])),
      indices: Uint32Array.from(m.indices.keys()),
    };
    const [whole, seamed] = [computeNormals(m), computeNormals(split)];
    for (const [h, i] of m.indices.entries())
      expect(seamed.subarray(h * 3, h * 3 + 3)).toEqual(whole.subarray(i * 3, i * 3 + 3));
    expect([...computeNormals({ positions: new Float32Array(3), indices: new Uint32Array() })]).toEqual([0, 1, 0]);
  });
});

describe('computeTangents', () => {
  /**
   * Every triangle's corner tangents must run along increasing u, and w · (n × t) along increasing upward v (glTF's v
   * runs down).
   */
  const check = (mesh: Mesh) => {
    const { positions: p, normals: n, uvs: uv, tangents, indices } = mesh;
    for (let h = 0; h < indices.length; h++) {
      const t = h - (h % 3);
      const [a, b, c] = [indices[t], indices[t + 1], indices[t + 2]];
      const e = [b, c].map((v) => [0, 1, 2].map((k) => p[v * 3 + k] - p[a * 3 + k]));
      const d = [b, c].map((v) => [uv![v * 2] - uv![a * 2], uv![v * 2 + 1] - uv![a * 2 + 1]]);
      const det = d[0][0] * d[1][1] - d[1][0] * d[0][1];
      const du = [0, 1, 2].map((k) => (e[0][k] * d[1][1] - e[1][k] * d[0][1]) / det);
      const dv = [0, 1, 2].map((k) => (e[1][k] * d[0][0] - e[0][k] * d[1][0]) / det);
      const v = indices[h];
      const tangent = tangents!.subarray(v * 4, v * 4 + 4);
      const normal = n!.subarray(v * 3, v * 3 + 3);
      const dot = (x: ArrayLike<number>, y: ArrayLike<number>) => x[0] * y[0] + x[1] * y[1] + x[2] * y[2];
      expect(Math.abs(tangent[3])).toBe(1);
      expect(dot(tangent, tangent)).toBeCloseTo(1, 5);
      expect(dot(tangent, normal)).toBeCloseTo(0, 5);
      expect(dot(tangent, du) / Math.hypot(...du)).toBeGreaterThan(0.8);
      const bitangent = [0, 1, 2].map(
        (k) => tangent[3] * (normal[(k + 1) % 3] * tangent[(k + 2) % 3] - normal[(k + 2) % 3] * tangent[(k + 1) % 3]),
      );
      expect(dot(bitangent, dv) / Math.hypot(...dv)).toBeLessThan(-0.8);
    }
  };

  it('runs along the texture on an unwrapped torus', async () => {
    const { mesh } = await unwrapMesh(torus(32, 16), { textureSize: 256 }, { runInThread });
    check(await computeTangents({ ...mesh, normals: computeNormals(mesh) }));
  });

  it('splits vertices between a chart and its mirror image', async () => {
    const strip: Mesh = {
      positions: new Float32Array([-1, 0, 0, -1, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0]),
      indices: new Uint32Array([0, 2, 1, 1, 2, 3, 2, 4, 3, 3, 4, 5]),
      normals: new Float32Array([0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1]),
      uvs: new Float32Array([1, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1, 0]),
    };
    const mesh = await computeTangents(strip);
    check(mesh);
    expect(mesh.positions.length / 3).toBe(8);
  });

  it('gives some direction where the texture has no area', async () => {
    const m = sphere(1);
    const mesh = await computeTangents({
      ...m,
      normals: computeNormals(m),
      uvs: new Float32Array((m.positions.length / 3) * 2),
    });
    for (let v = 0; v < mesh.positions.length / 3; v++)
      expect(Math.hypot(...mesh.tangents!.subarray(v * 4, v * 4 + 3))).toBeCloseTo(1, 5);
  });
});
