import type { Affine, Columns, Index, Linear, Ops, Tensor } from '../../nn/ops.js';
import type { NetworkWeights } from './networkWeights.js';

const EPS = 1e-6;
const HEAD = 64;

/**
 * A block of TRELLIS's transformers (Xiang et al. 2025, after DiT): self attention, attention to a condition, MLP with
 * GELU's approximation. In flows the first and the last are modulated by the time (adaLN); elsewhere not.
 */
export interface DiffusionBlock {
  /** Gains of queries and keys by head and column. */
  headNorms?: { query: Tensor; key: Tensor };
  qkv: Linear;
  out: Linear;
  cross?: { norm: Affine; query: Linear; keyValue: Linear; out: Linear };
  fc1: Linear;
  fc2: Linear;
  modulation?: Linear;
}

/** Reads a block; `self` names its self attention: `self_attn`, or `attn` where there is no other. */
export async function loadDiffusionBlock(weights: NetworkWeights, self = 'self_attn'): Promise<DiffusionBlock> {
  const gain = async (name: string) => weights.vector(`${self}.${name}_rms_norm.gamma`);
  return {
    headNorms: weights.has(`${self}.q_rms_norm.gamma`) ? { query: await gain('q'), key: await gain('k') } : undefined,
    qkv: await weights.linear(`${self}.to_qkv`),
    out: await weights.linear(`${self}.to_out`),
    cross: weights.has('cross_attn.to_q.weight')
      ? {
          norm: await weights.affine('norm2'),
          query: await weights.linear('cross_attn.to_q'),
          keyValue: await weights.linear('cross_attn.to_kv'),
          out: await weights.linear('cross_attn.to_out'),
        }
      : undefined,
    fc1: await weights.linear('mlp.mlp.0'),
    fc2: await weights.linear('mlp.mlp.2'),
    modulation: weights.has('adaLN_modulation.1.weight') ? await weights.linear('adaLN_modulation.1') : undefined,
  };
}

/** What a block is given besides its tokens. */
export interface DiffusionView {
  /** SiLU of the time's embedding, one row, for modulated blocks. */
  time?: Tensor;
  /** As `conditionOf` makes it. */
  condition?: Condition;
  /** Self attention within these runs of tokens alone. */
  segments?: Index;
}

/** A condition for one block. */
export interface Condition {
  /** Keys and values, side by side; where they are not kept they are made of the tokens each time. */
  keyValue?: Tensor;
  tokens: Tensor;
  /** Photos, each with as many rows: their answers are averaged. */
  views: number;
}

/**
 * The condition that a block makes of condition tokens, photo after photo.
 * @param kept whether its keys and values stay on the device; default true
 */
export function conditionOf(ops: Ops, block: DiffusionBlock, tokens: Tensor, views: number, kept = true): Condition {
  if (!block.cross) throw new RangeError('the block looks at no condition');
  return { keyValue: kept ? ops.linear(tokens, block.cross.keyValue) : undefined, tokens, views };
}

/** Runs a block on tokens × channels. */
export function diffusionBlock(ops: Ops, block: DiffusionBlock, x: Tensor, view: DiffusionView): Tensor {
  const channels = x.columns;
  const modulation = block.modulation && view.time && ops.linear(view.time, block.modulation);
  // Shift, scale and gate of the self attention, then those of the MLP.
  const part = (i: number): Columns | undefined => modulation && { of: modulation, column: i * channels };
  const norm = (of: Tensor, first: number): Tensor => {
    const [shift, scale] = [part(first), part(first + 1)];
    return ops.layerNorm(of, { eps: EPS, modulation: shift && scale && { shift, scale } });
  };
  const seen = selfAttention(ops, block, norm(x, 0), view.segments);
  const attended = ops.linear(seen, block.out, { gate: part(2), residual: x });
  const informed = view.condition ? crossAttention(ops, block, attended, view.condition) : attended;
  const hidden = ops.linear(norm(informed, 3), block.fc1, { activation: 'gelu-tanh' });
  return ops.linear(hidden, block.fc2, { gate: part(5), residual: informed });
}

function selfAttention(ops: Ops, block: DiffusionBlock, x: Tensor, segments?: Index): Tensor {
  const channels = x.columns;
  const heads = channels / HEAD;
  const qkv = ops.linear(x, block.qkv);
  const query = { of: qkv, column: 0 };
  const key = { of: qkv, column: channels };
  if (block.headNorms) {
    ops.headRms({ ...query, heads, size: HEAD }, block.headNorms.query);
    ops.headRms({ ...key, heads, size: HEAD }, block.headNorms.key);
  }
  return ops.attention({ query, key, value: { of: qkv, column: 2 * channels }, heads, size: HEAD, segments });
}

function crossAttention(ops: Ops, { cross }: DiffusionBlock, x: Tensor, condition: Condition): Tensor {
  if (!cross) throw new RangeError('the block looks at no condition');
  const { tokens, views, keyValue = ops.linear(tokens, cross.keyValue) } = condition;
  const channels = x.columns;
  const query = ops.linear(ops.layerNorm(x, { eps: EPS, affine: cross.norm }), cross.query);
  const seen = ops.attention({
    query: { of: query, column: 0 },
    key: { of: keyValue, column: 0 },
    value: { of: keyValue, column: channels },
    heads: channels / HEAD,
    size: HEAD,
    contexts: views,
  });
  return ops.linear(seen, cross.out, { residual: x });
}
