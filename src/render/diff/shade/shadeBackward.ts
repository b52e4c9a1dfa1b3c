import type { Batch } from '../../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import type { DiffScene, Frame, Gradients, ShadeOptions } from '../types.js';
import { SHADING_UNIFORMS, shadingUniforms } from './shade.js';

const shadeBackward = defineKernel({
  name: 'shade backward',
  shader: new URL('./shadeBackward.wgsl', import.meta.url),
  bindings: {
    params: 'uniform',
    ids: 'read',
    triangles: 'read',
    vertices: 'read',
    texels: 'read',
    light: 'read',
    colorGradient: 'read',
    texelGradients: 'read_write',
    scatter: 'read_write',
  },
  uniforms: SHADING_UNIFORMS,
});

/**
 * Records `frame.colorGradient` → gradients of texels (on the levels that were read), of the filtered light, of clip
 * positions (through texture coordinates and interpolated normals and tangents) and of vertex normals; added to
 * `gradients`. Held constant: coverage, the mip level, tangents, and the viewing direction, which belongs to the pixel
 * and does not move with the surface. `options.lodBias` and `options.mips` must be those of `recordShade`.
 */
export function recordShadeBackward(
  batch: Batch,
  scene: DiffScene,
  frame: Frame,
  gradients: Gradients,
  options: ShadeOptions = {},
): void {
  shadeBackward.dispatch(
    batch,
    {
      ids: frame.ids,
      triangles: scene.mesh.triangles,
      vertices: frame.vertices,
      texels: scene.material.texels,
      light: scene.light?.filtered ?? scene.material.texels,
      colorGradient: frame.colorGradient,
      texelGradients: gradients.texels,
      scatter: gradients.scatter,
    },
    shadingUniforms(scene, frame, options, gradients),
    linear(frame.width * frame.height * frame.views.length, 64),
  );
}
