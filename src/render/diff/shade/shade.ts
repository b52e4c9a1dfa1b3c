import type { Batch } from '../../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import { verticesOffset } from '../frame.js';
import { lightLayout } from '../light/lightFilter.js';
import type { DiffScene, Frame, Gradients, ShadeOptions } from '../types.js';
import { pyramidLayout, quads } from './material.js';

/** Uniforms of `shading.wgsl`. */
export const SHADING_UNIFORMS = {
  width: 'u32',
  height: 'u32',
  views: 'u32',
  positions: 'u32',
  offset: 'u32',
  texWidth: 'u32',
  texHeight: 'u32',
  texLevels: 'u32',
  flags: 'u32',
  lodBias: 'f32',
  flagOffset: 'u32',
  lightOffset: 'u32',
  overflowOffset: 'u32',
  texelScale: 'f32',
  clipScale: 'f32',
  normalScale: 'f32',
  lightScale: 'f32',
  lightStride: 'u32',
  lightFirst: 'u32',
  unused0: 'u32',
  lightSizes0: 'vec4u',
  lightSizes1: 'vec4u',
  lightOffsets0: 'vec4u',
  lightOffsets1: 'vec4u',
  levels0: 'vec4u',
  levels1: 'vec4u',
  levels2: 'vec4u',
  levels3: 'vec4u',
  tiles0: 'vec4u',
  tiles1: 'vec4u',
  tiles2: 'vec4u',
  tiles3: 'vec4u',
} as const;

const FLAG = { lit: 1, geometry: 2, light: 4, material: 8, nearestMip: 16 };

const shade = defineKernel({
  name: 'shade',
  shader: new URL('./shade.wgsl', import.meta.url),
  bindings: {
    params: 'uniform',
    ids: 'read',
    triangles: 'read',
    vertices: 'read',
    texels: 'read',
    light: 'read',
    color: 'read_write',
  },
  uniforms: SHADING_UNIFORMS,
});

/** What `shading.wgsl` needs to know of a scene, a frame and, on the way back, of the gradients. */
export function shadingUniforms(scene: DiffScene, frame: Frame, options: ShadeOptions, gradients?: Gradients) {
  const { mesh, material, light } = scene;
  const { levels } = pyramidLayout(material.width, material.height);
  const maps = light && lightLayout(light.size);
  const lightOffsets = maps ? [...maps.offsets, maps.texelCount] : [];
  const flags =
    (light ? FLAG.lit : 0) |
    ((options.geometry ?? true) ? FLAG.geometry : 0) |
    (light && (options.light ?? true) ? FLAG.light : 0) |
    ((options.material ?? true) ? FLAG.material : 0) |
    (options.mips === 'nearest' ? FLAG.nearestMip : 0);
  const lightStride = options.lightStride ?? 1;
  const { levels0: lightSizes0, levels1: lightSizes1 } = quads('levels', maps?.sizes ?? []);
  const { levels0: lightOffsets0, levels1: lightOffsets1 } = quads('levels', lightOffsets);
  return {
    width: frame.width,
    height: frame.height,
    views: frame.views.length,
    positions: mesh.positionCount,
    offset: verticesOffset(frame.capacity),
    texWidth: material.width,
    texHeight: material.height,
    texLevels: material.levels,
    flags,
    lodBias: options.lodBias ?? 0,
    flagOffset: gradients?.flagOffset ?? 0,
    lightOffset: gradients?.lightOffset ?? 0,
    overflowOffset: gradients?.overflowOffset ?? 0,
    texelScale: gradients?.scales.texel ?? 1,
    clipScale: gradients?.scales.clip ?? 1,
    normalScale: gradients?.scales.normal ?? 1,
    lightScale: gradients?.scales.light ?? 1,
    lightStride,
    lightFirst: (options.lightFirst ?? 0) % lightStride,
    unused0: 0,
    lightSizes0,
    lightSizes1,
    lightOffsets0,
    lightOffsets1,
    ...quads(
      'levels',
      levels.map((l) => l.texelOffset),
    ),
    ...quads(
      'tiles',
      levels.map((l) => l.tileOffset),
    ),
  };
}

/**
 * Records ids, vertices, material and light → `frame.color`: the glTF metallic-roughness material with its
 * tangent-space normals and occlusion under split-sum light, or the base colour alone where the scene has no light. The
 * mip level follows the longer of the pixel's two steps in the texture, up to level 5; trilinear unless `options.mips`
 * says nearest. `recordGeometry` and (lit) `recordLight` come first.
 */
export function recordShade(
  batch: Batch,
  scene: DiffScene,
  frame: Frame,
  options: Pick<ShadeOptions, 'lodBias' | 'mips'> = {},
): void {
  shade.dispatch(
    batch,
    {
      ids: frame.ids,
      triangles: scene.mesh.triangles,
      vertices: frame.vertices,
      texels: scene.material.texels,
      light: scene.light?.filtered ?? scene.material.texels,
      color: frame.color,
    },
    shadingUniforms(scene, frame, options),
    linear(frame.width * frame.height * frame.views.length, 64),
  );
}
