import type { Mesh } from '../../core/mesh.js';
import { pause } from '../../core/pause.js';

/**
 * What lies under each texel of a texture: for texels whose centre is inside a chart, the triangle and the weights of
 * its corners.
 */
export interface TexelMap {
  width: number;
  height: number;
  /** Triangle + 1; 0 = outside of all charts. */
  triangle: Uint32Array;
  /** Weights of the first two corners, two per texel. */
  weights: Float32Array;
}

const TRIANGLES_PER_TURN = 20_000;

/** Draws the mesh in texture space. Texture coordinates must lie in 0…1. */
export async function mapTexels(mesh: Mesh, width: number, height: number, signal?: AbortSignal): Promise<TexelMap> {
  const uvs = mesh.uvs;
  if (!uvs) throw new RangeError('a mesh without texture coordinates');
  const { indices } = mesh;
  const triangle = new Uint32Array(width * height);
  const weights = new Float32Array(width * height * 2);
  for (let t = 0; t < indices.length / 3; t++) {
    if (t % TRIANGLES_PER_TURN === 0) {
      await pause(signal);
    }
    const [ax, ay, bx, by, cx, cy] = [0, 1, 2].flatMap((k) => {
      const v = indices[t * 3 + k] * 2;
      return [uvs[v] * width, uvs[v + 1] * height];
    });
    const area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
    if (area === 0) continue;
    const x0 = Math.max(0, Math.ceil(Math.min(ax, bx, cx) - 0.5));
    const x1 = Math.min(width - 1, Math.floor(Math.max(ax, bx, cx) - 0.5));
    const y0 = Math.max(0, Math.ceil(Math.min(ay, by, cy) - 0.5));
    const y1 = Math.min(height - 1, Math.floor(Math.max(ay, by, cy) - 0.5));
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        const px = x + 0.5;
        const py = y + 0.5;
        const a = ((bx - px) * (cy - py) - (cx - px) * (by - py)) / area;
        const b = ((cx - px) * (ay - py) - (ax - px) * (cy - py)) / area;
        if (a < 0 || b < 0 || a + b > 1) continue;
        const i = y * width + x;
        triangle[i] = t + 1;
        weights[i * 2] = a;
        weights[i * 2 + 1] = b;
      }
    }
  }
  return { width, height, triangle, weights };
}

/** An attribute of vertices (`size` numbers each) at a texel inside a chart. */
export function atTexel(
  map: TexelMap,
  mesh: Mesh,
  attribute: Float32Array,
  size: number,
  texel: number,
  out: Float64Array,
): void {
  const t = (map.triangle[texel] - 1) * 3;
  const a = map.weights[texel * 2];
  const b = map.weights[texel * 2 + 1];
  const c = 1 - a - b;
  const [i, j, k] = [mesh.indices[t] * size, mesh.indices[t + 1] * size, mesh.indices[t + 2] * size];
  for (let n = 0; n < size; n++) out[n] = a * attribute[i + n] + b * attribute[j + n] + c * attribute[k + n];
}
