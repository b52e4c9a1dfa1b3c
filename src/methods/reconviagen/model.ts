import { PlinthError, throwIfCancelled } from '../../core/errors.js';
import type { Ops } from '../../nn/ops.js';
import type { SamplerOptions } from '../../nn/sampler.js';
import type { TensorFile } from '../../weights/safetensors.js';
import type { WeightFiles } from '../../weights/weightFiles.js';
import {
  type Args,
  cameraHeadShapes,
  checkTensors,
  latentConditionShapes,
  latentFlowShapes,
  meshDecoderShapes,
  structureConditionShapes,
  structureDecoderShapes,
  structureFlowShapes,
  type VggtShape,
  type VisionShape,
  vggtShapes,
  vitShapes,
} from './expectedTensors.js';
import { withOwnNames } from './huggingFaceNames.js';
import { networkArguments, PIPELINE_NETWORKS, type PipelineNetwork } from './networkArguments.js';
import { NetworkWeights } from './networkWeights.js';

/** Repositories of the manifest. */
const TRELLIS = 'Stable-X/trellis-vggt-v0-2';
const VGGT = 'Stable-X/vggt-object-v0-1';
const DINO = 'facebook/dinov2-with-registers-large';

/** All networks of the method. */
export type NetworkName = PipelineNetwork | 'dinov2' | 'vggt' | 'camera_head';

/** Layers of VGGT that the conditions take, of 24; a smaller network, as tests have, gives its first four. */
const TAKEN = [4, 11, 17, 23];

/**
 * How the published application samples, which goes before what pipeline.json says; steps and guidance are options.
 */
const STRUCTURE_SAMPLER = { rescaleT: 5, guidanceRescale: 0.7, interval: [0.6, 1], sigmaMin: 1e-5 } as const;
const LATENT_SAMPLER = { rescaleT: 3, guidanceRescale: 0.5, interval: [0.6, 1], sigmaMin: 1e-5 } as const;

/** The weights, checked, with what they say of themselves. */
export interface Model {
  /** Side in pixels of the square that a photo becomes. */
  side: number;
  /** Tokens of a photo before its patches. */
  specials: number;
  /** All tokens of a photo. */
  photoTokens: number;
  /** Tokens of the structure's condition. */
  structureTokens: number;
  /** Layers of VGGT that the conditions take. */
  layers: readonly number[];
  /** Parts of the networks that look at the photos: see `Ops.flush`. */
  encoderBlocks: number;
  /** Voxels along a side of the structure's latent, and of what is decoded from it. */
  structureSide: number;
  resolution: number;
  /** Numbers of a voxel's latent, and how they are brought to their spread. */
  normalization: { mean: readonly number[]; std: readonly number[] };
  structureSampler: Omit<SamplerOptions, 'steps' | 'guidance'>;
  latentSampler: Omit<SamplerOptions, 'steps' | 'guidance'>;
  hasCameraHead: boolean;
  /** Its sizes are not the published ones: a miniature for tests, whose results mean nothing. */
  isTest: boolean;
  /** The weights of one network. @param signal looked at before each tensor is read */
  weights(network: NetworkName, ops: Ops, signal?: AbortSignal): NetworkWeights;
}

/** One part of a file that holds a network. */
interface Part {
  file: TensorFile;
  prefix: string;
}

/**
 * Opens the weights of the method and holds every tensor's name and shape against what its network has; no numbers are
 * read.
 * @throws `WEIGHTS_MISSING`, `WEIGHTS_INVALID`, `WEIGHTS_UNSUPPORTED`
 */
