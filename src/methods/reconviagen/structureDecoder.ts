import { type Affine, type Dims, type Index, type Linear, type Ops, scoped, type Tensor } from '../../nn/ops.js';
import { denseNeighbourMap } from '../../nn/sparse/voxels.js';
import type { NetworkWeights } from './networkWeights.js';
import { transposed } from './structureFlow.js';

const EPS = 1e-5;

/** x + conv(SiLU(norm(conv(SiLU(norm(x)))))), norms over channels. */
export interface VolumeResidual {
  norm1: Affine;
  conv1: Linear;
  norm2: Affine;
  conv2: Linear;
}

/** The decoder of the structure: a dense volume of occupancy from a latent of a quarter of its side. */
export interface StructureDecoder {
  input: Linear;
  middle: VolumeResidual[];
  /** Residuals, and convolutions to eight times the channels that become twice the side. */
  blocks: (VolumeResidual | { up: Linear })[];
  norm: Affine;
  output: Linear;
}

async function loadResidual(weights: NetworkWeights): Promise<VolumeResidual> {
  return {
    norm1: await weights.affine('norm1'),
    conv1: await weights.convolution('conv1'),
    norm2: await weights.affine('norm2'),
    conv2: await weights.convolution('conv2'),
  };
}

/** Reads the network. */
export async function loadStructureDecoder(weights: NetworkWeights): Promise<StructureDecoder> {
  const middle: VolumeResidual[] = [];
  for (const part of weights.list('middle_block')) middle.push(await loadResidual(part));
  const blocks: StructureDecoder['blocks'] = [];
  for (const part of weights.list('blocks')) {
    blocks.push(part.has('conv.weight') ? { up: await part.convolution('conv') } : await loadResidual(part));
  }
  return {
    input: await weights.convolution('input_layer'),
    middle,
    blocks,
    norm: await weights.affine('out_layer.0'),
    output: await weights.convolution('out_layer.2'),
  };
}

/** Runs a residual block on voxels × channels. */
export function volumeResidual(ops: Ops, block: VolumeResidual, x: Tensor, neighbours: Index): Tensor {
  const norm = (of: Tensor, affine: Affine): Tensor => ops.layerNorm(of, { eps: EPS, affine, activation: 'silu' });
  const inner = ops.convolution(norm(x, block.norm1), neighbours, block.conv1);
  return ops.convolution(norm(inner, block.norm2), neighbours, block.conv2, { residual: x });
}

/**
 * Logits of occupancy, voxels with x slowest and z fastest.
 * @param latent channels × side³
 * @param onBlock sees what each part gives, by name, as `Ops` rows of voxels
 */
export async function runStructureDecoder(
  ops: Ops,
  decoder: StructureDecoder,
  latent: Float32Array,
  signal?: AbortSignal,
  onBlock: (name: string, x: Tensor) => void | Promise<void> = () => {},
): Promise<{ logits: Float32Array; side: number }> {
  const channels = decoder.input.weight.columns / 27;
  let side = Math.round(Math.cbrt(latent.length / channels));
  let dims: Dims = [side, side, side];
  ops.open();
  let neighbours = ops.index(denseNeighbourMap(dims));
  let x = ops.convolution(ops.tensor(transposed(latent, channels), side ** 3, channels), neighbours, decoder.input);
  await onBlock('input_layer', x);
  for (const [i, block] of [...decoder.middle, ...decoder.blocks].entries()) {
    const before = x;
    if ('up' in block) {
      const up = (): Tensor => ops.pixelShuffle(ops.convolution(before, neighbours, block.up), dims);
      x = scoped(ops, up, before, neighbours);
      side *= 2;
      dims = [side, side, side];
      neighbours = ops.index(denseNeighbourMap(dims));
    } else {
      x = scoped(ops, () => volumeResidual(ops, block, before, neighbours), before);
    }
    await ops.flush(signal);
    const inMiddle = i < decoder.middle.length;
    await onBlock(inMiddle ? `middle_block.${i}` : `blocks.${i - decoder.middle.length}`, x);
  }
  const normed = ops.layerNorm(x, { eps: EPS, affine: decoder.norm, activation: 'silu' });
  const logits = await ops.read(ops.convolution(normed, neighbours, decoder.output));
  ops.close();
  return { logits, side };
}

/** x, y, z of the voxels whose logit is above 0, in the order of the volume. */
export function occupied(logits: Float32Array, side: number): Int32Array {
  const coords: number[] = [];
  for (let i = 0; i < logits.length; i++) {
    if (logits[i] > 0) coords.push(Math.floor(i / side / side), Math.floor(i / side) % side, i % side);
  }
  return Int32Array.from(coords);
}
