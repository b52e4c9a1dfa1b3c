import { PlinthError } from '../../core/errors.js';
import type { Mesh } from '../../core/mesh.js';
import type { ThreadTask } from '../../core/platform.js';
import { type SamplerStep, sampleFlow } from '../../nn/sampler.js';
import { TorchRandom } from '../../nn/torchRandom.js';
import type { MethodContext } from '../method.js';
import { writeMeshPreview } from '../shared/meshPreview.js';
import { type Encoded, encodePhotos } from './encode.js';
import type { ExtractedMesh, ExtractJob } from './extract.js';
import { latentVoxels, loadLatentFlow, runLatentFlow } from './latentFlow.js';
import { chooseMemoryTier } from './memory.js';
import { loadMeshDecoder, runMeshDecoder } from './meshDecoder.js';
import type { Model } from './model.js';
import type { ReconviagenOptions } from './options.js';
import { imageStack, photosDigest, type SeenPhoto } from './photos.js';
import type { Work } from './stages.js';
import { loadStructureDecoder, occupied, runStructureDecoder } from './structureDecoder.js';
import { flowConditions, loadStructureFlow, noConditions, runStructureFlow } from './structureFlow.js';
import { TellingOps } from './tellingOps.js';
import { voxelMesh } from './voxelMesh.js';

/** Numbers of a voxel's latent, in the dense volume and in the sparse one. */
const CHANNELS = 8;

const EXTRACT: ThreadTask<ExtractJob, ExtractedMesh> = {
  module: new URL('./extract', import.meta.url),
  name: 'extractInThread',
};

/** What the networks make of the photos. */
export interface Generated {
  /** In the networks' own frame, +Z up, within −½…½. */
  mesh: ExtractedMesh;
  /** As in `Encoded`. */
  poses: Float32Array;
  /** Occupied voxels. */
  voxels: number;
}

/** Photos to a coloured mesh: encoding, coarse shape, latents, mesh. Reports `encode` to `decode`. */
export async function generate(
  model: Model,
  photos: readonly SeenPhoto[],
  options: ReconviagenOptions,
  identity: string,
  context: MethodContext,
  work: Work,
): Promise<Generated> {
  const { gpu, signal, seed } = context;
  // A miniature, as tests have, fits every device.
  const tier = model.isTest ? undefined : chooseMemoryTier(gpu.adapter, { photos: photos.length });
  const ops = new TellingOps(gpu, tier);
  try {
    const { structureSteps, latentSteps, guidance } = options;
    const seen = { photos: await photosDigest(photos), weights: identity };
    const encoded = await encode(ops, model, photos, seen, context, work);
    const random = new TorchRandom(seed);
    const structure = { ...seen, seed, guidance, structureSteps };
    const coords = await sampleStructure(ops, model, encoded.structure, random, options, structure, context, work);
    const latents = { ...structure, latentSteps };
    const latent = await sampleLatent(ops, model, encoded.latent, photos.length, coords, random, options, latents, {
      context,
      work,
    });
    const decoded = await work.kept('decode', latents, async () => {
      const counter = flushCounter(ops, (done) => work.report('decode', Math.min(0.5, done / 40)));
      ops.open();
      const decoder = await loadMeshDecoder(model.weights('slat_decoder_mesh', ops, signal));
      const cubes = await runMeshDecoder(ops, decoder, latent, coords, signal);
      ops.close();
      await ops.tidy();
      counter.end();
      work.report('decode', 0.5, { detail: 'extracting the surface' });
      const mesh = await context.runInThread(EXTRACT, { cubes, resolution: model.resolution * 4 }, { signal });
      if (mesh.faces.length === 0) throw nothingMade('The networks made no surface');
      return { vertices: mesh.vertices, colours: mesh.colours, faces: mesh.faces };
    });
    work.report('decode', 1);
    return { mesh: decoded, poses: encoded.poses, voxels: coords.length / 3 };
  } finally {
    await ops.closeAll();
  }
}

const nothingMade = (found: string): PlinthError =>
  new PlinthError('SURFACE_EMPTY', {
    found,
    expected: 'photos of one object, cut out',
    remedy: 'Look whether every cut-out shows the whole object, or try another seed',
  });

/** Calls `tell` with the number of a network's parts that are done, until `end`. */
function flushCounter(ops: TellingOps, tell: (done: number) => void): { end(): void } {
  let done = 0;
  ops.onFlush = () => tell(++done);
  return {
    end() {
      ops.onFlush = () => {};
    },
  };
}

async function encode(
  ops: TellingOps,
  model: Model,
  photos: readonly SeenPhoto[],
  seen: object,
  { signal }: MethodContext,
  work: Work,
): Promise<Encoded> {
  const arrays = await work.kept('encode', seen, async () => {
    const parts = model.encoderBlocks;
    const counter = flushCounter(ops, (done) => work.report('encode', Math.min(1, done / parts)));
    work.report('encode', 0, { detail: `${photos.length} photo${photos.length === 1 ? '' : 's'}` });
    const encoded = await encodePhotos(ops, model, imageStack(photos), signal);
    counter.end();
    return { ...encoded };
  });
  work.report('encode', 1);
  return arrays;
}

