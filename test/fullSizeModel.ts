/** Weights of ReconViaGen's networks at their published sizes, every number zero: nothing is stored. */

import {
  cameraHeadShapes,
  latentConditionShapes,
  latentFlowShapes,
  meshDecoderShapes,
  type Shapes,
  structureConditionShapes,
  structureDecoderShapes,
  structureFlowShapes,
  vggtShapes,
  vitShapes,
} from '../src/methods/reconviagen/expectedTensors.js';
import type { Model } from '../src/methods/reconviagen/model.js';
import { openModel } from '../src/methods/reconviagen/model.js';
import { DTYPE_BYTES, type StoredTensor, type TensorFile } from '../src/weights/safetensors.js';
import { goldenText } from './goldens.js';

/** What the published files are known to say otherwise than the miniatures of the goldens. */
const FULL = {
  ss_flow: { resolution: 16, model_channels: 1024, cond_channels: 1024, num_blocks: 24, num_heads: 16, mlp_ratio: 4 },
  ss_dec: { channels: [512, 128, 32] },
  slat_flow: {
    ...{ resolution: 64, model_channels: 1024, cond_channels: 1024, num_blocks: 24, num_heads: 16, mlp_ratio: 4 },
    io_block_channels: [128],
  },
  slat_dec_mesh: { resolution: 64, model_channels: 768, num_blocks: 12, num_heads: 12, mlp_ratio: 4 },
  ss_vggt_cond: { channels: 1024, ctx_channels: 3072, num_heads: 16, mlp_ratio: 4, num_init_tokens: 4096 },
  slat_vggt_cond: { channels: 1024, ctx_channels: 3072 },
};
const VISION = { channels: 1024, hidden: 4096, depth: 24 };
const EMBED = { ...VISION, across: 37, registers: 4 };
const LAYERS = 4;

interface Network {
  name: string;
  args: Record<string, unknown>;
}

/** A network's .json of the miniature, at its published size. */
function described(stem: string): Network {
  const key = stem.replace(/^ckpts\//, '').replace(/_tiny$/, '') as keyof typeof FULL;
  const network = JSON.parse(goldenText(`model/${stem}.json`)) as Network;
  return { ...network, args: { ...network.args, ...FULL[key] } };
}

const SHAPES: [RegExp, (args: Record<string, unknown>) => Shapes][] = [
  [/ss_flow/, structureFlowShapes],
  [/ss_dec/, structureDecoderShapes],
  [/slat_flow/, latentFlowShapes],
  [/slat_dec_mesh/, meshDecoderShapes],
  [/ss_vggt_cond/, (args) => structureConditionShapes(args, LAYERS)],
  [/slat_vggt_cond/, (args) => latentConditionShapes(args, LAYERS)],
];

const prefixed = (prefix: string, shapes: Shapes): [string, readonly number[]][] =>
  [...shapes].map(([name, shape]) => [prefix + name, shape]);

/**
 * The model, all zeros.
 * @param vision how VGGT and DINOv2 are stored: f32 as far as is known of the published files. The rest is in f16
 */
export async function fullSizeModel(vision: 'F32' | 'F16' = 'F32'): Promise<Model> {
  const file = (name: string, shapes: Iterable<[string, readonly number[]]>, dtype: 'F32' | 'F16'): TensorFile => {
    const tensors = new Map([...shapes].map(([key, shape]) => [key, { dtype, shape }]));
    const read = async (key: string): Promise<StoredTensor> => {
      const { shape } = tensors.get(key)!;
      const bytes = new Uint8Array(shape.reduce((a, b) => a * b, DTYPE_BYTES[dtype]));
      return { name: key, dtype, shape, bytes };
    };
    return { name, tensors, read };
  };
  return openModel({
    async tensors(repository, path) {
      if (/vggt-object/.test(repository)) {
        const vggt = prefixed('aggregator.', vggtShapes({ ...VISION, embed: EMBED, registers: 4 }));
        const head = cameraHeadShapes({ channels: 2048, hidden: 8192, depth: 4 });
        return file(path, [...vggt, ...prefixed('camera_head.', head)], vision);
      }
      if (/dinov2/.test(repository)) return file(path, vitShapes(EMBED), vision);
      const stem = path.replace('.safetensors', '');
      const [, shapesOf] = SHAPES.find(([name]) => name.test(stem))!;
      return file(path, shapesOf(described(stem).args), 'F16');
    },
    async json(_, path) {
      if (path === 'pipeline.json') return JSON.parse(goldenText('model/pipeline.json')) as Record<string, unknown>;
      return { ...described(path.replace('.json', '')) };
    },
    identity: async () => 'full size',
    onSoftware: true,
    testModels: false,
  });
}
