import type { Batch } from '../../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import { pyramidLayout } from '../../../render/diff/shade/material.js';
import type { DiffMaterial } from '../../../render/diff/types.js';
import { CLUSTER_GROUPS, type Clusters, MAX_COLORS } from '../step/clusters.js';

/** Cells along the texture's side whose means roughness and metallic are pulled to. */
const CELLS = 32;

const shader = new URL('./materialPrior.wgsl', import.meta.url);
const uniforms = {
  width: 'u32',
  height: 'u32',
  levelWidth: 'u32',
  levelHeight: 'u32',
  levelOffset: 'u32',
  colors: 'u32',
  smoothShare: 'f32',
  glossShare: 'f32',
  paletteShare: 'f32',
} as const;
const buffers = { params: 'uniform', texels: 'read_write', clusters: 'read_write' } as const;

const sumClusters = defineKernel({
  name: 'material prior sum',
  shader,
  entryPoint: 'sumClusters',
  bindings: { ...buffers, moment2: 'read' },
  uniforms,
});
const meanClusters = defineKernel({
  name: 'material prior mean',
  shader,
  entryPoint: 'meanClusters',
  bindings: buffers,
  uniforms,
});
const pull = defineKernel({ name: 'material prior', shader, bindings: buffers, uniforms });

/**
 * Records a pull of the material's level 0 towards what materials are usually like; level 0 … of the pyramid must be up
 * to date, and are to be made anew after it (`recordMaterialMips`).
 * - Roughness and metallic lose the share `smooth` of their difference from the mean around (a 32nd of the texture's
 * side), so that they do not
 *   take on the pattern of the base colour. Differences far beyond 0.3 are borders between materials and stay.
 * - They lose the share `gloss` of their difference from their mean over all texels of like colour: what has one colour
 * is mostly of one stuff, and is
 *   seen mirroring in some place, if not in this.
 * - Base colour loses the share `palette` of its difference from the nearest of the clusters’ colours; what is far from
 * all of them stays.
 *
 * Like the pull of the light towards grey this acts apart from Adam, which would undo any weight of a loss term
 * (Loshchilov & Hutter 2019).
 * @param clusters its colours go along to the mean of what is like them, so that they follow the balance of light and
 * base colour
 */
export function recordMaterialPrior(
  batch: Batch,
  material: DiffMaterial,
  clusters: Clusters,
  shares: { smooth: number; gloss: number; palette: number },
): void {
  const { width, height } = material;
  const { levels } = pyramidLayout(width, height);
  const level =
    levels[Math.min(levels.length - 1, Math.max(0, Math.round(Math.log2(Math.max(width, height) / CELLS))))];
  const bound = { texels: material.texels, clusters: clusters.buffer };
  const values = {
    width,
    height,
    levelWidth: level.width,
    levelHeight: level.height,
    levelOffset: level.texelOffset,
    smoothShare: shares.smooth,
    glossShare: shares.gloss,
    paletteShare: shares.palette,
    colors: clusters.count,
  };
  if (shares.gloss > 0 || shares.palette > 0) {
    sumClusters.dispatch(batch, { ...bound, moment2: material.moment2 }, values, [CLUSTER_GROUPS]);
    meanClusters.dispatch(batch, bound, values, [MAX_COLORS]);
  }
  pull.dispatch(batch, bound, values, linear(width * height, 64));
}
