import type { Batch } from '../../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import { verticesOffset, viewUniforms } from '../frame.js';
import type { DepthLossOptions, DepthTargets, DiffMesh, Frame, Gradients } from '../types.js';
import { depthSumScale } from './loss.js';

const depthLoss = defineKernel({
  name: 'depth loss',
  shader: new URL('./depthLoss.wgsl', import.meta.url),
  bindings: {
    params: 'uniform',
    ids: 'read',
    triangles: 'read',
    vertices: 'read',
    depths: 'read',
    scatter: 'read_write',
    sums: 'read_write',
  },
  uniforms: {
    width: 'u32',
    height: 'u32',
    views: 'u32',
    positions: 'u32',
    offset: 'u32',
    weight: 'f32',
    unit: 'f32',
    reach: 'f32',
    clipScale: 'f32',
    sumScale: 'f32',
    unused0: 'u32',
    unused1: 'u32',
    views0: 'vec4u',
    views1: 'vec4u',
    views2: 'vec4u',
    views3: 'vec4u',
  },
});

/**
 * Records the depth of what the frame's views show against depth maps: adds `weight · (√(1 + x²) − 1)`, x = error /
 * unit, to the sums of the frame (after `recordLoss`, which clears them) and its gradient of clip positions to
 * `gradients.scatter`. Depth is that of the surface at pixel centres, along the viewing axis; pixels without either
 * depth count nothing.
 */
export function recordDepthLoss(
  batch: Batch,
  mesh: DiffMesh,
  frame: Frame,
  targets: DepthTargets,
  gradients: Gradients,
  options: DepthLossOptions,
): void {
  if (targets.width !== frame.width || targets.height !== frame.height) {
    throw new RangeError(
      `depth of ${targets.width} × ${targets.height} for a frame of ${frame.width} × ${frame.height}`,
    );
  }
  depthLoss.dispatch(
    batch,
    {
      ids: frame.ids,
      triangles: mesh.triangles,
      vertices: frame.vertices,
      depths: targets.buffer,
      scatter: gradients.scatter,
      sums: frame.sums,
    },
    {
      width: frame.width,
      height: frame.height,
      views: frame.views.length,
      positions: mesh.positionCount,
      offset: verticesOffset(frame.capacity),
      weight: options.weight ?? 1,
      unit: options.unit,
      reach: options.reach ?? 10,
      clipScale: gradients.scales.clip,
      sumScale: depthSumScale(frame),
      unused0: 0,
      unused1: 0,
      ...viewUniforms(frame),
    },
    linear(frame.width * frame.height * frame.views.length, 64),
  );
}
