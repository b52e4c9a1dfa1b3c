import type { Gpu } from '../../../gpu/runtime/gpu.js';

/** Colours of a palette on the device, at most. */
export const MAX_COLORS = 8;
/** Workgroups of 64 threads that sum over the texels. */
export const CLUSTER_GROUPS = 64;
/** Numbers of `Clusters.buffer` that outlast a step: colours, means, moments and shifts. */
export const CLUSTER_FLOATS = MAX_COLORS * 16;

/**
 * The few colours that a surface is mostly made of, with roughness and metallic that go with them, on the device: see
 * `palette.wgsl`.
 */
export interface Clusters {
  buffer: GPUBuffer;
  count: number;
}

/** @param colors linear, three numbers each; what is beyond the eighth is left out */
export function createClusters(gpu: Gpu, colors: ArrayLike<number>): Clusters {
  const count = Math.min(MAX_COLORS, colors.length / 3);
  const buffer = gpu.createBuffer(CLUSTER_FLOATS * 4 + MAX_COLORS * 2 * CLUSTER_GROUPS * 64 * 16, 'clusters');
  const first = Float32Array.from({ length: MAX_COLORS * 4 }, (_, i) =>
    i % 4 < 3 ? (colors[(i >> 2) * 3 + (i % 4)] ?? 0) : 0,
  );
  gpu.write(buffer, first);
  return { buffer, count };
}
