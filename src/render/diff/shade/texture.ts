import type { Batch } from '../../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import { pyramidLayout, quads } from './material.js';

const shader = new URL('./texture.wgsl', import.meta.url);
const uniforms = {
  count: 'u32',
  width: 'u32',
  height: 'u32',
  levels: 'u32',
  channels: 'u32',
  wrap: 'u32',
  scale: 'f32',
  level: 'u32',
  levels0: 'vec4u',
  levels1: 'vec4u',
  levels2: 'vec4u',
  levels3: 'vec4u',
} as const;
const WRAPS = { repeat: 0, clamp: 1, mirror: 2 };

const sample = defineKernel({
  name: 'texture',
  shader,
  entryPoint: 'sample',
  bindings: { params: 'uniform', uvs: 'read', uvDbs: 'read', texels: 'read', values: 'read_write' },
  uniforms,
});

const sampleBackward = defineKernel({
  name: 'texture backward',
  shader,
  entryPoint: 'sampleBackward',
  bindings: {
    params: 'uniform',
    uvs: 'read',
    uvDbs: 'read',
    texels: 'read',
    valueGradient: 'read',
    texelGradient: 'read_write',
    uvGradient: 'read_write',
    uvDbGradient: 'read_write',
  },
  uniforms,
});

const mips = defineKernel({
  name: 'texture mips',
  shader,
  entryPoint: 'mips',
  bindings: { params: 'uniform', pyramid: 'read_write' },
  uniforms,
});

const mipsBackward = defineKernel({
  name: 'texture mips backward',
  shader,
  entryPoint: 'mipsBackward',
  bindings: { params: 'uniform', pyramidGradient: 'read', baseGradient: 'read_write' },
  uniforms,
});

/** A texture with mip levels. */
export interface DiffTexture {
  /** f32 [texels of all levels × channels], level after level (`pyramidLayout`); the first is the parameter. */
  texels: GPUBuffer;
  /** Powers of two. */
  width: number;
  height: number;
  channels: number;
  /** Levels in use: 1 is plain bilinear. Default: all down to 1 × 1. */
  levels?: number;
  /** Default `repeat`. */
  wrap?: keyof typeof WRAPS;
}

/** Where a texture is read. */
export interface TextureCoordinates {
  /** vec2f [count]: (0, 0) is the upper left corner of the image, texel centres at (i + 0.5) / size. */
  uv: GPUBuffer;
  /** vec4f [count]: du/dx, du/dy, dv/dx, dv/dy per pixel, as `recordInterpolate` gives for two channels. */
  uvDb: GPUBuffer;
  count: number;
}

function values(texture: DiffTexture, rest: { count: number; scale?: number; level?: number }) {
  const { levels } = pyramidLayout(texture.width, texture.height);
  return {
    width: texture.width,
    height: texture.height,
    levels: texture.levels ?? levels.length,
    channels: texture.channels,
    wrap: WRAPS[texture.wrap ?? 'repeat'],
    count: rest.count,
    scale: rest.scale ?? 1,
    level: rest.level ?? 0,
    ...quads(
      'levels',
      levels.map((l) => l.texelOffset),
    ),
  };
}

/**
 * Records `texture` at `coordinates` → `out`, f32 [count × channels]: trilinear, the mip level by the longer of the
 * pixel's two steps.
 */
export function recordTexture(
  batch: Batch,
  texture: DiffTexture,
  coordinates: TextureCoordinates,
  out: GPUBuffer,
): void {
  const { uv, uvDb, count } = coordinates;
  sample.dispatch(
    batch,
    { uvs: uv, uvDbs: uvDb, texels: texture.texels, values: out },
    values(texture, { count }),
    linear(count, 64),
  );
}

/**
 * Records dL/dvalues f32 [count × channels] → `texels` (i32 fixed-point, all levels, added, `scale` units per 1.0; take
 * them to level 0 with `recordTextureMipsBackward`), `uv` (vec2f [count]) and `uvDb` (vec4f [count], through the mip
 * level), both overwritten.
 */
export function recordTextureBackward(
  batch: Batch,
  texture: DiffTexture,
  coordinates: TextureCoordinates,
  valueGradient: GPUBuffer,
  out: { texels: GPUBuffer; scale: number; uv: GPUBuffer; uvDb: GPUBuffer },
): void {
  const { uv, uvDb, count } = coordinates;
  sampleBackward.dispatch(
    batch,
    {
      uvs: uv,
      uvDbs: uvDb,
      texels: texture.texels,
      valueGradient,
      texelGradient: out.texels,
      uvGradient: out.uv,
      uvDbGradient: out.uvDb,
    },
    values(texture, { count, scale: out.scale }),
    linear(count, 64),
  );
}

/** Records level 0 → all other levels, each the 2 × 2 mean of the one above. */
export function recordTextureMips(batch: Batch, texture: DiffTexture): void {
  const { levels } = pyramidLayout(texture.width, texture.height);
  for (let level = 0; level + 1 < levels.length; level++) {
    const next = levels[level + 1];
    const count = next.width * next.height * texture.channels;
    mips.dispatch(batch, { pyramid: texture.texels }, values(texture, { count, level }), linear(count, 64));
  }
}

/**
 * Records the gradient of all levels (i32 fixed-point) → that of level 0 (f32 [width × height × channels],
 * overwritten).
 */
export function recordTextureMipsBackward(
  batch: Batch,
  texture: DiffTexture,
  gradient: { texels: GPUBuffer; scale: number },
  out: GPUBuffer,
): void {
  const count = texture.width * texture.height * texture.channels;
  mipsBackward.dispatch(
    batch,
    { pyramidGradient: gradient.texels, baseGradient: out },
    values(texture, { count, scale: gradient.scale }),
    linear(count, 64),
  );
}
