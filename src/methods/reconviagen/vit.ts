import { type Affine, type Linear, type Ops, scoped, type Tensor } from '../../nn/ops.js';
import type { NetworkWeights } from './networkWeights.js';
import { loadVisionBlock, type VisionBlock, visionBlock } from './visionBlock.js';

/** Side of a patch in pixels. */
const PATCH = 14;
const EPS = 1e-6;

/**
 * DINOv2 with registers (Oquab et al. 2024, Darcet et al. 2024): tokens of an image are a class token, registers, then
 * patches from left to right and top to bottom.
 */
export interface Vit {
  patches: Linear;
  /** Class token with its position, then the registers. */
  specials: Tensor;
  /** Position of each patch. */
  positions: Tensor;
  blocks: VisionBlock[];
  norm: Affine;
}

/** Reads the network, under DINOv2's own names. */
export async function loadVit(weights: NetworkWeights): Promise<Vit> {
  const patches = await weights.linear('patch_embed.proj');
  const channels = patches.weight.rows;
  const positions = await weights.numbers('pos_embed');
  const cls = await weights.numbers('cls_token');
  const registers = await weights.numbers('register_tokens');
  const specials = new Float32Array(channels + registers.length);
  // Positions are added before the registers come in, which have none.
  for (let c = 0; c < channels; c++) specials[c] = cls[c] + positions[c];
  specials.set(registers, channels);
  const blocks: VisionBlock[] = [];
  for (const part of weights.list('blocks')) blocks.push(await loadVisionBlock(part));
  return {
    patches,
    specials: weights.ops.tensor(specials, specials.length / channels, channels),
    positions: weights.ops.tensor(positions.slice(channels), positions.length / channels - 1, channels),
    blocks,
    norm: await weights.affine('norm'),
  };
}

/** Images as networks take them: N × 3 × side × side, channel after channel, mean and deviation taken out. */
export interface ImageStack {
  count: number;
  side: number;
  data: Float32Array;
}

/** Means and deviations of ImageNet's colours, which both networks were trained with. */
const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

/** Takes mean and deviation out of colours in 0…1. */
export function normalised({ count, side, data }: ImageStack): ImageStack {
  const pixels = side * side;
  return {
    count,
    side,
    data: data.map((x, i) => (x - MEAN[Math.floor(i / pixels) % 3]) / DEVIATION[Math.floor(i / pixels) % 3]),
  };
}

/** One row of 3 · 14 · 14 numbers for each patch. */
export function patchRows({ count, side, data }: ImageStack): Float32Array {
  const across = side / PATCH;
  const result = new Float32Array(count * across * across * 3 * PATCH * PATCH);
  let at = 0;
  for (let image = 0; image < count; image++) {
    for (let patch = 0; patch < across * across; patch++) {
      const top = Math.floor(patch / across) * PATCH;
      const left = (patch % across) * PATCH;
      for (let c = 0; c < 3; c++) {
        for (let y = top; y < top + PATCH; y++, at += PATCH) {
          const first = ((image * 3 + c) * side + y) * side + left;
          result.set(data.subarray(first, first + PATCH), at);
        }
      }
    }
  }
  return result;
}

/** Segments that keep each image's tokens to themselves. */
export const imageSegments = (count: number, tokens: number): Int32Array =>
  Int32Array.from({ length: count * 4 }, (_, i) => (i % 2 === 0 ? Math.floor(i / 4) * tokens : tokens));

/**
 * Rows of `specials` (of a stack of sets of `size`, image i takes `setOf(i)`), each followed by its image's patches.
 */
export function interleaved(
  ops: Ops,
  specials: Tensor,
  size: number,
  patches: Tensor,
  count: number,
  setOf: (image: number) => number = () => 0,
): Tensor {
  const each = patches.rows / count;
  const rows = Int32Array.from({ length: count * (size + each) }, (_, i) => {
    const image = Math.floor(i / (size + each));
    const token = i % (size + each);
    return token < size ? setOf(image) * size + token : specials.rows + image * each + token - size;
  });
  return scoped(ops, () => ops.gather(ops.concatRows([specials, patches]), ops.index(rows)));
}

/**
 * Tokens of all images, image after image, before the final norm.
 * @param images mean and deviation taken out
 */
export async function runVit(ops: Ops, vit: Vit, images: ImageStack, signal?: AbortSignal): Promise<Tensor> {
  let x = vitTokens(ops, vit, images);
  const segments = ops.index(imageSegments(images.count, x.rows / images.count));
  for (const block of vit.blocks) {
    const before = x;
    x = scoped(ops, () => visionBlock(ops, block, before, { eps: EPS, segments }), before);
    await ops.flush(signal);
  }
  ops.free(segments);
  return x;
}

/** The tokens that go into the first block. */
export function vitTokens(ops: Ops, vit: Vit, images: ImageStack): Tensor {
  return scoped(ops, () => {
    const rows = patchRows(images);
    const columns = 3 * PATCH * PATCH;
    const patches = ops.linear(ops.tensor(rows, rows.length / columns, columns), vit.patches);
    return interleaved(ops, vit.specials, vit.specials.rows, ops.add(patches, vit.positions), images.count);
  });
}

/** The final norm, on patches alone: rows of an image's special tokens are dropped. */
export function normedPatches(ops: Ops, vit: Vit, tokens: Tensor, count: number): Tensor {
  return scoped(ops, () => {
    const rows = withoutSpecials(count, tokens.rows / count, vit.specials.rows);
    return ops.layerNorm(ops.gather(tokens, ops.index(rows)), { eps: EPS, affine: vit.norm });
  });
}

/** Numbers of the rows that are patches. */
export const withoutSpecials = (count: number, tokens: number, specials: number): Int32Array =>
  Int32Array.from({ length: count * tokens }, (_, i) => i).filter((i) => i % tokens >= specials);

/** What the conditions take of the image network: its tokens, normed without gains (as the reference does). */
export function imageCondition(ops: Ops, tokens: Tensor): Tensor {
  return ops.layerNorm(tokens, { eps: 1e-5 });
}
