import { PlinthError } from '../../core/errors.js';
import type { Args } from './expectedTensors.js';

/** What an argument of a network may be. */
type Rule = (value: unknown, args: Args) => boolean;

const count: Rule = (v) => Number.isSafeInteger(v) && (v as number) >= 1;
const positive: Rule = (v) => typeof v === 'number' && v > 0;
const counts: Rule = (v) => Array.isArray(v) && v.length > 0 && v.every((n) => count(n, {}));
const is =
  (wanted: unknown): Rule =>
  (v) =>
    v === wanted;
/** How the published code stores or speeds up, which changes no result here. */
const any: Rule = () => true;
const headsOf =
  (channels: string): Rule =>
  (v, args) =>
    (v as number) * 64 === args[channels];

interface Rules {
  /** The class that the reference makes of it, with or without `Elastic` before. */
  name: string;
  needed: Readonly<Record<string, Rule>>;
  /** Arguments that may be there. */
  optional: Readonly<Record<string, Rule>>;
}

const STORAGE = { use_fp16: any, use_checkpoint: any, dtype: any };

const FLOW: Pick<Rules, 'needed' | 'optional'> = {
  needed: {
    resolution: count,
    in_channels: is(8),
    out_channels: is(8),
    model_channels: count,
    cond_channels: count,
    num_blocks: count,
    mlp_ratio: positive,
    qk_rms_norm: is(true),
  },
  optional: {
    ...STORAGE,
    num_heads: headsOf('model_channels'),
    num_head_channels: is(64),
    pe_mode: is('ape'),
    share_mod: is(false),
    qk_rms_norm_cross: is(false),
  },
};

const DECODER: Pick<Rules, 'needed' | 'optional'> = {
  needed: {
    resolution: count,
    model_channels: count,
    latent_channels: is(8),
    num_blocks: count,
    mlp_ratio: positive,
    attn_mode: is('swin'),
    window_size: is(8),
    representation_config: any,
  },
  optional: { ...STORAGE, num_heads: headsOf('model_channels'), pe_mode: is('ape'), qk_rms_norm: is(false) },
};

/** The networks of the pipeline, by their names in pipeline.json. */
const RULES = {
  sparse_structure_flow_model: {
    name: 'SparseStructureFlowModel',
    needed: FLOW.needed,
    optional: { ...FLOW.optional, patch_size: is(1) },
  },
  sparse_structure_decoder: {
    name: 'SparseStructureDecoder',
    needed: {
      out_channels: is(1),
      latent_channels: is(8),
      num_res_blocks: count,
      num_res_blocks_middle: count,
      channels: counts,
    },
    optional: { ...STORAGE, norm_type: is('layer') },
  },
  slat_flow_model: {
    name: 'SLatFlowModel',
    needed: {
      ...FLOW.needed,
      patch_size: is(2),
      num_io_res_blocks: is(2),
      io_block_channels: (v) => counts(v, {}) && (v as number[]).length === 1,
    },
    optional: { ...FLOW.optional, use_skip_connection: is(true) },
  },
  slat_decoder_mesh: {
    name: 'SLatMeshDecoder',
    needed: {
      ...DECODER.needed,
      representation_config: (v) => (v as { use_color?: unknown } | null)?.use_color === true,
    },
    optional: DECODER.optional,
  },
  sparse_structure_vggt_cond: {
    name: 'ModulatedMultiViewCond',
    needed: { channels: count, ctx_channels: count, mlp_ratio: positive, num_init_tokens: count },
    optional: { ...STORAGE, num_heads: headsOf('channels'), qk_rms_norm: is(true), qk_rms_norm_cross: is(false) },
  },
  slat_vggt_cond: {
    name: 'ModulatedSLATMultiViewCond',
    needed: { channels: count, ctx_channels: count },
    optional: { ...STORAGE },
  },
} as const satisfies Record<string, Rules>;

/** Networks of the pipeline, as pipeline.json calls them. */
export type PipelineNetwork = keyof typeof RULES;

/** Their names. */
export const PIPELINE_NETWORKS = Object.keys(RULES) as PipelineNetwork[];

/**
 * The arguments of a network from its .json. Whatever might change a result and is not built here is refused.
 * @param file for messages
 * @throws `WEIGHTS_UNSUPPORTED`
 */
export function networkArguments(network: PipelineNetwork, described: Record<string, unknown>, file: string): Args {
  const rules: Rules = RULES[network];
  const refuse = (found: string, expected: string): never => {
    throw new PlinthError('WEIGHTS_UNSUPPORTED', { found: `${file} ${found}`, expected, subject: file });
  };
  const { name, args } = described;
  if (typeof name !== 'string' || name.replace(/^Elastic/, '') !== rules.name) {
    refuse(`describes a network "${String(name)}"`, rules.name);
  }
  if (typeof args !== 'object' || args === null) refuse('gives its network no arguments', 'an object `args`');
  const given = args as Args;
  const known = { ...rules.optional, ...rules.needed };
  for (const wanted of Object.keys(rules.needed)) {
    if (!Object.hasOwn(given, wanted)) refuse(`lacks the argument ${wanted}`, `all of ${Object.keys(rules.needed)}`);
  }
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(known, key)) refuse(`has an argument ${key} that is not known`, Object.keys(known).join(', '));
    if (!known[key](value, given)) {
      refuse(
        `has the argument ${key} = ${JSON.stringify(value)}`,
        'what the published network has; others are not built',
      );
    }
  }
  return given;
}
