import type { Mesh } from '../../../core/mesh.js';
import { assignDefaults } from '../../../core/options.js';
import { buildEdges } from '../edges.js';
import { weldMap } from '../weld.js';

export interface SmoothOptions {
  /** Pairs of a shrinking and a growing step. 0…, default 10. */
  iterations?: number;
  /** Share of the way to the neighbours' mean in a shrinking step. 0…1, default 0.5. */
  lambda?: number;
  /**
   * Frequency that is neither smoothed nor amplified, in Taubin's scale of 0…2: undulations below it stay. Default 0.1,
   * which gives the growing step μ = 1 / (0.1 − 1/λ) = −0.526.
   */
  passBand?: number;
  /** Open rims: `curve` smooths them along themselves only, `fixed` leaves them. Default `curve`. */
  boundary?: 'curve' | 'fixed';
  /** How far each vertex takes part, 0 = stays … 1. Default all 1. */
  weights?: Float32Array;
  /** Told after every pair of steps: 0…1. */
  progress?: (fraction: number) => void;
}

export const SMOOTH_DEFAULTS = { iterations: 10, lambda: 0.5, passBand: 0.1, boundary: 'curve' } as const;

/**
 * Taubin's λ|μ smoothing (SIGGRAPH 1995): a low-pass filter over the mesh that removes stair-steps and noise without
 * shrinking it. What lies in the pass band grows a little instead (a sphere by 2 % in 50 iterations), so closed meshes
 * are brought back to their volume by an even offset along the normals.
 * Vertices at one place move as one, so that texture seams stay closed. Normals and tangents are dropped, as they no
 * longer fit.
 */
export function smoothMesh(mesh: Mesh, options: SmoothOptions = {}): Mesh {
  const { iterations, lambda, passBand, boundary, weights } = assignDefaults(SMOOTH_DEFAULTS, options);
  const n = mesh.positions.length / 3;
  const map = weldMap(mesh.positions);
  const indices = mesh.indices.map((i) => map[i]);
  const edges = buildEdges(indices, n);
  const onRim = new Uint8Array(n);
  const rim = (e: number) => edges.start[e + 1] - edges.start[e] === 1;
  for (let e = 0; e < edges.count; e++) if (rim(e)) for (let k = 0; k < 2; k++) onRim[edges.vertices[e * 2 + k]] = 1;

  const move = new Float32Array(n);
  for (let v = 0; v < n; v++) move[v] = onRim[v] && boundary === 'fixed' ? 0 : (weights?.[v] ?? 1);
  let p = Float64Array.from(mesh.positions);
  let next = new Float64Array(p.length);
  const count = new Uint32Array(n);
  const step = (factor: number) => {
    next.fill(0);
    count.fill(0);
    for (let e = 0; e < edges.count; e++) {
      const a = edges.vertices[e * 2];
      const b = edges.vertices[e * 2 + 1];
      // A vertex on the rim listens to the rim alone.
      if (!onRim[a] || rim(e)) {
        count[a]++;
        for (let k = 0; k < 3; k++) next[a * 3 + k] += p[b * 3 + k];
      }
      if (!onRim[b] || rim(e)) {
        count[b]++;
        for (let k = 0; k < 3; k++) next[b * 3 + k] += p[a * 3 + k];
      }
    }
    for (let v = 0; v < n; v++) {
      const f = count[v] > 0 ? factor * move[v] : 0;
      for (let k = 0; k < 3; k++) {
        const x = p[v * 3 + k];
        next[v * 3 + k] = f === 0 ? x : x + f * (next[v * 3 + k] / count[v] - x);
      }
    }
    [p, next] = [next, p];
  };
  const mu = 1 / (passBand - 1 / lambda);
  for (let i = 0; i < iterations; i++) {
    step(lambda);
    step(mu);
    options.progress?.((i + 1) / iterations);
  }
  const closed = indices.length > 0 && !onRim.includes(1);
  if (closed) restoreVolume(mesh.positions, p, indices, move);
  const positions = new Float32Array(p.length);
  for (let v = 0; v < n; v++) for (let k = 0; k < 3; k++) positions[v * 3 + k] = p[map[v] * 3 + k];
  const { normals: _, tangents: __, ...rest } = mesh;
  return { ...rest, positions };
}

/**
 * Moves vertices along their normals by one distance, scaled by `move`, so that the volume is that of `before` again.
 */
function restoreVolume(before: Float32Array, after: Float64Array, indices: Uint32Array, move: Float32Array): void {
  const normals = new Float64Array(after.length);
  let lost = 0;
  for (let t = 0; t < indices.length; t += 3) {
    lost += sixVolumes(before, indices, t) - sixVolumes(after, indices, t);
    const [a, b, c] = [indices[t] * 3, indices[t + 1] * 3, indices[t + 2] * 3];
    const u = [after[b] - after[a], after[b + 1] - after[a + 1], after[b + 2] - after[a + 2]];
    const v = [after[c] - after[a], after[c + 1] - after[a + 1], after[c + 2] - after[a + 2]];
    const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    for (let corner = 0; corner < 3; corner++) for (let k = 0; k < 3; k++) normals[indices[t + corner] * 3 + k] += n[k];
  }
  // The volume changes with a vertex's way by a sixth of the sum of its triangles' normals of doubled area.
  let rate = 0;
  for (let v = 0; v < move.length; v++)
    rate += move[v] * Math.hypot(normals[v * 3], normals[v * 3 + 1], normals[v * 3 + 2]);
  if (!(rate > 0)) return;
  const distance = lost / rate;
  for (let v = 0; v < move.length; v++) {
    const length = Math.hypot(normals[v * 3], normals[v * 3 + 1], normals[v * 3 + 2]);
    if (length > 0) for (let k = 0; k < 3; k++) after[v * 3 + k] += (distance * move[v] * normals[v * 3 + k]) / length;
  }
}

function sixVolumes(p: Float32Array | Float64Array, indices: Uint32Array, t: number): number {
  const [a, b, c] = [indices[t] * 3, indices[t + 1] * 3, indices[t + 2] * 3];
  return (
    p[a] * (p[b + 1] * p[c + 2] - p[b + 2] * p[c + 1]) +
    p[a + 1] * (p[b + 2] * p[c] - p[b] * p[c + 2]) +
    p[a + 2] * (p[b] * p[c + 1] - p[b + 1] * p[c])
  );
}