export async function openModel(files: WeightFiles): Promise<Model> {
  const parts = new Map<NetworkName, Part>();
  const pipeline = await files.json(TRELLIS, 'pipeline.json');
  const { models, normalization } = readPipeline(pipeline);
  const args = {} as Record<PipelineNetwork, Args>;
  for (const network of PIPELINE_NETWORKS) {
    const stem = models[network];
    args[network] = networkArguments(network, await files.json(TRELLIS, `${stem}.json`), `${TRELLIS}/${stem}.json`);
    parts.set(network, { file: await files.tensors(TRELLIS, `${stem}.safetensors`), prefix: '' });
  }
  const vggtFile = await files.tensors(VGGT, 'model.safetensors');
  const dinoFile = withOwnNames(await files.tensors(DINO, 'model.safetensors'));
  const vggt = vggtSizes(vggtFile);
  const dino = vitSizes(dinoFile, '');
  const layers = vggt.depth === 24 ? TAKEN : [0, 1, 2, 3];
  const hasCameraHead = vggtFile.tensors.has('camera_head.embed_pose.weight');
  parts.set('dinov2', { file: dinoFile, prefix: '' });
  parts.set('vggt', { file: vggtFile, prefix: 'aggregator.' });
  if (hasCameraHead) parts.set('camera_head', { file: vggtFile, prefix: 'camera_head.' });

  const isTest = !isPublished(args, vggt, dino);
  if (isTest && !files.testModels) throw notPublished(args);
  const check = (network: PipelineNetwork, shapes: ReturnType<typeof vitShapes>): void =>
    checkTensors(parts.get(network)!.file, shapes);
  check('sparse_structure_flow_model', structureFlowShapes(args.sparse_structure_flow_model));
  check('sparse_structure_decoder', structureDecoderShapes(args.sparse_structure_decoder));
  check('slat_flow_model', latentFlowShapes(args.slat_flow_model));
  check('slat_decoder_mesh', meshDecoderShapes(args.slat_decoder_mesh));
  check('sparse_structure_vggt_cond', structureConditionShapes(args.sparse_structure_vggt_cond, layers.length));
  check('slat_vggt_cond', latentConditionShapes(args.slat_vggt_cond, layers.length));
  checkTensors(dinoFile, vitShapes(dino), '', ['mask_token']);
  checkTensors(vggtFile, vggtShapes(vggt), 'aggregator.', ['aggregator.patch_embed.mask_token']);
  if (hasCameraHead) checkTensors(vggtFile, cameraHeadShapes(trunkSizes(vggtFile)), 'camera_head.');
  checkTogether(args, vggt, dino);

  return {
    side: dino.across * 14,
    specials: 1 + dino.registers,
    photoTokens: 1 + dino.registers + dino.across ** 2,
    structureTokens: args.sparse_structure_vggt_cond.num_init_tokens as number,
    layers,
    encoderBlocks:
      dino.depth +
      vggt.embed.depth +
      2 * (layers[layers.length - 1] + 1) +
      layers.length +
      (hasCameraHead ? 4 * trunkSizes(vggtFile).depth : 0),
    structureSide: args.sparse_structure_flow_model.resolution as number,
    resolution: args.slat_flow_model.resolution as number,
    normalization,
    structureSampler: STRUCTURE_SAMPLER,
    latentSampler: LATENT_SAMPLER,
    hasCameraHead,
    isTest,
    weights(network, ops, signal) {
      const part = parts.get(network);
      if (!part) throw new RangeError(`the weights have no ${network}`);
      return new NetworkWeights(ops, abortable(part.file, signal), part.prefix);
    },
  };
}

/** The file, reading of which ends when the signal is aborted. */
const abortable = (file: TensorFile, signal: AbortSignal | undefined): TensorFile => ({
  name: file.name,
  tensors: file.tensors,
  async read(name) {
    throwIfCancelled(signal);
    return await file.read(name);
  },
});

const PIPELINE = `${TRELLIS}/pipeline.json`;

function readPipeline(pipeline: Record<string, unknown>): Pick<Model, 'normalization'> & {
  models: Record<PipelineNetwork, string>;
} {
  const args = (pipeline.args ?? {}) as Record<string, unknown>;
  const models = (args.models ?? {}) as Record<string, unknown>;
  for (const network of PIPELINE_NETWORKS) {
    const stem = models[network];
    if (typeof stem === 'string' && /^ckpts\/[\w.-]+$/.test(stem)) continue;
    throw new PlinthError('WEIGHTS_UNSUPPORTED', {
      found: `${PIPELINE} names ${JSON.stringify(stem)} as ${network}`,
      expected: 'a file of its folder ckpts/',
      subject: PIPELINE,
    });
  }
  const { mean, std } = (args.slat_normalization ?? {}) as Record<string, unknown>;
  const isList = (list: unknown): list is number[] =>
    Array.isArray(list) && list.length === 8 && list.every((n) => Number.isFinite(n));
  if (!isList(mean) || !isList(std)) {
    throw new PlinthError('WEIGHTS_UNSUPPORTED', {
      found: `${PIPELINE} gives no mean and deviation of the latent`,
      expected: '`slat_normalization` with eight numbers each',
      subject: PIPELINE,
    });
  }
  return { models: models as Record<PipelineNetwork, string>, normalization: { mean, std } };
}

