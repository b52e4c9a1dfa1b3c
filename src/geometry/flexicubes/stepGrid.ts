import type { Batch } from '../../gpu/runtime/batch.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../gpu/runtime/kernel.js';
import { BRICK_SAMPLES, CELL_WEIGHTS, type IsoGrid } from './brickGrid.js';
import type { IsoSurface } from './extract.js';
import type { IsoGradients } from './extractBackward.js';

const shader = new URL('./stepGrid.wgsl', import.meta.url);
const uniforms = {
  samples: 'u32',
  vertices: 'u32',
  beta1: 'f32',
  beta2: 'f32',
  epsilon: 'f32',
  field: 'f32',
  deformation: 'f32',
  color: 'f32',
  weight: 'f32',
  maximumField: 'f32',
  maximumDeformation: 'f32',
  maximumWeight: 'f32',
} as const;

const stepSamples = defineKernel({
  name: 'isosurface step: samples',
  shader,
  entryPoint: 'stepSamples',
  bindings: { params: 'uniform', sampleGradients: 'read', samples: 'read_write', sampleMoments: 'read_write' },
  uniforms,
});

const stepWeights = defineKernel({
  name: 'isosurface step: weights',
  shader,
  entryPoint: 'stepWeights',
  bindings: {
    params: 'uniform',
    weightGradients: 'read',
    weights: 'read_write',
    weightMoments: 'read_write',
    entries: 'read',
    offsets: 'read',
  },
  uniforms,
});

/** Memory of the optimiser of one grid. */
export interface IsoMoments {
  /** vec4f [N × 4]: first and second moment of each vec4f of the samples. */
  samples: GPUBuffer;
  /** vec2f [N × 21]. */
  weights: GPUBuffer;
}

export function createIsoMoments(gpu: Gpu, grid: IsoGrid): IsoMoments {
  const n = grid.slots * BRICK_SAMPLES;
  return {
    samples: gpu.createBuffer(n * 64, 'sample moments'),
    weights: gpu.createBuffer(n * CELL_WEIGHTS * 8, 'weight moments'),
  };
}

export function destroyIsoMoments(moments: IsoMoments): void {
  moments.samples.destroy();
  moments.weights.destroy();
}

/** Lengths of the first steps. */
export interface IsoStepOptions {
  /** Signed distances, voxels. */
  field: number;
  /** Deformation of the grid, voxels. */
  deformation: number;
  /** Colours, linear. */
  color: number;
  /** Exponents of weights. */
  weight: number;
  /** In units of the gradients: elements whose gradients are much smaller than this stay put. Default 1e-8. */
  epsilon?: number;
}

/** Distances are kept within this many voxels, so that no sample is too far gone to change its sign. */
export const MAXIMUM_FIELD = 2;
/** Less than half a voxel, so that cells cannot turn inside out. */
export const MAXIMUM_DEFORMATION = 0.45;
/** Weights stay within e^±1. */
export const MAXIMUM_WEIGHT = 1;

/**
 * Records one step of Adam, without bias correction (β 0.9 and 0.99), on the samples and weights that the surface of
 * the last extraction touches.
 */
export function recordIsoStep(
  batch: Batch,
  grid: IsoGrid,
  surface: IsoSurface,
  gradients: IsoGradients,
  moments: IsoMoments,
  options: IsoStepOptions,
): void {
  const { field, deformation, color, weight, epsilon = 1e-8 } = options;
  const n = grid.slots * BRICK_SAMPLES;
  const values = {
    samples: n,
    vertices: surface.vertexCapacity,
    beta1: 0.9,
    beta2: 0.99,
    epsilon,
    field,
    deformation,
    color,
    weight,
    maximumField: MAXIMUM_FIELD,
    maximumDeformation: MAXIMUM_DEFORMATION,
    maximumWeight: MAXIMUM_WEIGHT,
  };
  stepSamples.dispatch(
    batch,
    { sampleGradients: gradients.samples, samples: grid.samples, sampleMoments: moments.samples },
    values,
    linear(n, 64),
  );
  if (weight === 0) return;
  stepWeights.dispatch(
    batch,
    {
      weightGradients: gradients.weights,
      weights: grid.weights,
      weightMoments: moments.weights,
      entries: grid.entries,
      offsets: grid.offsets,
    },
    values,
    linear(n, 64),
  );
}
