import { type Ops, scoped, type Tensor } from '../../nn/ops.js';
import type { NetworkWeights } from './networkWeights.js';
import { loadVisionBlock, type VisionBlock, visionBlock } from './visionBlock.js';
import {
  type ImageStack,
  imageSegments,
  interleaved,
  loadVit,
  normalised,
  normedPatches,
  runVit,
  type Vit,
} from './vit.js';

const EPS = 1e-5;

/**
 * VGGT's aggregator (Wang et al. 2025): tokens of all photos, looked at by photo and by all photos in turn. Photo 1 has
 * special tokens of its own: its camera is the frame of all.
 */
export interface Vggt {
  patchEmbed: Vit;
  /** Camera token and registers of photo 1, then those of all others. */
  specials: Tensor;
  frameBlocks: VisionBlock[];
  globalBlocks: VisionBlock[];
}

/** Reads the network; `weights` begin at `aggregator.`. */
export async function loadVggt(weights: NetworkWeights): Promise<Vggt> {
  const camera = await weights.numbers('camera_token');
  const registers = await weights.numbers('register_token');
  const channels = camera.length / 2;
  const specials = new Float32Array(camera.length + registers.length);
  for (let set = 0; set < 2; set++) {
    const at = (set * specials.length) / 2;
    specials.set(camera.subarray(set * channels, (set + 1) * channels), at);
    specials.set(registers.subarray((set * registers.length) / 2, ((set + 1) * registers.length) / 2), at + channels);
  }
  const blocks = async (name: string): Promise<VisionBlock[]> => {
    const result: VisionBlock[] = [];
    for (const part of weights.list(name)) result.push(await loadVisionBlock(part));
    return result;
  };
  return {
    patchEmbed: await loadVit(weights.at('patch_embed')),
    specials: weights.ops.tensor(specials, specials.length / channels, channels),
    frameBlocks: await blocks('frame_blocks'),
    globalBlocks: await blocks('global_blocks'),
  };
}

/** y and x of each token of each photo: 0, 0 of special ones, patches from 1, 1 on. */
export function tokenPositions(count: number, specials: number, across: number): Int32Array {
  const tokens = specials + across * across;
  return Int32Array.from({ length: count * tokens * 2 }, (_, i) => {
    const patch = (Math.floor(i / 2) % tokens) - specials;
    if (patch < 0) return 0;
    return 1 + (i % 2 === 0 ? Math.floor(patch / across) : patch % across);
  });
}

/**
 * Tokens of the given layers, photo after photo: what the layer's frame block and its global block gave, side by side.
 * @param images colours in 0…1, photo 1 first
 * @param layers numbers of layers, ascending
 */
export async function runVggt(
  ops: Ops,
  vggt: Vggt,
  images: ImageStack,
  layers: readonly number[],
  signal?: AbortSignal,
): Promise<Tensor[]> {
  const { count, side } = images;
  const embedded = await runVit(ops, vggt.patchEmbed, normalised(images), signal);
  const special = vggt.specials.rows / 2;
  const patches = normedPatches(ops, vggt.patchEmbed, embedded, count);
  ops.free(embedded);
  let x = interleaved(ops, vggt.specials, special, patches, count, (image) => Math.min(image, 1));
  ops.free(patches);
  const across = Math.sqrt(x.rows / count - special);
  if (across * 14 !== side) throw new RangeError(`${x.rows} tokens are not those of ${count} images of ${side} pixels`);
  const segments = ops.index(imageSegments(count, x.rows / count));
  const positions = ops.index(tokenPositions(count, special, across));
  const results: Tensor[] = [];
  const last = layers[layers.length - 1];
  for (let layer = 0; layer <= last; layer++) {
    const before = x;
    const frame = scoped(
      ops,
      () => visionBlock(ops, vggt.frameBlocks[layer], before, { eps: EPS, segments, positions }),
      before,
    );
    await ops.flush(signal);
    x = scoped(ops, () => visionBlock(ops, vggt.globalBlocks[layer], frame, { eps: EPS, positions }));
    if (layers.includes(layer)) results.push(ops.concatColumns([frame, x]));
    ops.free(frame);
    await ops.flush(signal);
  }
  ops.free(x, segments, positions);
  return results;
}
