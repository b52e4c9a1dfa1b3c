import type { Batch } from '../../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';

const shader = new URL('./textureCube.wgsl', import.meta.url);
const uniforms = { count: 'u32', size: 'u32', channels: 'u32', scale: 'f32' } as const;

const sample = defineKernel({
  name: 'cube texture',
  shader,
  entryPoint: 'sample',
  bindings: { params: 'uniform', directions: 'read', texels: 'read', values: 'read_write' },
  uniforms,
});

const sampleBackward = defineKernel({
  name: 'cube texture backward',
  shader,
  entryPoint: 'sampleBackward',
  bindings: {
    params: 'uniform',
    directions: 'read',
    texels: 'read',
    valueGradient: 'read',
    texelGradient: 'read_write',
    directionGradient: 'read_write',
  },
  uniforms,
});

/** A cube map without mip levels. */
export interface DiffCubeTexture {
  /** f32 [6 × size × size × channels]; faces +x −x +y −y +z −z in WebGPU's layout. */
  texels: GPUBuffer;
  size: number;
  channels: number;
}

/**
 * Records the cube map in `directions` (f32 [count × 3], any length but 0) → `out`, f32 [count × channels]; bilinear
 * across faces.
 */
export function recordTextureCube(
  batch: Batch,
  texture: DiffCubeTexture,
  directions: GPUBuffer,
  count: number,
  out: GPUBuffer,
): void {
  const { texels, size, channels } = texture;
  sample.dispatch(batch, { directions, texels, values: out }, { count, size, channels, scale: 1 }, linear(count, 64));
}

/**
 * Records dL/dvalues f32 [count × channels] → `texels` (i32 fixed-point, added, `scale` units per 1.0) and `directions`
 * (f32 [count × 3], overwritten).
 */
export function recordTextureCubeBackward(
  batch: Batch,
  texture: DiffCubeTexture,
  directions: GPUBuffer,
  count: number,
  valueGradient: GPUBuffer,
  out: { texels: GPUBuffer; scale: number; directions: GPUBuffer },
): void {
  const { texels, size, channels } = texture;
  sampleBackward.dispatch(
    batch,
    { directions, texels, valueGradient, texelGradient: out.texels, directionGradient: out.directions },
    { count, size, channels, scale: out.scale },
    linear(count, 64),
  );
}