/** Dimension of a tensor, 0 where there is none of that name: the comparison with what is expected then tells it. */
const dimension = (file: TensorFile, name: string, axis: number): number => file.tensors.get(name)?.shape[axis] ?? 0;

const depthOf = (file: TensorFile, part: string): number => {
  let depth = 0;
  while (file.tensors.has(`${part}.${depth}.norm1.weight`)) depth++;
  return Math.max(1, depth);
};

function visionSizes(file: TensorFile, part: string): VisionShape {
  return {
    channels: dimension(file, `${part}.0.attn.proj.weight`, 0),
    hidden: dimension(file, `${part}.0.mlp.fc1.weight`, 0),
    depth: depthOf(file, part),
  };
}

function vitSizes(file: TensorFile, prefix: string): VggtShape['embed'] {
  return {
    ...visionSizes(file, `${prefix}blocks`),
    across: Math.round(Math.sqrt(Math.max(0, dimension(file, `${prefix}pos_embed`, 1) - 1))),
    registers: dimension(file, `${prefix}register_tokens`, 1),
  };
}

const vggtSizes = (file: TensorFile): VggtShape => ({
  ...visionSizes(file, 'aggregator.frame_blocks'),
  registers: dimension(file, 'aggregator.register_token', 2),
  embed: vitSizes(file, 'aggregator.patch_embed.'),
});

const trunkSizes = (file: TensorFile): VisionShape => visionSizes(file, 'camera_head.trunk');

function isPublished(args: Record<PipelineNetwork, Args>, vggt: VggtShape, dino: VisionShape): boolean {
  const { sparse_structure_flow_model: structure, slat_flow_model: latent, slat_decoder_mesh: mesh } = args;
  return (
    [structure, latent].every((flow) => flow.model_channels === 1024 && flow.num_blocks === 24) &&
    structure.resolution === 16 &&
    latent.resolution === 64 &&
    mesh.model_channels === 768 &&
    [vggt, dino].every(({ channels, depth }) => channels === 1024 && depth === 24)
  );
}

const notPublished = ({ sparse_structure_flow_model: flow }: Record<PipelineNetwork, Args>): PlinthError =>
  new PlinthError('WEIGHTS_UNSUPPORTED', {
    found:
      `The weights are not of the published size: ${String(flow.num_blocks)} blocks of ${String(flow.model_channels)} ` +
      'channels make the structure',
    expected: '24 blocks of 1024 channels. Miniatures are for tests, whose results mean nothing',
    remedy: 'Name a folder that has the published weights with PLINTH_WEIGHTS; PLINTH_TEST_MODELS=1 takes any size',
    subject: TRELLIS,
  });

/** Throws where the networks do not fit each other. */
function checkTogether(args: Record<PipelineNetwork, Args>, vggt: VggtShape, dino: VggtShape['embed']): void {
  const { sparse_structure_vggt_cond: structure, slat_vggt_cond: latent, sparse_structure_decoder: decoder } = args;
  const channels = 2 * vggt.channels + dino.channels;
  const side = (args.sparse_structure_flow_model.resolution as number) * 2 ** ((decoder.channels as []).length - 1);
  const pairs: [string, unknown, unknown][] = [
    ['channels that the condition of the structure takes', structure.ctx_channels, channels],
    ['channels that the condition of the latent takes', latent.ctx_channels, channels],
    ['channels of the condition of the latent', latent.channels, dino.channels],
    [
      'channels that the flow of the structure takes',
      args.sparse_structure_flow_model.cond_channels,
      structure.channels,
    ],
    ['channels that the flow of the latent takes', args.slat_flow_model.cond_channels, latent.channels],
    ['patches along a side', vggt.embed.across, dino.across],
    ['special tokens of a photo', vggt.registers, dino.registers],
    ['voxels along a side of the latent', args.slat_flow_model.resolution, side],
    ['voxels along a side of the mesh decoder', args.slat_decoder_mesh.resolution, side],
  ];
  for (const [what, found, expected] of pairs) {
    if (found === expected) continue;
    throw new PlinthError('WEIGHTS_UNSUPPORTED', {
      found: `The networks do not fit together: ${what}: ${String(found)}`,
      expected: String(expected),
      subject: TRELLIS,
    });
  }
}