async function sampleStructure(
  ops: TellingOps,
  model: Model,
  condition: Float32Array,
  random: TorchRandom,
  { structureSteps: steps, guidance }: ReconviagenOptions,
  decisive: object,
  context: MethodContext,
  work: Work,
): Promise<Int32Array> {
  const { signal } = context;
  const noise = random.normal(CHANNELS * model.structureSide ** 3);
  const { voxels } = await work.sampled(
    'structure',
    decisive,
    noise,
    async (from, first, onStep) => {
      ops.open();
      const flow = await loadStructureFlow(model.weights('sparse_structure_flow_model', ops, signal));
      const width = condition.length / model.structureTokens;
      const tokens = ops.tensor(condition, model.structureTokens, width);
      const conditions = flowConditions(ops, flow.blocks, tokens, 1, ops.tier.keepsConditions);
      const none = noConditions(ops, flow.blocks);
      const sampler = { ...model.structureSampler, steps, guidance };
      const sample = await sampleFlow(
        from,
        sampler,
        (x, t, conditioned) => runStructureFlow(ops, flow, x, t, conditioned ? conditions : none, signal),
        tellingSteps(work, 'structure', steps, first, onStep),
        first,
      );
      ops.close();
      await ops.tidy();
      return sample;
    },
    async (sample) => {
      ops.open();
      const decoder = await loadStructureDecoder(model.weights('sparse_structure_decoder', ops, signal));
      const { logits, side } = await runStructureDecoder(ops, decoder, sample, signal);
      ops.close();
      await ops.tidy();
      return { voxels: Uint32Array.from(occupied(logits, side)) };
    },
  );
  if (voxels.length === 0) throw nothingMade('The coarse shape that the networks made is empty');
  const coords = Int32Array.from(voxels);
  const preview = await writeMeshPreview(upright(voxelMesh(coords, model.resolution)), 'voxels', context);
  work.report('structure', 1, { detail: `${coords.length / 3} voxels`, preview });
  return coords;
}

/** `onStep` that also tells how far the stage is: "step 7 of 30". */
function tellingSteps(
  work: Work,
  stage: 'structure' | 'latent',
  steps: number,
  first: number,
  onStep: (step: SamplerStep) => void | Promise<void>,
): (step: SamplerStep) => Promise<void> {
  work.report(stage, first / (steps + 1), { resumed: first > 0, detail: `step ${first + 1} of ${steps}` });
  return async (step) => {
    const next = Math.min(steps, step.index + 2);
    work.report(stage, (step.index + 1) / (steps + 1), { detail: `step ${next} of ${steps}` });
    await onStep(step);
  };
}

async function sampleLatent(
  ops: TellingOps,
  model: Model,
  condition: Float32Array,
  photos: number,
  coords: Int32Array,
  random: TorchRandom,
  { latentSteps: steps, guidance }: ReconviagenOptions,
  decisive: object,
  { context, work }: { context: MethodContext; work: Work },
): Promise<Float32Array> {
  const { signal } = context;
  const noise = random.normal((coords.length / 3) * CHANNELS);
  const { latent } = await work.sampled(
    'latent',
    decisive,
    noise,
    async (from, first, onStep) => {
      ops.open();
      const flow = await loadLatentFlow(model.weights('slat_flow_model', ops, signal));
      const rows = photos * model.photoTokens;
      const tokens = ops.tensor(condition, rows, condition.length / rows);
      const views = flowConditions(ops, flow.blocks, tokens, photos, ops.tier.keepsConditions);
      const none = noConditions(ops, flow.blocks);
      const voxels = latentVoxels(ops, flow, coords);
      const sampler = { ...model.latentSampler, steps, guidance };
      const sample = await sampleFlow(
        from,
        sampler,
        (x, t, conditioned) => runLatentFlow(ops, flow, voxels, x, t, conditioned ? views : none, signal),
        tellingSteps(work, 'latent', steps, first, onStep),
        first,
      );
      ops.close();
      await ops.tidy();
      return sample;
    },
    async (sample) => {
      const { mean, std } = model.normalization;
      return { latent: sample.map((x, i) => x * std[i % CHANNELS] + mean[i % CHANNELS]) };
    },
  );
  work.report('latent', 1);
  return latent;
}

/** A mesh of the networks' frame (+Z up) in Plinth's (+Y up). */
export function upright(mesh: Mesh): Mesh {
  const positions = new Float32Array(mesh.positions.length);
  for (let i = 0; i < positions.length; i += 3) {
    positions[i] = mesh.positions[i];
    positions[i + 1] = mesh.positions[i + 2];
    positions[i + 2] = -mesh.positions[i + 1];
  }
  return { ...mesh, positions };
}
