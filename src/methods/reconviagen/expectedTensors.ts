/**
 * Which tensors each network has, and of what shape: a file is held against it before anything is computed, so that a
 * tensor that lacks, that nothing reads, or that has another shape is told by name.
 */
import { PlinthError } from '../../core/errors.js';
import type { TensorFile } from '../../weights/safetensors.js';

/** Shapes by name. */
export type Shapes = Map<string, readonly number[]>;

const HEAD = 64;

/** Collects the shapes of a network, part by part. */
class ShapeList {
  readonly shapes: Shapes;
  private readonly prefix: string;

  constructor(prefix = '', shapes: Shapes = new Map()) {
    this.prefix = prefix;
    this.shapes = shapes;
  }

  at(part: string): ShapeList {
    return new ShapeList(`${this.prefix}${part}.`, this.shapes);
  }

  each(part: string, count: number, describe: (list: ShapeList, index: number) => void): void {
    for (let i = 0; i < count; i++) describe(this.at(`${part}.${i}`), i);
  }

  tensor(name: string, ...shape: number[]): void {
    this.shapes.set(this.prefix + name, shape);
  }

  /** A layer with its bias; `taps` are the dimensions of a convolution, before the inputs or after them. */
  linear(name: string, outputs: number, inputs: number, taps: 'none' | 'sparse' | 'dense' | 'point' = 'none'): void {
    const three = [3, 3, 3];
    if (taps === 'none') this.tensor(`${name}.weight`, outputs, inputs);
    if (taps === 'sparse') this.tensor(`${name}.weight`, outputs, ...three, inputs);
    if (taps === 'dense') this.tensor(`${name}.weight`, outputs, inputs, ...three);
    if (taps === 'point') this.tensor(`${name}.weight`, outputs, 1, 1, 1, inputs);
    this.tensor(`${name}.bias`, outputs);
  }

  affine(name: string, channels: number): void {
    this.tensor(`${name}.weight`, channels);
    this.tensor(`${name}.bias`, channels);
  }
}

interface DiffusionShape {
  channels: number;
  hidden: number;
  /** Channels of the condition that it looks at. */
  condition?: number;
  self?: string;
  headNorms?: boolean;
  modulated?: boolean;
}

function diffusionBlock(list: ShapeList, block: DiffusionShape): void {
  const { channels: c, hidden, condition, self = 'self_attn', headNorms = false, modulated = false } = block;
  list.linear(`${self}.to_qkv`, 3 * c, c);
  list.linear(`${self}.to_out`, c, c);
  if (headNorms) for (const part of ['q', 'k']) list.tensor(`${self}.${part}_rms_norm.gamma`, c / HEAD, HEAD);
  if (condition !== undefined) {
    list.affine('norm2', c);
    list.linear('cross_attn.to_q', c, c);
    list.linear('cross_attn.to_kv', 2 * c, condition);
    list.linear('cross_attn.to_out', c, c);
  }
  list.linear('mlp.mlp.0', hidden, c);
  list.linear('mlp.mlp.2', c, hidden);
  if (modulated) list.linear('adaLN_modulation.1', 6 * c, c);
}

/** Widths of a vision transformer. */
export interface VisionShape {
  channels: number;
  hidden: number;
  depth: number;
}

function visionBlocks(
  list: ShapeList,
  part: string,
  { channels: c, hidden, depth }: VisionShape,
  norms: boolean,
): void {
  list.each(part, depth, (block) => {
    block.affine('norm1', c);
    block.linear('attn.qkv', 3 * c, c);
    if (norms) for (const name of ['q_norm', 'k_norm']) block.affine(`attn.${name}`, HEAD);
    block.linear('attn.proj', c, c);
    block.tensor('ls1.gamma', c);
    block.affine('norm2', c);
    block.linear('mlp.fc1', hidden, c);
    block.linear('mlp.fc2', c, hidden);
    block.tensor('ls2.gamma', c);
  });
}

/** What a DINOv2 has. @param across patches along a side */
export function vitShapes(vit: VisionShape & { across: number; registers: number }, list = new ShapeList()): Shapes {
  const { channels: c, across, registers } = vit;
  list.tensor('patch_embed.proj.weight', c, 3, 14, 14);
  list.tensor('patch_embed.proj.bias', c);
  list.tensor('cls_token', 1, 1, c);
  list.tensor('register_tokens', 1, registers, c);
  list.tensor('pos_embed', 1, across * across + 1, c);
  visionBlocks(list, 'blocks', vit, false);
  list.affine('norm', c);
  return list.shapes;
}

