import { recordScan } from '../../gpu/primitives/scan.js';
import type { Batch } from '../../gpu/runtime/batch.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../gpu/runtime/kernel.js';
import { BRICK_SAMPLES, type IsoGrid } from './brickGrid.js';

/** Uniforms of `isosurface.wgsl`. */
export const ISO_UNIFORMS = {
  origin: 'vec3f',
  voxel: 'f32',
  samples: 'u32',
  vertices: 'u32',
  quads: 'u32',
  deviation: 'f32',
  signChange: 'f32',
} as const;

const shader = new URL('./extract.wgsl', import.meta.url);

const classify = defineKernel({
  name: 'isosurface classify',
  shader,
  entryPoint: 'classify',
  bindings: { params: 'uniform', topology: 'read', samples: 'read', cases: 'read_write' },
  uniforms: ISO_UNIFORMS,
});

const resolve = defineKernel({
  name: 'isosurface resolve',
  shader,
  entryPoint: 'resolve',
  bindings: { params: 'uniform', topology: 'read', cases: 'read', entries: 'read_write', counts: 'read_write' },
  uniforms: ISO_UNIFORMS,
});

const vertices = defineKernel({
  name: 'isosurface vertices',
  shader,
  entryPoint: 'vertices',
  bindings: {
    params: 'uniform',
    topology: 'read',
    samples: 'read',
    entries: 'read',
    offsets: 'read',
    weights: 'read',
    positions: 'read_write',
    attributes: 'read_write',
  },
  uniforms: ISO_UNIFORMS,
});

const quadTriangles = defineKernel({
  name: 'isosurface quads',
  shader,
  entryPoint: 'quadTriangles',
  bindings: {
    params: 'uniform',
    topology: 'read',
    quads: 'read_write',
    entries: 'read',
    offsets: 'read',
    triangles: 'read_write',
  },
  uniforms: ISO_UNIFORMS,
});

const centers = defineKernel({
  name: 'isosurface centers',
  shader,
  entryPoint: 'centers',
  bindings: {
    params: 'uniform',
    topology: 'read',
    quads: 'read',
    entries: 'read',
    offsets: 'read',
    weights: 'read',
    positions: 'read_write',
    attributes: 'read_write',
    quadWeights: 'read_write',
  },
  uniforms: ISO_UNIFORMS,
});

/**
 * Room for the surface of a grid, at least as large as the surface. What does not fit is left out, and `readIsoCounts`
 * tells. Positions come in the order of the slots: first the dual vertices, V of them, then the centres of the quads,
 * Q; triangle 4q + k is of quad q. Of what lies beyond, positions keep what they were, and triangles are 0, 0, 0.
 */
export interface IsoSurface {
  /** Dual vertices that there is room for. */
  vertexCapacity: number;
  quadCapacity: number;
  /** vertexCapacity + quadCapacity. */
  positionCapacity: number;
  /** 4 × quadCapacity. */
  triangleCapacity: number;
  /** f32 [P × 3], scene units. */
  positions: GPUBuffer;
  /** vec4f [P]: colour r, g, b, 0. */
  attributes: GPUBuffer;
  /**
   * u32 [T × 24]: position indices counter-clockwise seen from outside, 0; the far corners across edges 01, 12, 20, 0;
   * zeros (as `DiffMesh.triangles`).
   */
  triangles: GPUBuffer;
  /** vec4u [Q]: dual vertices of each quad, counter-clockwise. */
  quads: GPUBuffer;
  /** vec2f [Q]: share of the diagonal 0–2 in the centre; the second is for the way back. */
  quadWeights: GPUBuffer;
  /** u32: V + Q. */
  total: GPUBuffer;
}

/** Buffers for a surface of up to so many dual vertices and quads. */
export function createIsoSurface(gpu: Gpu, vertexCapacity: number, quadCapacity: number): IsoSurface {
  const positionCapacity = vertexCapacity + quadCapacity;
  return {
    vertexCapacity,
    quadCapacity,
    positionCapacity,
    triangleCapacity: quadCapacity * 4,
    positions: gpu.createBuffer(positionCapacity * 12, 'positions'),
    attributes: gpu.createBuffer(positionCapacity * 16, 'vertex colours'),
    triangles: gpu.createBuffer(quadCapacity * 4 * 96, 'triangles'),
    quads: gpu.createBuffer(quadCapacity * 16, 'quads'),
    quadWeights: gpu.createBuffer(quadCapacity * 8, 'quad weights'),
    total: gpu.createBuffer(4, 'position count'),
  };
}

