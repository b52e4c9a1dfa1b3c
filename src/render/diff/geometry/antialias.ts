import type { Batch } from '../../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import { verticesOffset } from '../frame.js';
import type { DiffMesh, Frame, GradientScales } from '../types.js';

const uniforms = {
  width: 'u32',
  height: 'u32',
  views: 'u32',
  positions: 'u32',
  offset: 'u32',
  clipScale: 'f32',
} as const;

const antialias = defineKernel({
  name: 'antialias',
  shader: new URL('./antialias.wgsl', import.meta.url),
  bindings: {
    params: 'uniform',
    outlines: 'read',
    triangles: 'read',
    vertices: 'read',
    color: 'read',
    antialiased: 'read_write',
  },
  uniforms,
});

const antialiasBackward = defineKernel({
  name: 'antialias backward',
  shader: new URL('./antialiasBackward.wgsl', import.meta.url),
  bindings: {
    params: 'uniform',
    outlines: 'read',
    triangles: 'read',
    vertices: 'read',
    color: 'read',
    gradient: 'read',
    colorGradient: 'read_write',
    scatter: 'read_write',
  },
  uniforms,
});

function inputs(mesh: DiffMesh, frame: Frame) {
  return {
    outlines: frame.outlines,
    triangles: mesh.triangles,
    vertices: frame.vertices,
    color: frame.color,
  };
}

function values(mesh: DiffMesh, frame: Frame, clipScale: number) {
  return {
    width: frame.width,
    height: frame.height,
    views: frame.views.length,
    positions: mesh.positionCount,
    offset: verticesOffset(frame.capacity),
    clipScale,
  };
}

/**
 * Records `frame.color` → `frame.antialiased`: where the outline of the nearer of two surfaces passes between the
 * centres of neighbouring pixels, the pixel that it cuts takes on the neighbour's colour by the part that is cut off
 * (Laine et al. 2020, section 3.5).
 */
export function recordAntialias(batch: Batch, mesh: DiffMesh, frame: Frame): void {
  antialias.dispatch(
    batch,
    { ...inputs(mesh, frame), antialiased: frame.antialiased },
    values(mesh, frame, 1),
    linear(frame.width * frame.height * frame.views.length, 64),
  );
}

/** Records `frame.gradient` → `frame.colorGradient`, and adds the gradient of clip positions to `gradients.scatter`. */
export function recordAntialiasBackward(
  batch: Batch,
  mesh: DiffMesh,
  frame: Frame,
  gradients: { scatter: GPUBuffer; scales: Pick<GradientScales, 'clip'> },
): void {
  antialiasBackward.dispatch(
    batch,
    {
      ...inputs(mesh, frame),
      gradient: frame.gradient,
      colorGradient: frame.colorGradient,
      scatter: gradients.scatter,
    },
    values(mesh, frame, gradients.scales.clip),
    linear(frame.width * frame.height * frame.views.length, 64),
  );
}
