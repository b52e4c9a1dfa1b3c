import type { Affine, Index, Linear, Ops, Tensor } from '../../nn/ops.js';
import type { NetworkWeights } from './networkWeights.js';

/**
 * A block of a vision transformer (Dosovitskiy et al. 2021) with LayerScale (Touvron et al. 2021), as DINOv2 and VGGT
 * have it: x += ls1 · attention(norm(x)); x += ls2 · mlp(norm(x)), the MLP with the exact GELU.
 */
export interface VisionBlock {
  norm1: Affine;
  qkv: Linear;
  /** Norms of queries and keys within a head, in VGGT. */
  headNorms?: { query: Affine; key: Affine };
  proj: Linear;
  scale1: Tensor;
  norm2: Affine;
  fc1: Linear;
  fc2: Linear;
  scale2: Tensor;
}

/** Reads a block; `q_norm` and `k_norm` where the file has them. */
export async function loadVisionBlock(weights: NetworkWeights): Promise<VisionBlock> {
  return {
    norm1: await weights.affine('norm1'),
    qkv: await weights.linear('attn.qkv'),
    headNorms: weights.has('attn.q_norm.weight')
      ? { query: await weights.affine('attn.q_norm'), key: await weights.affine('attn.k_norm') }
      : undefined,
    proj: await weights.linear('attn.proj'),
    scale1: await weights.vector('ls1.gamma'),
    norm2: await weights.affine('norm2'),
    fc1: await weights.linear('mlp.fc1'),
    fc2: await weights.linear('mlp.fc2'),
    scale2: await weights.vector('ls2.gamma'),
  };
}

/** How a block sees its tokens. */
export interface VisionView {
  /** Of both norms, and of the heads' norms. */
  eps: number;
  /** Numbers of a head; default 64. */
  headSize?: number;
  /** Which tokens look at which; default all at all. */
  segments?: Index;
  /** y and x of each token, where queries and keys are rotated by them. */
  positions?: Index;
}

/** Base of the angles by which VGGT rotates. */
const ROPE_BASE = 100;

/** Runs a block on tokens × channels. */
export function visionBlock(ops: Ops, block: VisionBlock, x: Tensor, view: VisionView): Tensor {
  const { eps, headSize: size = 64, segments, positions } = view;
  const channels = x.columns;
  const heads = channels / size;
  const qkv = ops.linear(ops.layerNorm(x, { eps, affine: block.norm1 }), block.qkv);
  const query = { of: qkv, column: 0 };
  const key = { of: qkv, column: channels };
  if (block.headNorms) {
    ops.headLayerNorm({ ...query, heads, size }, eps, block.headNorms.query);
    ops.headLayerNorm({ ...key, heads, size }, eps, block.headNorms.key);
  }
  if (positions) {
    ops.rope2d({ ...query, heads, size }, positions, ROPE_BASE);
    ops.rope2d({ ...key, heads, size }, positions, ROPE_BASE);
  }
  const seen = ops.attention({ query, key, value: { of: qkv, column: 2 * channels }, heads, size, segments });
  const attended = ops.linear(seen, block.proj, { gate: { of: block.scale1, column: 0 }, residual: x });
  const normed = ops.layerNorm(attended, { eps, affine: block.norm2 });
  const hidden = ops.linear(normed, block.fc1, { activation: 'gelu' });
  return ops.linear(hidden, block.fc2, { gate: { of: block.scale2, column: 0 }, residual: attended });
}
