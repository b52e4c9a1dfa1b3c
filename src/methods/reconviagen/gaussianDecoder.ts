import type { Linear, Ops, Tensor } from '../../nn/ops.js';
import type { NetworkWeights } from './networkWeights.js';
import { loadSwinDecoder, runSwinDecoder, type SwinDecoder } from './swinDecoder.js';

/** How raw numbers become gaussians: the `args` of the network's own file. */
export interface GaussianConfig {
  /** Voxels along a side. */
  resolution: number;
  /** Gaussians of a voxel. */
  perVoxel: number;
  /** Reach of a gaussian from its voxel's centre, in voxels. */
  voxelSize: number;
  /** Factors of the raw numbers. */
  rates: { position: number; colour: number; opacity: number; scale: number; rotation: number };
  /** Of a raw number 0. */
  scaleBias: number;
  opacityBias: number;
  /** No gaussian is smaller. */
  smallest: number;
}

/** The decoder of gaussians. */
export interface GaussianDecoder {
  transformer: SwinDecoder;
  /** Where each gaussian of a voxel begins, before the network moves it. */
  perturbation: Float32Array;
  output: Linear;
}

/** Reads the network. */
export async function loadGaussianDecoder(weights: NetworkWeights): Promise<GaussianDecoder> {
  return {
    transformer: await loadSwinDecoder(weights),
    perturbation: await weights.numbers('offset_perturbation'),
    output: await weights.linear('out_layer'),
  };
}

/** Gaussians as Kerbl et al. (2023) draw them; gaussian `voxel · perVoxel + i`. */
export interface Gaussians {
  /** In −½…½. */
  position: Float32Array;
  /** sRGB in 0…1, three a gaussian; the zeroth coefficient of its spherical harmonics is (colour − ½) / 0.2821. */
  colour: Float32Array;
  /** Standard deviation along each axis. */
  scale: Float32Array;
  /** w, x, y, z, of length 1. */
  rotation: Float32Array;
  opacity: Float32Array;
}

/**
 * The network's raw numbers, voxels × 448.
 * @param onBlock sees what each block of the transformer gives
 */
export async function runGaussianDecoder(
  ops: Ops,
  decoder: GaussianDecoder,
  latent: Float32Array,
  coords: Int32Array,
  signal?: AbortSignal,
  onBlock: (index: number, x: Tensor) => void | Promise<void> = () => {},
): Promise<Float32Array> {
  ops.open();
  const x = await runSwinDecoder(ops, decoder.transformer, latent, coords, signal, onBlock);
  const raw = await ops.read(ops.linear(ops.layerNorm(x, { eps: 1e-5 }), decoder.output));
  ops.close();
  return raw;
}

/** The zeroth spherical harmonic. */
const HARMONIC = 0.28209479177387814;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => (x > 20 ? x : Math.log1p(Math.exp(x)));
const inverseSoftplus = (y: number): number => y + Math.log(-Math.expm1(-y));

/** Turns raw numbers into gaussians. */
export function activateGaussians(
  raw: Float32Array,
  coords: Int32Array,
  perturbation: Float32Array,
  config: GaussianConfig,
): Gaussians {
  const { perVoxel, resolution, rates } = config;
  const voxels = coords.length / 3;
  const count = voxels * perVoxel;
  // A voxel's numbers: positions of all its gaussians, then colours, scales, rotations, opacities.
  const starts = { position: 0, colour: 3, scale: 6, rotation: 9, opacity: 13 };
  const take = (start: number, width: number, change: (x: number, i: number) => number): Float32Array => {
    const stride = 14 * perVoxel;
    return Float32Array.from({ length: count * width }, (_, i) => {
      const voxel = Math.floor(i / (perVoxel * width));
      return change(raw[voxel * stride + start * perVoxel + (i % (perVoxel * width))], i);
    });
  };
  const reach = (0.5 * config.voxelSize) / resolution;
  const scaleBias = inverseSoftplus(config.scaleBias);
  const opacityBias = Math.log(config.opacityBias / (1 - config.opacityBias));
  const rotation = take(starts.rotation, 4, (x, i) => x * rates.rotation + (i % 4 === 0 ? 1 : 0));
  for (let i = 0; i < rotation.length; i += 4) {
    const length = Math.hypot(...rotation.subarray(i, i + 4)) || 1;
    for (let j = i; j < i + 4; j++) rotation[j] /= length;
  }
  return {
    position: take(starts.position, 3, (x, i) => {
      const voxel = Math.floor(i / (perVoxel * 3));
      const offset = Math.tanh(x * rates.position + perturbation[i % (perVoxel * 3)]) * reach;
      return (coords[voxel * 3 + (i % 3)] + 0.5) / resolution + offset - 0.5;
    }),
    colour: take(starts.colour, 3, (x) => Math.max(0, Math.min(1, 0.5 + HARMONIC * x * rates.colour))),
    scale: take(starts.scale, 3, (x) => Math.hypot(softplus(x * rates.scale + scaleBias), config.smallest)),
    rotation,
    opacity: take(starts.opacity, 1, (x) => sigmoid(x * rates.opacity + opacityBias)),
  };
}
