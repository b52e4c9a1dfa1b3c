import { type Linear, type Ops, scoped, type Tensor } from '../../nn/ops.js';
import { conditionOf, type DiffusionBlock, diffusionBlock, loadDiffusionBlock } from './diffusionBlock.js';
import type { NetworkWeights } from './networkWeights.js';

/**
 * The condition of the structure: learned tokens that gather what four layers of VGGT and DINOv2 know of all photos.
 */
export interface StructureCondition {
  tokens: Tensor;
  blocks: DiffusionBlock[];
}

/** Reads the network. */
export async function loadStructureCondition(weights: NetworkWeights): Promise<StructureCondition> {
  const blocks: DiffusionBlock[] = [];
  for (const part of weights.list('cond_blocks')) blocks.push(await loadDiffusionBlock(part));
  const { shape } = await weights.stored('multiview_cond_tokens');
  return { tokens: await weights.vector('multiview_cond_tokens', shape.at(-1)), blocks };
}

/**
 * Tokens × channels.
 * @param vggt four layers, patches of all photos
 * @param dino patches of all photos
 */
export async function runStructureCondition(
  ops: Ops,
  network: StructureCondition,
  vggt: readonly Tensor[],
  dino: Tensor,
  signal?: AbortSignal,
): Promise<Tensor> {
  let x = network.tokens;
  for (const [i, block] of network.blocks.entries()) {
    const before = x;
    x = scoped(ops, () => {
      const condition = conditionOf(ops, block, ops.concatColumns([vggt[i], dino]), 1);
      return diffusionBlock(ops, block, before, { condition });
    });
    if (before !== network.tokens) ops.free(before);
    await ops.flush(signal);
  }
  return x;
}

/** The condition of the latent, token by token: four layers, each from one of VGGT's and the layer before. */
export interface LatentCondition {
  layers: Linear[];
}

/** Reads the network. */
export async function loadLatentCondition(weights: NetworkWeights): Promise<LatentCondition> {
  const layers: Linear[] = [];
  for (const part of weights.list('linear_blocks')) layers.push(await part.linear('0'));
  return { layers };
}

/** All tokens of all photos × channels: c = ReLU(Linear(vggt, c)) + dino, from c = dino on. */
export function runLatentCondition(
  ops: Ops,
  { layers }: LatentCondition,
  vggt: readonly Tensor[],
  dino: Tensor,
): Tensor {
  return scoped(ops, () => {
    let c = dino;
    layers.forEach((layer, i) => {
      c = ops.linear(ops.concatColumns([vggt[i], c]), layer, { activation: 'relu', residual: dino });
    });
    return c;
  });
}
