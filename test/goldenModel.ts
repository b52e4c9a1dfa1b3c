/** The miniature of the released model repository under test/goldens. */
import type { GaussianConfig } from '../src/methods/reconviagen/gaussianDecoder.js';
import { NetworkWeights } from '../src/methods/reconviagen/networkWeights.js';
import type { Ops } from '../src/nn/ops.js';
import type { SamplerOptions } from '../src/nn/sampler.js';
import { goldenWeights } from './goldens.js';

/** The weights of one of its networks. */
export const openModel = async (ops: Ops, file: string, prefix?: string): Promise<NetworkWeights> =>
  new NetworkWeights(ops, await goldenWeights(`model/${file}.safetensors`), prefix);

/** x, y, z of coordinates that begin with the number of the batch. */
export const xyz = (coords: Int32Array): Int32Array => coords.filter((_, i) => i % 4 !== 0);

/** A sampler's settings as the reference names them. */
export function samplerOptions(config: Record<string, unknown>): SamplerOptions {
  return {
    steps: config.steps as number,
    rescaleT: config.rescale_t as number,
    guidance: config.cfg_strength as number,
    guidanceRescale: config.guidance_rescale as number,
    interval: config.cfg_interval as [number, number],
    sigmaMin: config.sigma_min as number,
  };
}

/** The gaussian decoder's settings as its file has them. */
export function gaussianConfig(args: Record<string, unknown>): GaussianConfig {
  const representation = args.representation_config as Record<string, unknown>;
  const rates = representation.lr as Record<string, number>;
  return {
    resolution: args.resolution as number,
    perVoxel: representation.num_gaussians as number,
    voxelSize: representation.voxel_size as number,
    rates: {
      position: rates._xyz,
      colour: rates._features_dc,
      opacity: rates._opacity,
      scale: rates._scaling,
      rotation: rates._rotation,
    },
    scaleBias: representation.scaling_bias as number,
    opacityBias: representation.opacity_bias as number,
    smallest: representation['3d_filter_kernel_size'] as number,
  };
}