/** Frees the surface's buffers. */
export function destroyIsoSurface(surface: IsoSurface): void {
  const { positions, attributes, triangles, quads, quadWeights, total } = surface;
  for (const buffer of [positions, attributes, triangles, quads, quadWeights, total]) buffer.destroy();
}

export function isoUniforms(
  grid: IsoGrid,
  surface: Pick<IsoSurface, 'vertexCapacity' | 'quadCapacity'>,
  rest: { deviation?: number; signChange?: number } = {},
) {
  return {
    origin: grid.origin,
    voxel: grid.voxel,
    samples: grid.slots * BRICK_SAMPLES,
    vertices: surface.vertexCapacity,
    quads: surface.quadCapacity,
    deviation: rest.deviation ?? 0,
    signChange: rest.signChange ?? 0,
  };
}

/** Records samples → `grid.entries`, `grid.offsets` and `surface.total`: which cells and edges the surface cuts. */
function recordConnectivity(batch: Batch, grid: IsoGrid, surface: IsoSurface): void {
  const { topology, samples, entries, offsets } = grid;
  const n = grid.slots * BRICK_SAMPLES;
  const uniforms = isoUniforms(grid, surface);
  const cases = batch.scratch(n * 4, 'cases');
  classify.dispatch(batch, { topology, samples, cases }, uniforms, linear(n, 64));
  resolve.dispatch(batch, { topology, cases, entries, counts: offsets }, uniforms, linear(n, 64));
  recordScan(batch, offsets, 2 * n, { total: surface.total });
}

/**
 * Records the level set → its surface, after "Flexible Isosurface Extraction for Gradient-Based Mesh Optimization"
 * (Shen et al. 2023): crossings of cell edges at which α-weighted distances vanish; one dual vertex per polygon of a
 * cell, the β-weighted mean of its crossings; a quad for every crossing, cut in four around a centre between its
 * diagonals, which γ weighs. Colours go the same way as positions. The surface is a closed manifold wherever it does
 * not reach the border of the bricks: see `dualTable.ts` for ambiguous cells.
 */
export function recordExtract(batch: Batch, grid: IsoGrid, surface: IsoSurface): void {
  const { topology, samples, weights, entries, offsets } = grid;
  const { positions, attributes, triangles, quads, quadWeights } = surface;
  const groups = linear(grid.slots * BRICK_SAMPLES, 64);
  const uniforms = isoUniforms(grid, surface);
  recordConnectivity(batch, grid, surface);
  vertices.dispatch(batch, { topology, samples, entries, offsets, weights, positions, attributes }, uniforms, groups);
  batch.clear(triangles);
  quadTriangles.dispatch(batch, { topology, quads, entries, offsets, triangles }, uniforms, groups);
  centers.dispatch(
    batch,
    { topology, quads, entries, offsets, weights, positions, attributes, quadWeights },
    uniforms,
    groups,
  );
}

/** Reads how large the surface of the last extraction is, or would be with enough room (waits for the queue). */
export async function readIsoCounts(
  gpu: Gpu,
  grid: IsoGrid,
  surface: IsoSurface,
): Promise<{ vertices: number; quads: number }> {
  const [total] = await gpu.readUint32(surface.total, 1);
  const [vertexTotal] = await gpu.readUint32(grid.offsets, 1, grid.slots * BRICK_SAMPLES * 4);
  return { vertices: vertexTotal, quads: total - vertexTotal };
}

/** Counts the dual vertices and quads of a grid (waits for the queue). */
export async function countIsoSurface(gpu: Gpu, grid: IsoGrid): Promise<{ vertices: number; quads: number }> {
  const surface = createIsoSurface(gpu, 1, 1);
  try {
    gpu.run((batch) => recordConnectivity(batch, grid, surface));
    return await readIsoCounts(gpu, grid, surface);
  } finally {
    destroyIsoSurface(surface);
  }
}
