import { type Linear, type Ops, scoped, type Tensor } from '../../nn/ops.js';
import {
  type Condition,
  conditionOf,
  type DiffusionBlock,
  diffusionBlock,
  loadDiffusionBlock,
} from './diffusionBlock.js';
import type { NetworkWeights } from './networkWeights.js';
import { loadTimeEmbedding, runTimeEmbedding, type TimeEmbedding } from './timeEmbedding.js';

/** The flow that makes the structure's latent: a diffusion transformer over a dense volume, a token a voxel. */
export interface StructureFlow {
  input: Linear;
  positions: Tensor;
  time: TimeEmbedding;
  blocks: DiffusionBlock[];
  output: Linear;
}

/** Reads the network. */
export async function loadStructureFlow(weights: NetworkWeights): Promise<StructureFlow> {
  const blocks: DiffusionBlock[] = [];
  for (const part of weights.list('blocks')) blocks.push(await loadDiffusionBlock(part));
  const input = await weights.linear('input_layer');
  return {
    input,
    positions: await weights.vector('pos_emb', input.weight.rows),
    time: await loadTimeEmbedding(weights),
    blocks,
    output: await weights.linear('out_layer'),
  };
}

/** The condition of each block of a flow; see `conditionOf`. */
export function flowConditions(
  ops: Ops,
  blocks: readonly DiffusionBlock[],
  tokens: Tensor,
  views: number,
  kept = true,
): Condition[] {
  return blocks.map((block) => conditionOf(ops, block, tokens, views, kept));
}

/**
 * No condition: zeros. All keys are the same then, so that one row of them gives what any number gives.
 */
export function noConditions(ops: Ops, blocks: readonly DiffusionBlock[]): Condition[] {
  const columns = blocks[0].cross?.keyValue.weight.columns ?? 0;
  ops.open();
  const zeros = ops.tensor(new Float32Array(columns), 1, columns);
  const result = flowConditions(ops, blocks, zeros, 1);
  ops.close(result.flatMap(({ keyValue }) => keyValue ?? []));
  return result;
}

/**
 * The velocity at a sample.
 * @param x channels × side³
 * @param time 1 noise … 0 result
 */
export async function runStructureFlow(
  ops: Ops,
  flow: StructureFlow,
  x: Float32Array,
  time: number,
  conditions: readonly Condition[],
  signal?: AbortSignal,
): Promise<Float32Array> {
  const channels = flow.input.weight.columns;
  const voxels = x.length / channels;
  ops.open();
  const tokens = ops.tensor(transposed(x, channels), voxels, channels);
  const activated = ops.activate(runTimeEmbedding(ops, flow.time, time), 'silu');
  let h = ops.add(ops.linear(tokens, flow.input), flow.positions);
  for (const [i, block] of flow.blocks.entries()) {
    const before = h;
    const view = { time: activated, condition: conditions[i] };
    h = scoped(ops, () => diffusionBlock(ops, block, before, view), before);
    await ops.flush(signal);
  }
  const velocity = await ops.read(ops.linear(ops.layerNorm(h, { eps: 1e-5 }), flow.output));
  ops.close();
  return transposed(velocity, voxels);
}

/** From rows to columns: `rows` rows become as many columns. */
export function transposed(data: Float32Array, rows: number): Float32Array {
  const columns = data.length / rows;
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = data[row * columns + column];
  }
  return result;
}
