import type { Batch } from '../../../gpu/runtime/batch.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';

const shader = new URL('./laplacian.wgsl', import.meta.url);
const uniforms = { count: 'u32', weight: 'f32' } as const;

const residuals = defineKernel({
  name: 'laplacian residuals',
  shader,
  entryPoint: 'residuals',
  bindings: { params: 'uniform', neighbours: 'read', positions: 'read', start: 'read', deltas: 'read_write' },
  uniforms,
});

const addGradient = defineKernel({
  name: 'laplacian gradient',
  shader,
  entryPoint: 'addGradient',
  bindings: { params: 'uniform', neighbours: 'read', deltasIn: 'read', gradient: 'read_write' },
  uniforms,
});

/** What the regulariser needs of a mesh, on the device. */
export interface Laplacian {
  count: number;
  /** u32: offsets [count + 1], then the neighbours of each position. */
  neighbours: GPUBuffer;
  /** f32 [count × 3]: positions that count as smooth. */
  start: GPUBuffer;
  deltas: GPUBuffer;
}

/** Neighbours along edges of each of `count` positions, ascending: offsets [count + 1], then the lists. */
export function neighbourLists(triangles: ArrayLike<number>, count: number): Uint32Array {
  const sets = Array.from({ length: count }, () => new Set<number>());
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const a = triangles[t + k];
      const b = triangles[t + ((k + 1) % 3)];
      if (a === b) continue;
      sets[a].add(b);
      sets[b].add(a);
    }
  }
  const out = new Uint32Array(count + 1 + sets.reduce((sum, s) => sum + s.size, 0));
  let at = 0;
  sets.forEach((set, i) => {
    out.set(Uint32Array.from(set).sort(), count + 1 + at);
    at += set.size;
    out[i + 1] = at;
  });
  return out;
}

/**
 * @param triangles position indices, three per triangle
 * @param start f32 [P × 3]: the displacement from these positions is what is kept smooth
 */
export function createLaplacian(gpu: Gpu, triangles: ArrayLike<number>, start: Float32Array): Laplacian {
  const count = start.length / 3;
  return {
    count,
    neighbours: gpu.upload(neighbourLists(triangles, count), 'neighbours'),
    start: gpu.upload(start, 'start positions'),
    deltas: gpu.createBuffer(count * 16, 'laplacian'),
  };
}

export function destroyLaplacian(laplacian: Laplacian): void {
  for (const buffer of [laplacian.neighbours, laplacian.start, laplacian.deltas]) buffer.destroy();
}

/**
 * Records the gradient of `weight / 2 · Σ |δᵢ|²` to positions, added to `gradient` (f32 [P × 3]). δ is the uniform
 * Laplacian of the displacement d = position − start: δᵢ = dᵢ − mean of d over the neighbours (0 where there are none).
 * So the form that the mesh starts with costs nothing, and what is added to it is kept smooth.
 */
export function recordLaplacian(
  batch: Batch,
  laplacian: Laplacian,
  positions: GPUBuffer,
  gradient: GPUBuffer,
  weight: number,
): void {
  const { count, neighbours, start, deltas } = laplacian;
  residuals.dispatch(batch, { neighbours, positions, start, deltas }, { count, weight }, linear(count, 64));
  addGradient.dispatch(batch, { neighbours, deltasIn: deltas, gradient }, { count, weight }, linear(count, 64));
}
