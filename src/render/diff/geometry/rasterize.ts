import type { Batch } from '../../../gpu/runtime/batch.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import { verticesOffset } from '../frame.js';
import type { DiffMesh, Frame, Gradients } from '../types.js';

/** Uniforms of `interpolate.wgsl`. */
export const INTERPOLATE_UNIFORMS = {
  width: 'u32',
  height: 'u32',
  views: 'u32',
  positions: 'u32',
  offset: 'u32',
  channels: 'u32',
  attributes: 'u32',
  scale: 'f32',
  clipScale: 'f32',
} as const;
const shader = new URL('./interpolate.wgsl', import.meta.url);

const rasterize = defineKernel({
  name: 'rasterize',
  shader,
  entryPoint: 'rasterize',
  bindings: {
    params: 'uniform',
    ids: 'read',
    triangles: 'read',
    vertices: 'read',
    rast: 'read_write',
    rastDb: 'read_write',
  },
  uniforms: INTERPOLATE_UNIFORMS,
});

const rasterizeBackward = defineKernel({
  name: 'rasterize backward',
  shader,
  entryPoint: 'rasterizeBackward',
  bindings: {
    params: 'uniform',
    ids: 'read',
    triangles: 'read',
    vertices: 'read',
    weightGradient: 'read',
    scatter: 'read_write',
  },
  uniforms: INTERPOLATE_UNIFORMS,
});

/** Barycentric coordinates of a frame's pixels. */
export interface Rasterized {
  /**
   * vec4f [pixels]: weights u, v of corners 0 and 1 (perspective-correct), depth z/w in 0…1, triangle + 1 as a number
   * (0 = none).
   */
  rast: GPUBuffer;
  /** vec4f [pixels]: du/dx, du/dy, dv/dx, dv/dy per pixel to the right and down. */
  rastDb: GPUBuffer;
}

/** Buffers for `recordRasterize` of frames of this size. */
export function createRasterized(gpu: Gpu, frame: Frame): Rasterized {
  const bytes = frame.width * frame.height * frame.capacity * 16;
  return { rast: gpu.createBuffer(bytes, 'rast'), rastDb: gpu.createBuffer(bytes, 'rast derivatives') };
}

export const interpolateUniforms = (
  frame: Frame,
  mesh: DiffMesh,
  rest: { channels?: number; scale?: number } = {},
) => ({
  width: frame.width,
  height: frame.height,
  views: frame.views.length,
  positions: mesh.positionCount,
  offset: verticesOffset(frame.capacity),
  channels: rest.channels ?? 0,
  attributes: 0,
  scale: rest.scale ?? 1,
  clipScale: 1,
});

/**
 * Records `frame.ids` and `frame.vertices` (of `recordGeometry`) → barycentric coordinates, depth and their changes per
 * pixel.
 */
export function recordRasterize(batch: Batch, mesh: DiffMesh, frame: Frame, out: Rasterized): void {
  rasterize.dispatch(
    batch,
    { ids: frame.ids, triangles: mesh.triangles, vertices: frame.vertices, rast: out.rast, rastDb: out.rastDb },
    interpolateUniforms(frame, mesh),
    linear(frame.width * frame.height * frame.views.length, 64),
  );
}

/**
 * Records the gradient of the weights → clip positions, added to `gradients.scatter`.
 * @param weightGradient vec4f [pixels]: dL/du, dL/dv, unused. Depth, ids and the changes per pixel take no gradient.
 */
export function recordRasterizeBackward(
  batch: Batch,
  mesh: DiffMesh,
  frame: Frame,
  weightGradient: GPUBuffer,
  gradients: Gradients,
): void {
  rasterizeBackward.dispatch(
    batch,
    {
      ids: frame.ids,
      triangles: mesh.triangles,
      vertices: frame.vertices,
      weightGradient,
      scatter: gradients.scatter,
    },
    { ...interpolateUniforms(frame, mesh), clipScale: gradients.scales.clip },
    linear(frame.width * frame.height * frame.views.length, 64),
  );
}