/** Widths of VGGT's parts. */
export interface VggtShape extends VisionShape {
  embed: VisionShape & { across: number; registers: number };
  registers: number;
}

/** What VGGT's aggregator has, from `aggregator.` on. */
export function vggtShapes(vggt: VggtShape): Shapes {
  const list = new ShapeList();
  list.tensor('camera_token', 1, 2, 1, vggt.channels);
  list.tensor('register_token', 1, 2, vggt.registers, vggt.channels);
  vitShapes(vggt.embed, list.at('patch_embed'));
  for (const part of ['frame_blocks', 'global_blocks']) visionBlocks(list, part, vggt, true);
  return list.shapes;
}

/** Numbers of a pose: translation, quaternion, two angles of view. */
export const POSE = 9;

/** What VGGT's camera head has, from `camera_head.` on. */
export function cameraHeadShapes(trunk: VisionShape): Shapes {
  const list = new ShapeList();
  const { channels: c } = trunk;
  list.tensor('empty_pose_tokens', 1, 1, POSE);
  list.linear('embed_pose', c, POSE);
  list.linear('poseLN_modulation.1', 3 * c, c);
  for (const name of ['token_norm', 'trunk_norm']) list.affine(name, c);
  visionBlocks(list, 'trunk', trunk, false);
  list.linear('pose_branch.fc1', c / 2, c);
  list.linear('pose_branch.fc2', POSE, c / 2);
  return list.shapes;
}

/** What a network's .json says of it. */
export type Args = Readonly<Record<string, unknown>>;

const number = (args: Args, name: string): number => args[name] as number;

const flowBlock = (args: Args): DiffusionShape => {
  const channels = number(args, 'model_channels');
  return {
    channels,
    hidden: channels * number(args, 'mlp_ratio'),
    condition: number(args, 'cond_channels'),
    headNorms: true,
    modulated: true,
  };
};

function timeEmbedding(list: ShapeList, channels: number): void {
  list.linear('t_embedder.mlp.0', channels, 256);
  list.linear('t_embedder.mlp.2', channels, channels);
}

/** What the flow of the structure has. */
export function structureFlowShapes(args: Args): Shapes {
  const list = new ShapeList();
  const block = flowBlock(args);
  const { channels } = block;
  list.linear('input_layer', channels, number(args, 'in_channels'));
  list.tensor('pos_emb', number(args, 'resolution') ** 3, channels);
  timeEmbedding(list, channels);
  list.each('blocks', number(args, 'num_blocks'), (part) => diffusionBlock(part, block));
  list.linear('out_layer', number(args, 'out_channels'), channels);
  return list.shapes;
}

/** What the decoder of the structure has. */
export function structureDecoderShapes(args: Args): Shapes {
  const list = new ShapeList();
  const widths = args.channels as number[];
  const count = number(args, 'num_res_blocks');
  const residual = (part: ShapeList, c: number): void => {
    for (const i of [1, 2]) {
      part.affine(`norm${i}`, c);
      part.linear(`conv${i}`, c, c, 'dense');
    }
  };
  list.linear('input_layer', widths[0], number(args, 'latent_channels'), 'dense');
  list.each('middle_block', number(args, 'num_res_blocks_middle'), (part) => residual(part, widths[0]));
  let at = 0;
  widths.forEach((c, level) => {
    for (let i = 0; i < count; i++) residual(list.at(`blocks.${at++}`), c);
    if (level + 1 < widths.length) list.at(`blocks.${at++}`).linear('conv', 8 * widths[level + 1], c, 'dense');
  });
  const last = widths[widths.length - 1];
  list.affine('out_layer.0', last);
  list.linear('out_layer.2', number(args, 'out_channels'), last, 'dense');
  return list.shapes;
}

/** What the flow of the latent has. */
export function latentFlowShapes(args: Args): Shapes {
  const list = new ShapeList();
  const block = flowBlock(args);
  const { channels } = block;
  const [narrow] = args.io_block_channels as number[];
  const residual = (part: ShapeList, outputs: number, inputs: number): void => {
    part.affine('norm1', inputs);
    part.linear('conv1.conv', outputs, inputs, 'sparse');
    part.linear('conv2.conv', outputs, outputs, 'sparse');
    part.linear('emb_layers.1', 2 * outputs, channels);
    if (outputs !== inputs) part.linear('skip_connection', outputs, inputs);
  };
  list.linear('input_layer', narrow, number(args, 'in_channels'));
  residual(list.at('input_blocks.0'), narrow, narrow);
  residual(list.at('input_blocks.1'), channels, narrow);
  timeEmbedding(list, channels);
  list.each('blocks', number(args, 'num_blocks'), (part) => diffusionBlock(part, block));
  residual(list.at('out_blocks.0'), narrow, 2 * channels);
  residual(list.at('out_blocks.1'), narrow, 2 * narrow);
  list.linear('out_layer', number(args, 'out_channels'), narrow);
  return list.shapes;
}

