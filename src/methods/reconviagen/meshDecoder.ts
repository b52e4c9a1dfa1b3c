import { type Affine, type Linear, type Ops, scoped, type Tensor } from '../../nn/ops.js';
import { neighbourMap, subdivided } from '../../nn/sparse/voxels.js';
import type { NetworkWeights } from './networkWeights.js';
import { loadSwinDecoder, runSwinDecoder, type SwinDecoder } from './swinDecoder.js';

const GROUPS = 32;
const EPS = 1e-5;

/** Each voxel becomes eight: norm, subdivision, two convolutions, and the subdivided input added. */
export interface Subdivision {
  norm: Affine;
  conv1: Linear;
  innerNorm: Affine;
  conv2: Linear;
  skip?: Linear;
}

/**
 * The decoder of meshes: 101 numbers for each cube of four times the resolution, from which FlexiCubes makes a mesh.
 */
export interface MeshDecoder {
  transformer: SwinDecoder;
  subdivisions: Subdivision[];
  output: Linear;
}

/** Reads the network. */
export async function loadMeshDecoder(weights: NetworkWeights): Promise<MeshDecoder> {
  const subdivisions: Subdivision[] = [];
  for (const part of weights.list('upsample')) {
    subdivisions.push({
      norm: await part.affine('act_layers.0'),
      conv1: await part.linear('out_layers.0.conv'),
      innerNorm: await part.affine('out_layers.1'),
      conv2: await part.linear('out_layers.3.conv'),
      skip: part.has('skip_connection.conv.weight') ? await part.linear('skip_connection.conv') : undefined,
    });
  }
  return { transformer: await loadSwinDecoder(weights), subdivisions, output: await weights.linear('out_layer') };
}

/** Runs a subdivision on voxels × channels. */
export function subdivide(ops: Ops, block: Subdivision, x: Tensor, coords: Int32Array): Tensor {
  const fine = subdivided(coords);
  const map = neighbourMap(fine);
  const neighbours = ops.index(map);
  const parents = ops.index(Int32Array.from({ length: x.rows * 8 }, (_, i) => i >> 3));
  const normed = ops.groupNorm(x, GROUPS, EPS, block.norm, 'silu');
  // What the children of a voxel hold before the convolution is the voxel's: it reads the voxels themselves.
  const families = ops.index(map.map((row) => row >> 3)); // −1 stays −1
  const inner = ops.convolution(normed, families, block.conv1);
  const activated = ops.groupNorm(inner, GROUPS, EPS, block.innerNorm, 'silu');
  // A layer that looks at one voxel gives all children of a parent the same, so it runs before they are made.
  const residual = ops.gather(block.skip ? ops.linear(x, block.skip) : x, parents);
  return ops.convolution(activated, neighbours, block.conv2, { residual });
}

/** The cubes of a mesh and what the network says of each. */
export interface DecodedCubes {
  /** x, y, z at the fine resolution. */
  coords: Int32Array;
  /** 101 numbers a cube: signed distance 8, offset 24, weights 21, colour 48. */
  features: Float32Array;
}

/**
 * Decodes the latents of voxels.
 * @param onPart sees what each part gives, by name
 */
export async function runMeshDecoder(
  ops: Ops,
  decoder: MeshDecoder,
  latent: Float32Array,
  coords: Int32Array,
  signal?: AbortSignal,
  onPart: (name: string, x: Tensor) => void | Promise<void> = () => {},
): Promise<DecodedCubes> {
  ops.open();
  let x = await runSwinDecoder(ops, decoder.transformer, latent, coords, signal, (i, h) => onPart(`blocks.${i}`, h));
  let cubes = coords;
  for (const [i, block] of decoder.subdivisions.entries()) {
    const before = x;
    const at = cubes;
    x = scoped(ops, () => subdivide(ops, block, before, at), before);
    cubes = subdivided(cubes);
    await ops.flush(signal);
    await onPart(`upsample.${i}`, x);
  }
  const features = await ops.read(ops.linear(x, decoder.output));
  ops.close();
  return { coords: cubes, features };
}
