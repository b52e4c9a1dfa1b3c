import type { Batch } from '../../gpu/runtime/batch.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../gpu/runtime/kernel.js';
import { BRICK_SAMPLES, CELL_WEIGHTS, type IsoGrid } from './brickGrid.js';
import { ISO_UNIFORMS, type IsoSurface, isoUniforms } from './extract.js';

const shader = new URL('./extractBackward.wgsl', import.meta.url);

const throughCenters = defineKernel({
  name: 'isosurface backward: centers',
  shader,
  entryPoint: 'throughCenters',
  bindings: {
    params: 'uniform',
    topology: 'read',
    quads: 'read',
    entries: 'read',
    offsets: 'read',
    positions: 'read',
    attributes: 'read',
    gradient: 'read',
    quadWeights: 'read_write',
  },
  uniforms: ISO_UNIFORMS,
});

const gatherCenters = defineKernel({
  name: 'isosurface backward: vertices',
  shader,
  entryPoint: 'gatherCenters',
  bindings: {
    params: 'uniform',
    topology: 'read',
    quadWeights: 'read',
    entries: 'read',
    offsets: 'read',
    gradient: 'read',
    vertexGradients: 'read_write',
    weightGradients: 'read_write',
  },
  uniforms: ISO_UNIFORMS,
});

const throughCrossings = defineKernel({
  name: 'isosurface backward: crossings',
  shader,
  entryPoint: 'throughCrossings',
  bindings: {
    params: 'uniform',
    topology: 'read',
    samples: 'read',
    entries: 'read',
    offsets: 'read',
    weights: 'read',
    vertexGradients: 'read',
    weightGradients: 'read_write',
    cornerGradients: 'read_write',
  },
  uniforms: ISO_UNIFORMS,
});

const gatherCorners = defineKernel({
  name: 'isosurface backward: samples',
  shader,
  entryPoint: 'gatherCorners',
  bindings: {
    params: 'uniform',
    topology: 'read',
    samples: 'read',
    entries: 'read',
    offsets: 'read',
    cornerGradients: 'read',
    sampleGradients: 'read_write',
  },
  uniforms: ISO_UNIFORMS,
});

/** Gradients of a grid, for surfaces of up to `vertexCapacity` dual vertices. */
export interface IsoGradients {
  /** vec4f [V × 2]. */
  vertices: GPUBuffer;
  /** vec4f [V × 16]: of the eight corners of a cell, at its first dual vertex. */
  corners: GPUBuffer;
  /** f32 [V × 21]: of the exponents of a cell's weights, at its first dual vertex. */
  weights: GPUBuffer;
  /**
   * vec4f [N × 2]: as `IsoGrid.samples`; the last component is 0 where nothing came, 1 where all may move, 2 at the
   * border (colour only).
   */
  samples: GPUBuffer;
}

export function createIsoGradients(gpu: Gpu, grid: IsoGrid, vertexCapacity: number): IsoGradients {
  return {
    vertices: gpu.createBuffer(vertexCapacity * 32, 'vertex gradients'),
    corners: gpu.createBuffer(vertexCapacity * 256, 'corner gradients'),
    weights: gpu.createBuffer(vertexCapacity * CELL_WEIGHTS * 4, 'weight gradients'),
    samples: gpu.createBuffer(grid.slots * BRICK_SAMPLES * 32, 'sample gradients'),
  };
}

export function destroyIsoGradients(gradients: IsoGradients): void {
  for (const buffer of [gradients.vertices, gradients.corners, gradients.weights, gradients.samples]) buffer.destroy();
}

/** Weights of the regularisers; 0 = without. */
export interface IsoRegularisers {
  /**
   * Loss per voxel of the mean absolute deviation of the distances between a dual vertex and its crossings, summed over
   * dual vertices (FlexiCubes' L_dev). It keeps quads flat where nothing else decides.
   */
  deviation?: number;
  /**
   * Loss per grid edge whose ends differ in sign, H(σ(a), sign b) + H(σ(b), sign a) with distances in voxels (Munkberg
   * et al. 2022). It removes surface that the pictures do not ask for.
   */
  signChange?: number;
}

/**
 * Records the gradient of the surface of the last `recordExtract` → `gradients.samples` and `gradients.weights`, which
 * are overwritten.
 * @param gradient vec4f [P × 2]: of position x, y, z (loss per scene unit), of the field's value there; of colour r, g,
 * b; 0. The field's value at
 *   the surface is 0 by definition; its gradient says how much the loss would like to have the point outside (negative) or inside, and
 *   goes to the samples with the shares that they have in the point, which are held constant.
 */
export function recordExtractBackward(
  batch: Batch,
  grid: IsoGrid,
  surface: IsoSurface,
  gradient: GPUBuffer,
  gradients: IsoGradients,
  regularisers: IsoRegularisers = {},
): void {
  const { topology, samples, weights, entries, offsets } = grid;
  const { positions, attributes, quads, quadWeights } = surface;
  const uniforms = isoUniforms(grid, surface, regularisers);
  const groups = linear(grid.slots * BRICK_SAMPLES, 64);
  throughCenters.dispatch(
    batch,
    { topology, quads, entries, offsets, positions, attributes, gradient, quadWeights },
    uniforms,
    groups,
  );
  gatherCenters.dispatch(
    batch,
    {
      topology,
      quadWeights,
      entries,
      offsets,
      gradient,
      vertexGradients: gradients.vertices,
      weightGradients: gradients.weights,
    },
    uniforms,
    groups,
  );
  throughCrossings.dispatch(
    batch,
    {
      topology,
      samples,
      entries,
      offsets,
      weights,
      vertexGradients: gradients.vertices,
      weightGradients: gradients.weights,
      cornerGradients: gradients.corners,
    },
    uniforms,
    groups,
  );
  gatherCorners.dispatch(
    batch,
    {
      topology,
      samples,
      entries,
      offsets,
      cornerGradients: gradients.corners,
      sampleGradients: gradients.samples,
    },
    uniforms,
    groups,
  );
}
