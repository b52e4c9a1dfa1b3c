import { voxelEmbedding } from '../../nn/embeddings.js';
import { type Affine, type Index, type Linear, type Ops, scoped, type Tensor } from '../../nn/ops.js';
import { coarser, neighbourMap } from '../../nn/sparse/voxels.js';
import { type Condition, type DiffusionBlock, diffusionBlock, loadDiffusionBlock } from './diffusionBlock.js';
import type { NetworkWeights } from './networkWeights.js';
import { loadTimeEmbedding, runTimeEmbedding, type TimeEmbedding } from './timeEmbedding.js';

const EPS = 1e-6;

/** A residual block on voxels, modulated by the time. */
export interface LatentResidual {
  norm1: Affine;
  conv1: Linear;
  conv2: Linear;
  /** Scale, then shift. */
  modulation: Linear;
  skip?: Linear;
}

/**
 * The flow that makes the latents of voxels: a transformer over voxels of half the resolution between residual blocks.
 */
export interface LatentFlow {
  input: Linear;
  inputBlocks: LatentResidual[];
  time: TimeEmbedding;
  blocks: DiffusionBlock[];
  outputBlocks: LatentResidual[];
  output: Linear;
}

/** Reads a residual block. */
export async function loadLatentResidual(weights: NetworkWeights): Promise<LatentResidual> {
  return {
    norm1: await weights.affine('norm1'),
    conv1: await weights.linear('conv1.conv'),
    conv2: await weights.linear('conv2.conv'),
    modulation: await weights.linear('emb_layers.1'),
    skip: weights.has('skip_connection.weight') ? await weights.linear('skip_connection') : undefined,
  };
}

/** Reads the network. */
export async function loadLatentFlow(weights: NetworkWeights): Promise<LatentFlow> {
  const residuals = async (name: string): Promise<LatentResidual[]> => {
    const result: LatentResidual[] = [];
    for (const part of weights.list(name)) result.push(await loadLatentResidual(part));
    return result;
  };
  const blocks: DiffusionBlock[] = [];
  for (const part of weights.list('blocks')) blocks.push(await loadDiffusionBlock(part));
  return {
    input: await weights.linear('input_layer'),
    inputBlocks: await residuals('input_blocks'),
    time: await loadTimeEmbedding(weights),
    blocks,
    outputBlocks: await residuals('out_blocks'),
    output: await weights.linear('out_layer'),
  };
}

/** What depends on the set of voxels alone, made once for all steps. */
export interface LatentVoxels {
  fine: Index;
  coarse: Index;
  parents: Index;
  starts: Index;
  rows: Index;
  positions: Tensor;
}

/** Lists for the voxels x, y, z of a flow. */
export function latentVoxels(ops: Ops, flow: LatentFlow, coords: Int32Array): LatentVoxels {
  const down = coarser(coords);
  const channels = flow.inputBlocks[flow.inputBlocks.length - 1].conv2.weight.rows;
  return {
    fine: ops.index(neighbourMap(coords)),
    coarse: ops.index(neighbourMap(down.coords)),
    parents: ops.index(down.parents),
    starts: ops.index(down.starts),
    rows: ops.index(down.rows),
    positions: ops.tensor(voxelEmbedding(down.coords, channels), down.coords.length / 3, channels),
  };
}

/** Runs a residual block on voxels × channels; `time` is SiLU of the time's embedding. */
export function latentResidual(ops: Ops, block: LatentResidual, x: Tensor, neighbours: Index, time: Tensor): Tensor {
  const channels = block.conv1.weight.rows;
  const modulation = ops.linear(time, block.modulation);
  const normed = ops.layerNorm(x, { eps: EPS, affine: block.norm1, activation: 'silu' });
  const inner = ops.convolution(normed, neighbours, block.conv1);
  const modulated = ops.layerNorm(inner, {
    eps: EPS,
    modulation: { scale: { of: modulation, column: 0 }, shift: { of: modulation, column: channels } },
    activation: 'silu',
  });
  const residual = block.skip ? ops.linear(x, block.skip) : x;
  return ops.convolution(modulated, neighbours, block.conv2, { residual });
}

/**
 * The velocity at a sample.
 * @param x voxels × channels
 * @param time 1 noise … 0 result
 * @param onPart sees what each part gives, by name
 */
export async function runLatentFlow(
  ops: Ops,
  flow: LatentFlow,
  voxels: LatentVoxels,
  x: Float32Array,
  time: number,
  conditions: readonly Condition[],
  signal?: AbortSignal,
  onPart: (name: string, x: Tensor) => void | Promise<void> = () => {},
): Promise<Float32Array> {
  if (flow.inputBlocks.length !== 2 || flow.outputBlocks.length !== 2) {
    throw new RangeError('the latent flow has two residual blocks at either end');
  }
  const channels = flow.input.weight.columns;
  ops.open();
  const activated = ops.activate(runTimeEmbedding(ops, flow.time, time), 'silu');
  const embedded = ops.linear(ops.tensor(x, x.length / channels, channels), flow.input);
  await onPart('input_layer', embedded);
  const fine = scoped(ops, () => latentResidual(ops, flow.inputBlocks[0], embedded, voxels.fine, activated), embedded);
  await onPart('input_blocks.0', fine);
  const coarse = scoped(ops, () => {
    const pooled = ops.pool(fine, voxels.starts, voxels.rows);
    return latentResidual(ops, flow.inputBlocks[1], pooled, voxels.coarse, activated);
  });
  await onPart('input_blocks.1', coarse);
  let h = ops.add(coarse, voxels.positions);
  for (const [i, block] of flow.blocks.entries()) {
    const before = h;
    const view = { time: activated, condition: conditions[i] };
    h = scoped(ops, () => diffusionBlock(ops, block, before, view), before);
    await ops.flush(signal);
    await onPart(`blocks.${i}`, h);
  }
  const up = scoped(ops, () => {
    const finer = ops.gather(ops.concatColumns([h, coarse]), voxels.parents);
    return latentResidual(ops, flow.outputBlocks[0], finer, voxels.fine, activated);
  });
  await onPart('out_blocks.0', up);
  const last = scoped(ops, () => {
    const joined = ops.concatColumns([up, fine]);
    return latentResidual(ops, flow.outputBlocks[1], joined, voxels.fine, activated);
  });
  await onPart('out_blocks.1', last);
  const velocity = await ops.read(ops.linear(ops.layerNorm(last, { eps: 1e-5 }), flow.output));
  ops.close();
  return velocity;
}
