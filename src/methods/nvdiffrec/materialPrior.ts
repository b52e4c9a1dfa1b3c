import type { Batch } from '../../gpu/batch.js';
import type { Gpu } from '../../gpu/gpu.js';
import { defineKernel, linear } from '../../gpu/kernel.js';
import { type DiffMaterial, pyramidLayout } from '../../render/diff/index.js';

/** Colours of a palette, at most. */
export const MAX_COLORS = 8;
/** Cells along the texture's side whose means roughness and metallic are pulled to. */
const CELLS = 32;

const palette = {
  palette0: 'vec4f',
  palette1: 'vec4f',
  palette2: 'vec4f',
  palette3: 'vec4f',
  palette4: 'vec4f',
  palette5: 'vec4f',
  palette6: 'vec4f',
  palette7: 'vec4f',
} as const;

const kernel = defineKernel({
  name: 'material prior',
  shader: new URL('./materialPrior.wgsl', import.meta.url),
  bindings: { params: 'uniform', texels: 'read_write' },
  uniforms: {
    width: 'u32',
    height: 'u32',
    levelWidth: 'u32',
    levelHeight: 'u32',
    levelOffset: 'u32',
    colors: 'u32',
    smoothShare: 'f32',
    paletteShare: 'f32',
    ...palette,
  },
});

/**
 * Records a pull of the material's level 0 towards what materials are usually like; level 0 … of the pyramid must be up to date, and are to be made
 * anew after it (`recordMaterialMips`).
 * - Roughness and metallic lose the share `smooth` of their difference from the mean around (a 32nd of the texture's side), so that they do not
 *   take on the pattern of the base colour. Differences far beyond 0.3 are borders between materials and stay.
 * - Base colour loses the share `palette` of its difference from the nearest of `colors`; what is far from all of them stays.
 *
 * Like the pull of the light towards grey this acts apart from Adam, which would undo any weight of a loss term (Loshchilov & Hutter 2019).
 * @param colors linear, three numbers each, at most 8
 */
export function recordMaterialPrior(
  batch: Batch,
  gpu: Gpu,
  material: DiffMaterial,
  shares: { smooth: number; palette: number },
  colors: ArrayLike<number>,
): void {
  const { width, height } = material;
  const { levels } = pyramidLayout(width, height);
  const level =
    levels[Math.min(levels.length - 1, Math.max(0, Math.round(Math.log2(Math.max(width, height) / CELLS))))];
  const color = (k: number) => [0, 1, 2].map((c) => colors[k * 3 + c] ?? 0).concat(0);
  const entries = Object.keys(palette).map((name, k) => [name, color(k)]);
  kernel.dispatch(
    batch,
    gpu,
    { texels: material.texels },
    {
      width,
      height,
      levelWidth: level.width,
      levelHeight: level.height,
      levelOffset: level.texelOffset,
      colors: Math.min(MAX_COLORS, colors.length / 3),
      smoothShare: shares.smooth,
      paletteShare: shares.palette,
      ...(Object.fromEntries(entries) as Record<keyof typeof palette, number[]>),
    },
    linear(width * height, 64),
  );
}
