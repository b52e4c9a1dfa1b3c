import type { Batch } from '../../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import type { DiffMesh, Frame } from '../types.js';
import { INTERPOLATE_UNIFORMS, interpolateUniforms, type Rasterized } from './rasterize.js';

const shader = new URL('./interpolate.wgsl', import.meta.url);

const interpolate = defineKernel({
  name: 'interpolate',
  shader,
  entryPoint: 'interpolate',
  bindings: {
    params: 'uniform',
    ids: 'read',
    weights: 'read',
    weightsDb: 'read',
    corners: 'read',
    attributes: 'read',
    values: 'read_write',
    valuesDb: 'read_write',
  },
  uniforms: INTERPOLATE_UNIFORMS,
});

const interpolateBackward = defineKernel({
  name: 'interpolate backward',
  shader,
  entryPoint: 'interpolateBackward',
  bindings: {
    params: 'uniform',
    ids: 'read',
    weights: 'read',
    weightsDb: 'read',
    corners: 'read',
    attributes: 'read',
    valueGradient: 'read',
    attributeGradient: 'read_write',
    rastGradient: 'read_write',
  },
  uniforms: INTERPOLATE_UNIFORMS,
});

/** Attributes with their own corners, so that they may have seams where positions have none. */
export interface Attributes {
  /** f32 [count × channels]. */
  values: GPUBuffer;
  /** u32 [T × 3]: attribute of each corner. */
  corners: GPUBuffer;
  channels: number;
}

/**
 * Records attributes → pixels: `values` f32 [pixels × channels] (0 where nothing is seen) and `valuesDb` vec2f [pixels
 * × channels], the change per pixel to the right and per pixel down.
 */
export function recordInterpolate(
  batch: Batch,
  mesh: DiffMesh,
  frame: Frame,
  rasterized: Rasterized,
  attributes: Attributes,
  out: { values: GPUBuffer; valuesDb: GPUBuffer },
): void {
  interpolate.dispatch(
    batch,
    {
      ids: frame.ids,
      weights: rasterized.rast,
      weightsDb: rasterized.rastDb,
      corners: attributes.corners,
      attributes: attributes.values,
      ...out,
    },
    interpolateUniforms(frame, mesh, attributes),
    linear(frame.width * frame.height * frame.views.length, 64),
  );
}

/**
 * Records dL/dvalues f32 [pixels × channels] → `attributes` (i32 fixed-point [count × channels], added, `scale` units
 * per 1.0) and `rast` (vec4f [pixels]: dL/du, dL/dv, 0, 0; overwritten), which `recordRasterizeBackward` takes further
 * to the vertices.
 */
export function recordInterpolateBackward(
  batch: Batch,
  mesh: DiffMesh,
  frame: Frame,
  rasterized: Rasterized,
  attributes: Attributes,
  valueGradient: GPUBuffer,
  out: { attributes: GPUBuffer; scale: number; rast: GPUBuffer },
): void {
  interpolateBackward.dispatch(
    batch,
    {
      ids: frame.ids,
      weights: rasterized.rast,
      weightsDb: rasterized.rastDb,
      corners: attributes.corners,
      attributes: attributes.values,
      valueGradient,
      attributeGradient: out.attributes,
      rastGradient: out.rast,
    },
    interpolateUniforms(frame, mesh, { channels: attributes.channels, scale: out.scale }),
    linear(frame.width * frame.height * frame.views.length, 64),
  );
}
