import type { Batch } from '../../../gpu/runtime/batch.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import { verticesOffset, viewUniforms } from '../frame.js';
import type { DiffCameras, DiffMesh, Frame, GradientScales } from '../types.js';

const shader = new URL('./vertexColor.wgsl', import.meta.url);
const uniforms = {
  width: 'u32',
  height: 'u32',
  views: 'u32',
  positions: 'u32',
  offset: 'u32',
  clipScale: 'f32',
  colorScale: 'f32',
  pressure: 'f32',
  least: 'f32',
  views0: 'vec4u',
  views1: 'vec4u',
  views2: 'vec4u',
  views3: 'vec4u',
} as const;

const forward = defineKernel({
  name: 'vertex colors',
  shader,
  entryPoint: 'forward',
  bindings: {
    params: 'uniform',
    ids: 'read',
    triangles: 'read',
    vertices: 'read',
    colors: 'read',
    color: 'read_write',
  },
  uniforms,
});

const backward = defineKernel({
  name: 'vertex colors backward',
  shader,
  entryPoint: 'backward',
  bindings: {
    params: 'uniform',
    ids: 'read',
    triangles: 'read',
    vertices: 'read',
    colors: 'read',
    colorGradient: 'read',
    clipScatter: 'read_write',
    colorScatter: 'read_write',
  },
  uniforms,
});

const gather = defineKernel({
  name: 'vertex colors gather',
  shader,
  entryPoint: 'gather',
  bindings: { params: 'uniform', cameras: 'read', clipScatter: 'read', colorScatter: 'read', gradient: 'read_write' },
  uniforms,
});

/** Units per 1.0 of the fixed-point gradients of colours: range ±32,768. */
const COLOR_SCALE = 2 ** 16;

/**
 * A pixel in the midst of the surface is covered whatever the surface does nearby, so the gradient of its coverage
 * reaches no position: a closed surface could never open where the pictures show background. Pressure stands in for
 * that derivative.
 */
export interface Pressure {
  /**
   * Loss per unit by which a field that is zero on the surface would fall there, over the gradient of coverage. 0 =
   * none.
   */
  factor: number;
  /**
   * Gradients of coverage below this do not press. Pixels that an outline cuts have a part of the full gradient and
   * reach positions by themselves; those on the other side of the outline show no surface to press on, so both must
   * stay out of it, or the surface would shrink.
   */
  least: number;
}

const NO_PRESSURE: Pressure = { factor: 0, least: 0 };

/** Gradient buffers of a mesh with vertex colours. */
export interface VertexColorGradients {
  /** `clip` is that of `antialias` too. */
  scales: Pick<GradientScales, 'clip'>;
  /** i32 [views × P × 8]: gradients of clip positions as in `Gradients.scatter`. */
  scatter: GPUBuffer;
  /** i32 [P × 4]: gradients of colour and coverage. */
  colorScatter: GPUBuffer;
  /** vec4f [P × 2]: of position x, y, z (loss per scene unit), pressure; of colour r, g, b; 0. */
  gradient: GPUBuffer;
}

/** @param capacity views of the largest frame that they are used with */
export function createVertexColorGradients(gpu: Gpu, positionCount: number, capacity: number): VertexColorGradients {
  return {
    scales: { clip: 2 ** 12 },
    scatter: gpu.createBuffer(capacity * positionCount * 32, 'clip gradients'),
    colorScatter: gpu.createBuffer(positionCount * 16, 'color gradients'),
    gradient: gpu.createBuffer(positionCount * 32, 'vertex gradients'),
  };
}

export function destroyVertexColorGradients(gradients: VertexColorGradients): void {
  for (const buffer of [gradients.scatter, gradients.colorScatter, gradients.gradient]) buffer.destroy();
}

function values(frame: Frame, positions: number, clipScale: number, pressure: Pressure) {
  return {
    width: frame.width,
    height: frame.height,
    views: frame.views.length,
    positions,
    offset: verticesOffset(frame.capacity),
    clipScale,
    colorScale: COLOR_SCALE,
    pressure: pressure.factor,
    least: pressure.least,
    ...viewUniforms(frame),
  };
}

/**
 * Records ids and vertices → `frame.color`: linear colours of the corners, interpolated perspective-correctly; unlit.
 * @param colors vec4f [P]: r, g, b, unused
 */
export function recordVertexColor(batch: Batch, mesh: DiffMesh, colors: GPUBuffer, frame: Frame): void {
  forward.dispatch(
    batch,
    { ids: frame.ids, triangles: mesh.triangles, vertices: frame.vertices, colors, color: frame.color },
    values(frame, mesh.positionCount, 1, NO_PRESSURE),
    linear(frame.width * frame.height * frame.views.length, 64),
  );
}

/**
 * Records `frame.colorGradient` and the clip gradients of `recordAntialiasBackward` → `gradients.gradient`. The sums
 * are cleared first by `recordClearVertexColorGradients`.
 */
export function recordVertexColorBackward(
  batch: Batch,
  mesh: DiffMesh,
  cameras: DiffCameras,
  colors: GPUBuffer,
  frame: Frame,
  gradients: VertexColorGradients,
  pressure: Pressure,
): void {
  const uniformValues = values(frame, mesh.positionCount, gradients.scales.clip, pressure);
  backward.dispatch(
    batch,
    {
      ids: frame.ids,
      triangles: mesh.triangles,
      vertices: frame.vertices,
      colors,
      colorGradient: frame.colorGradient,
      clipScatter: gradients.scatter,
      colorScatter: gradients.colorScatter,
    },
    uniformValues,
    linear(frame.width * frame.height * frame.views.length, 64),
  );
  gather.dispatch(
    batch,
    {
      cameras: cameras.buffer,
      clipScatter: gradients.scatter,
      colorScatter: gradients.colorScatter,
      gradient: gradients.gradient,
    },
    uniformValues,
    linear(mesh.positionCount, 64),
  );
}

/** Records the clearing of the sums that the next iteration adds to. */
export function recordClearVertexColorGradients(batch: Batch, gradients: VertexColorGradients): void {
  batch.clear(gradients.scatter);
  batch.clear(gradients.colorScatter);
}
