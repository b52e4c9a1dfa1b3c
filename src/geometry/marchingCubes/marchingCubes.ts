import type { Vec3 } from '../../core/math.js';
import type { Batch } from '../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../gpu/runtime/kernel.js';
import type { GpuResources } from '../../gpu/runtime/resources.js';
import { MARCHING_CUBES } from './marchingCubesTable.js';

const EXTRACT_UNIFORMS = {
  origin: 'vec3f',
  voxel: 'f32',
  bricks: 'vec3u',
  count: 'u32',
  vertexStart: 'u32',
  triangleStart: 'u32',
  first: 'u32',
} as const;

const countKernel = defineKernel({
  name: 'marchingCubes.count',
  shader: new URL('./marchingCubes.wgsl', import.meta.url),
  entryPoint: 'count',
  bindings: {
    field: 'read',
    bricks: 'read',
    table: 'read',
    ranks: 'read_write',
    counts: 'read_write',
    extract: 'uniform',
  },
  uniforms: EXTRACT_UNIFORMS,
});

const emitKernel = defineKernel({
  name: 'marchingCubes.emit',
  shader: new URL('./marchingCubesEmit.wgsl', import.meta.url),
  entryPoint: 'emit',
  bindings: {
    field: 'read',
    bricks: 'read',
    table: 'read',
    ranks: 'read',
    slots: 'read',
    positions: 'read_write',
    indices: 'read_write',
    extract: 'uniform',
  },
  uniforms: EXTRACT_UNIFORMS,
});

/** Bytes of the extraction's buffers per brick. */
export const EXTRACTION_BYTES = 576 * 4 + 8 + 16;
/** Words per brick of `ranks`. */
export const RANK_WORDS = 576;

/** The grid that the bricks belong to. */
export interface ExtractionGrid {
  origin: Vec3;
  voxel: number;
  bricks: Vec3;
}

export interface ExtractionBuffers {
  /** `vec2f` per sample, 729 per brick; x is the signed distance, negative inside. */
  field: GPUBuffer;
  /** `vec4u` per brick: x | y << 10 | z << 20, first vertex, first triangle. */
  bricks: GPUBuffer;
  /** 576 words per brick. */
  ranks: GPUBuffer;
}

const tableOf = (gpu: GpuResources): GPUBuffer =>
  gpu.cached(tableOf, () => {
    const { starts, edges } = MARCHING_CUBES;
    const words = new Uint32Array(starts.length + edges.length);
    words.set(starts);
    words.set(edges, starts.length);
    return gpu.upload(words, 'marching cubes');
  });

/** Records the count of vertices and triangles of `count` bricks from `first`; `counts` receives a `vec2u` for each. */
export function recordCount(
  batch: Batch,
  grid: ExtractionGrid,
  buffers: ExtractionBuffers & { counts: GPUBuffer },
  first: number,
  count: number,
): void {
  const { field, bricks, ranks, counts } = buffers;
  const uniforms = { ...pick(grid), count, first, vertexStart: 0, triangleStart: 0 };
  countKernel.dispatch(batch, { field, bricks, table: tableOf(batch.gpu), ranks, counts }, uniforms, linear(count, 1));
}

/**
 * Records the output of `count` bricks from `first`, whose first vertex and triangle are to come first in the output
 * buffers.
 */
export function recordEmit(
  batch: Batch,
  grid: ExtractionGrid,
  buffers: ExtractionBuffers & { slots: GPUBuffer; positions: GPUBuffer; indices: GPUBuffer },
  range: { first: number; count: number; vertexStart: number; triangleStart: number },
): void {
  const { field, bricks, ranks, slots, positions, indices } = buffers;
  emitKernel.dispatch(
    batch,
    { field, bricks, table: tableOf(batch.gpu), ranks, slots, positions, indices },
    { ...pick(grid), ...range },
    linear(range.count, 1),
  );
}

const pick = ({ origin, voxel, bricks }: ExtractionGrid): ExtractionGrid => ({ origin, voxel, bricks });
