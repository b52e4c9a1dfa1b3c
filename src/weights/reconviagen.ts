import type { WeightFile, WeightManifest } from './manifest.js';

/** A network of the pipeline: its arguments and its weights. */
const network = (stem: string, optional = false): WeightFile[] =>
  ['json', 'safetensors'].map((ending) => ({ path: `ckpts/${stem}.${ending}`, ...(optional ? { optional } : {}) }));

/**
 * Weights of ReconViaGen 0.2. The names are those of the published repositories. Sizes and hashes are not pinned, and
 * revisions are branches, because nobody has seen the files yet; each download keeps what the server stated.
 */
export const RECONVIAGEN_WEIGHTS: WeightManifest = {
  method: 'reconviagen',
  about: 'about 9 GB, or 12 GB if the networks are stored in full precision',
  repositories: [
    {
      name: 'Stable-X/trellis-vggt-v0-2',
      revision: 'main',
      licence: {
        terms:
          'Not known: the card of this repository has not been read. Two of its networks work on features of ' +
          'VGGT, whose published weights are non-commercial. Take it as non-commercial until the authors say otherwise.',
        url: 'https://huggingface.co/Stable-X/trellis-vggt-v0-2',
      },
      files: [
        { path: 'pipeline.json' },
        ...network('ss_flow_img_dit_L_16l8_fp16'),
        ...network('ss_dec_conv3d_16l8_fp16'),
        ...network('slat_flow_img_dit_L_64l8p2_fp16'),
        ...network('slat_dec_mesh_swin8_B_64l8m256c_fp16'),
        ...network('slat_dec_gs_swin8_B_64l8gs32_fp16', true),
        ...network('ss_vggt_cond'),
        ...network('slat_vggt_cond'),
      ],
    },
    {
      name: 'Stable-X/vggt-object-v0-1',
      revision: 'main',
      licence: {
        terms:
          'Not known: the card of this repository has not been read, and the base of this fine-tune is not stated. ' +
          'VGGT-1B is non-commercial. Take it as non-commercial until the authors say otherwise.',
        url: 'https://huggingface.co/Stable-X/vggt-object-v0-1',
      },
      files: [{ path: 'model.safetensors' }],
    },
    {
      name: 'facebook/dinov2-with-registers-large',
      revision: 'main',
      licence: {
        terms: 'Apache-2.0, as DINOv2 is published; the card of this repository has not been read.',
        url: 'https://huggingface.co/facebook/dinov2-with-registers-large',
      },
      files: [{ path: 'model.safetensors' }],
    },
  ],
};
