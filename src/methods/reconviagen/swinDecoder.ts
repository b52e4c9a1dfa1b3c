import { voxelEmbedding } from '../../nn/embeddings.js';
import { type Index, type Linear, type Ops, scoped, type Tensor } from '../../nn/ops.js';
import { voxelWindows } from '../../nn/sparse/voxels.js';
import { type DiffusionBlock, diffusionBlock, loadDiffusionBlock } from './diffusionBlock.js';
import type { NetworkWeights } from './networkWeights.js';

/** Side of a window in voxels. */
const WINDOW = 8;

/**
 * What both decoders of voxel latents begin with: a transformer whose blocks look within windows of 8³ voxels, every
 * other block's windows shifted by half (after Liu et al. 2021, without wrapping round).
 */
export interface SwinDecoder {
  input: Linear;
  blocks: DiffusionBlock[];
}

/** Reads it. */
export async function loadSwinDecoder(weights: NetworkWeights): Promise<SwinDecoder> {
  const blocks: DiffusionBlock[] = [];
  for (const part of weights.list('blocks')) blocks.push(await loadDiffusionBlock(part, 'attn'));
  return { input: await weights.linear('input_layer'), blocks };
}

/** How voxels are brought into the order of their windows and back. */
interface WindowOrder {
  order: Index;
  places: Index;
  segments: Index;
}

function windowOrder(ops: Ops, coords: Int32Array, shift: number): WindowOrder {
  const { order, places, starts } = voxelWindows(coords, WINDOW, shift);
  const segments = [...starts].slice(0, -1).flatMap((start, i) => {
    const length = starts[i + 1] - start;
    return [start, length, start, length];
  });
  return { order: ops.index(order), places: ops.index(places), segments: ops.index(Int32Array.from(segments)) };
}

/**
 * Voxels × channels.
 * @param latent voxels × channels
 * @param coords x, y, z
 * @param onBlock sees what each block gives
 */
export async function runSwinDecoder(
  ops: Ops,
  decoder: SwinDecoder,
  latent: Float32Array,
  coords: Int32Array,
  signal?: AbortSignal,
  onBlock: (index: number, x: Tensor) => void | Promise<void> = () => {},
): Promise<Tensor> {
  const voxels = coords.length / 3;
  const channels = decoder.input.weight.rows;
  const orders = [0, WINDOW / 2].map((shift) => windowOrder(ops, coords, shift));
  let x = scoped(ops, () => {
    const embedded = ops.linear(ops.tensor(latent, voxels, latent.length / voxels), decoder.input);
    return ops.add(embedded, ops.tensor(voxelEmbedding(coords, channels), voxels, channels));
  });
  for (const [i, block] of decoder.blocks.entries()) {
    const before = x;
    const { order, places, segments } = orders[i % 2];
    x = scoped(
      ops,
      () => ops.gather(diffusionBlock(ops, block, ops.gather(before, order), { segments }), places),
      before,
    );
    await ops.flush(signal);
    await onBlock(i, x);
  }
  for (const { order, places, segments } of orders) ops.free(order, places, segments);
  return x;
}