/** What the decoder of meshes has. */
export function meshDecoderShapes(args: Args): Shapes {
  const list = new ShapeList();
  const channels = number(args, 'model_channels');
  const block = { channels, hidden: channels * number(args, 'mlp_ratio'), self: 'attn' };
  list.linear('input_layer', channels, number(args, 'latent_channels'));
  list.each('blocks', number(args, 'num_blocks'), (part) => diffusionBlock(part, block));
  [4, 8].forEach((share, i) => {
    const [inputs, outputs] = [i === 0 ? channels : channels / 4, channels / share];
    const part = list.at(`upsample.${i}`);
    part.affine('act_layers.0', inputs);
    part.linear('out_layers.0.conv', outputs, inputs, 'sparse');
    part.affine('out_layers.1', outputs);
    part.linear('out_layers.3.conv', outputs, outputs, 'sparse');
    part.linear('skip_connection.conv', outputs, inputs, 'point');
  });
  list.linear('out_layer', 101, channels / 8);
  return list.shapes;
}

/** What the condition of the structure has. @param layers of VGGT that it takes */
export function structureConditionShapes(args: Args, layers: number): Shapes {
  const list = new ShapeList();
  const channels = number(args, 'channels');
  const hidden = channels * number(args, 'mlp_ratio');
  const condition = number(args, 'ctx_channels');
  list.tensor('multiview_cond_tokens', 1, number(args, 'num_init_tokens'), channels);
  list.each('cond_blocks', layers, (part) => diffusionBlock(part, { channels, hidden, condition, headNorms: true }));
  return list.shapes;
}

/** What the condition of the latent has. @param layers of VGGT that it takes */
export function latentConditionShapes(args: Args, layers: number): Shapes {
  const list = new ShapeList();
  list.each('linear_blocks', layers, (part) =>
    part.linear('0', number(args, 'channels'), number(args, 'ctx_channels')),
  );
  return list.shapes;
}

/** Names of `all` as one reads them: the first few, and how many more there are. */
const named = (all: readonly string[]): string =>
  all.slice(0, 5).join(', ') + (all.length > 5 ? ` and ${all.length - 5} more` : '');

/**
 * Holds what is below `prefix` in a file against what its network has.
 * @param ignored names of tensors that the network has and that nothing here reads
 * @throws `WEIGHTS_INVALID` for tensors that lack or have another shape, `WEIGHTS_UNSUPPORTED` for ones that are unknown
 */
export function checkTensors(file: TensorFile, expected: Shapes, prefix = '', ignored: readonly string[] = []): void {
  const missing = [...expected.keys()].filter((name) => !file.tensors.has(prefix + name)).map((name) => prefix + name);
  if (missing.length > 0) {
    throw new PlinthError('WEIGHTS_INVALID', {
      found: `${file.name} lacks ${missing.length} of the ${expected.size} tensors of its network: ${named(missing)}`,
      remedy: 'Run `plinth weights verify`; where the file is what was published, this network is not supported',
      subject: file.name,
    });
  }
  for (const [name, shape] of expected) {
    const found = file.tensors.get(prefix + name)!.shape;
    if (found.length === shape.length && found.every((n, i) => n === shape[i])) continue;
    throw new PlinthError('WEIGHTS_INVALID', {
      found: `${file.name} holds the tensor "${prefix}${name}" as [${found.join(', ')}]`,
      expected: `[${shape.join(', ')}]`,
      remedy: 'Run `plinth weights verify`; where the file is what was published, this network is not supported',
      subject: file.name,
    });
  }
  const unknown = [...file.tensors.keys()].filter(
    (name) => name.startsWith(prefix) && !expected.has(name.slice(prefix.length)) && !ignored.includes(name),
  );
  if (unknown.length === 0) return;
  throw new PlinthError('WEIGHTS_UNSUPPORTED', {
    found: `${file.name} holds ${unknown.length} tensors that its network does not know: ${named(unknown)}`,
    expected: 'the published network; what an unknown part does to the result cannot be known',
    subject: file.name,
  });
}
