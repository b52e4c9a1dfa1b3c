import { scoped } from '../../nn/ops.js';
import { loadCameraHead, runCameraHead } from './cameraHead.js';
import {
  loadLatentCondition,
  loadStructureCondition,
  runLatentCondition,
  runStructureCondition,
} from './conditions.js';
import type { Model } from './model.js';
import type { TellingOps } from './tellingOps.js';
import { loadVggt, runVggt } from './vggt.js';
import { type ImageStack, imageCondition, loadVit, normalised, runVit, withoutSpecials } from './vit.js';

/** What the networks make of the photos, for the flows and for finding the cameras. */
export interface Encoded {
  /** Tokens × channels. */
  structure: Float32Array;
  /** All tokens of all photos × channels. */
  latent: Float32Array;
  /** Poses as `runCameraHead` gives them; empty where the weights have no camera head. */
  poses: Float32Array;
}

/** Runs DINOv2, VGGT with its camera head, and both condition networks, one on the device at a time. */
export async function encodePhotos(
  ops: TellingOps,
  model: Model,
  images: ImageStack,
  signal: AbortSignal,
): Promise<Encoded> {
  const { count } = images;
  const [dino] = await ops.withNetwork(
    () => loadVit(model.weights('dinov2', ops, signal)),
    async (vit) => {
      const tokens = await runVit(ops, vit, normalised(images), signal);
      return [imageCondition(ops, tokens)];
    },
  );
  const layers = await ops.withNetwork(
    () => loadVggt(model.weights('vggt', ops, signal)),
    (vggt) => runVggt(ops, vggt, images, model.layers, signal),
  );
  const tokens = dino.rows / count;

  let poses = new Float32Array(0);
  if (model.hasCameraHead) {
    await ops.withNetwork(
      () => loadCameraHead(model.weights('camera_head', ops, signal)),
      async (head) => {
        const first = ops.index(Int32Array.from({ length: count }, (_, i) => i * tokens));
        const camera = ops.gather(layers[layers.length - 1], first);
        poses = Float32Array.from(await runCameraHead(ops, head, camera, signal));
        return [];
      },
    );
  }

  const [structure] = await ops.withNetwork(
    () => loadStructureCondition(model.weights('sparse_structure_vggt_cond', ops, signal)),
    async (network) => {
      const patches = ops.index(withoutSpecials(count, tokens, model.specials));
      const seen = layers.map((layer) => scoped(ops, () => ops.gather(layer, patches)));
      return [await runStructureCondition(ops, network, seen, ops.gather(dino, patches), signal)];
    },
  );
  const [latent] = await ops.withNetwork(
    () => loadLatentCondition(model.weights('slat_vggt_cond', ops, signal)),
    async (network) => [runLatentCondition(ops, network, layers, dino)],
  );
  const result = { structure: await ops.read(structure), latent: await ops.read(latent), poses };
  ops.free(dino, structure, latent, ...layers);
  return result;
}
