import type { Mesh } from '../../src/core/mesh.js';
import type { Random } from '../../src/core/random.js';
import { measureTriangle } from '../../src/geometry/mesh/measure/health.js';

export interface SurfaceSamples {
  /** x, y, z per sample. */
  positions: Float32Array;
  /** The triangle of every sample. */
  triangles: Uint32Array;
}

/**
 * Points on a surface, uniform by area: triangles by stratified choice (one sample in each of `count` equal shares of
 * the area), points within a triangle by the square-root map (Osada et al. 2002). A mesh without area gives no samples.
 */
export function sampleSurface(mesh: Mesh, count: number, random: Random): SurfaceSamples {
  const { positions: p, indices } = mesh;
  const n = indices.length / 3;
  const upTo = new Float64Array(n);
  let area = 0;
  for (let t = 0; t < n; t++) {
    area += measureTriangle(p, indices[t * 3], indices[t * 3 + 1], indices[t * 3 + 2]).area;
    upTo[t] = area;
  }
  if (!(area > 0)) return { positions: new Float32Array(), triangles: new Uint32Array() };
  const positions = new Float32Array(count * 3);
  const triangles = new Uint32Array(count);
  let t = 0;
  for (let i = 0; i < count; i++) {
    const at = ((i + random.float()) / count) * area;
    while (t < n - 1 && upTo[t] <= at) t++;
    triangles[i] = t;
    const root = Math.sqrt(random.float());
    const share = random.float();
    const [a, b, c] = [indices[t * 3] * 3, indices[t * 3 + 1] * 3, indices[t * 3 + 2] * 3];
    const [wa, wb, wc] = [1 - root, root * (1 - share), root * share];
    for (let k = 0; k < 3; k++) positions[i * 3 + k] = wa * p[a + k] + wb * p[b + k] + wc * p[c + k];
  }
  return { positions, triangles };
}
