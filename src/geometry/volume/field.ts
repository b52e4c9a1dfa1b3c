import type { Vec3 } from '../../core/math.js';
import type { Batch } from '../../gpu/runtime/batch.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../gpu/runtime/kernel.js';
import { brickTotal, type Grid } from './grid.js';
import type { ObservationGroup } from './observations.js';

const GRID_UNIFORMS = {
  origin: 'vec3f',
  voxel: 'f32',
  boundsMin: 'vec3f',
  tolerance: 'f32',
  boundsMax: 'vec3f',
  truncation: 'f32',
  bricks: 'vec3u',
  count: 'u32',
  first: 'u32',
  relevantOffset: 'u32',
  relevantStride: 'u32',
  observationCount: 'u32',
  thickness: 'f32',
  consensus: 'f32',
  reach: 'f32',
  floorPlane: 'vec4f',
} as const;

const classifyBindings = {
  observations: 'read',
  maps: 'read',
  limits: 'read_write',
  relevant: 'read_write',
  grid: 'uniform',
} as const;
const classifyShader = new URL('./classifyBricks.wgsl', import.meta.url);
const boundKernel = defineKernel({
  name: 'classifyBricks.bound',
  shader: classifyShader,
  entryPoint: 'bound',
  bindings: classifyBindings,
  uniforms: GRID_UNIFORMS,
});
const relevantKernel = defineKernel({
  name: 'classifyBricks.select_relevant',
  shader: classifyShader,
  entryPoint: 'select_relevant',
  bindings: classifyBindings,
  uniforms: GRID_UNIFORMS,
});

const fieldBindings = {
  observations: 'read',
  maps: 'read',
  bricks: 'read',
  relevant: 'read',
  greatest: 'read_write',
  sums: 'read_write',
  grid: 'uniform',
} as const;
const fieldShader = new URL('./field.wgsl', import.meta.url);
const [carve, average, finish] = ['carve', 'average', 'finish'].map((entryPoint) =>
  defineKernel({
    name: `field.${entryPoint}`,
    shader: fieldShader,
    entryPoint,
    bindings: fieldBindings,
    uniforms: GRID_UNIFORMS,
  }),
);

const supportKernel = defineKernel({
  name: 'support',
  shader: new URL('./support.wgsl', import.meta.url),
  bindings: { observations: 'read', maps: 'read', positions: 'read', seen: 'read_write', grid: 'uniform' },
  uniforms: GRID_UNIFORMS,
});

const SOLID = 1e9;
/** Depth claims are near down to so many tolerances behind their surface. */
const REACH = 8;

/** Samples of one brick: 9×9×9, the last layer shared with the neighbours. */
export const BRICK_SAMPLES = 729;
/** Bytes of the field's buffers per brick. */
export const FIELD_BYTES = BRICK_SAMPLES * 24;

/**
 * What lies deeper than the wall's thickness behind every surface and outline, and on the near side of the floor's
 * plane, is empty.
 */
export interface Vessel {
  /** Scene units. */
  thickness: number;
  /** Unit vector towards the floor. */
  axis: Vec3;
  /** Position of the floor along the axis. */
  floor: number;
}

export interface FieldOptions {
  /** Depth claims this close to the greatest one are averaged, in scene units. */
  tolerance: number;
  /** Distances are cut off here, in scene units. */
  truncation: number;
  /** As in `FuseOptions`. Default 0. */
  consensus?: number;
  /** Makes the object a vessel: see `Vessel`. Default: it is solid. */
  vessel?: Vessel;
}

/** Buffers for the samples of a page of bricks. */
export interface FieldPage {
  /** `vec4u` per brick: packed coordinates, and what the extraction adds. */
  bricks: GPUBuffer;
  /** `vec2f` per sample; x is the signed distance once `evaluate` is done. */
  field: GPUBuffer;
  /** `vec4f` per sample, for intermediate results. */
  sums: GPUBuffer;
}

/**
 * A signed distance (negative inside) that is a function of position, computed from observations where it is wanted:
 *
 *     F = max( bounds, all outlines, sides of depth edges,
 *              mean of the depth claims within `tolerance` of the greatest )
 *
 * The solid is what no view shows to be free. Each claim is the distance to the border of the space that one view shows
 * to be free, so thin parts seen from both sides stay (a mean over all views would dissolve them), and what no view saw
 * is closed by the outlines. With `consensus` the greatest claims of all, a share of those near, are left aside: depth
 * that is measured from pictures is wrong here and there, and a single claim would dig a pit. The mean among nearly
 * equal claims takes out noise, which a pure maximum would turn into erosion. After Curless & Levoy 1996 (space
 * carving, weights) and Laurentini 1994 (visual hull).
 */
export class ObservedField {
  readonly grid: Grid;
  private readonly gpu: Gpu;
  private readonly options: FieldOptions;
  private readonly groups: { group: ObservationGroup; observations: GPUBuffer; maps: GPUBuffer }[];
  private readonly relevantStride: number;
  private readonly limits: GPUBuffer;
  private readonly relevant: GPUBuffer;

  constructor(gpu: Gpu, grid: Grid, groups: readonly ObservationGroup[], options: FieldOptions) {
    this.gpu = gpu;
    this.grid = grid;
    this.options = options;
    this.groups = groups.map((group) => ({
      group,
      observations: gpu.upload(new Uint8Array(group.structs), 'observations'),
      maps: gpu.upload(group.maps, 'maps'),
    }));
    this.relevantStride = groups.reduce((sum, g) => sum + Math.ceil(g.count / 32), 0);
    this.limits = gpu.createBuffer(brickTotal(grid) * 16, 'brick limits');
    this.relevant = gpu.createBuffer(brickTotal(grid) * this.relevantStride * 4, 'brick relevance');
  }

  dispose(): void {
    for (const { observations, maps } of this.groups) {
      observations.destroy();
      maps.destroy();
    }
    this.limits.destroy();
    this.relevant.destroy();
  }

  private uniforms(group: ObservationGroup, first: number, count: number) {
    const { origin, voxel, bounds, bricks } = this.grid;
    const { vessel } = this.options;
    return {
      origin,
      voxel,
      boundsMin: bounds.min,
      boundsMax: bounds.max,
      tolerance: this.options.tolerance,
      truncation: this.options.truncation,
      bricks,
      count,
      first,
      relevantOffset: group.relevantOffset,
      relevantStride: this.relevantStride,
      observationCount: group.count,
      thickness: vessel?.thickness ?? SOLID,
      consensus: this.options.consensus ?? 0,
      reach: this.options.tolerance * REACH,
      floorPlane: vessel ? [...vessel.axis, vessel.floor] : [0, 0, 0, 0],
    };
  }

  /** The numbers of the bricks that the surface can pass through, ascending. */
  async activeBricks(): Promise<number[]> {
    const total = brickTotal(this.grid);
    for (const kernel of [boundKernel, relevantKernel]) {
      this.gpu.run((batch) => {
        for (const { group, observations, maps } of this.groups) {
          const args = { observations, maps, limits: this.limits, relevant: this.relevant };
          kernel.dispatch(batch, args, this.uniforms(group, 0, total), linear(total, 64));
        }
      }, 'classify bricks');
    }
    const limits = await this.gpu.readFloat32(this.limits);
    const active: number[] = [];
    for (let brick = 0; brick < total; brick++) {
      const [hardLower, , softLower, settled] = limits.subarray(brick * 4, brick * 4 + 4);
      const free = hardLower > 0 || softLower > this.options.tolerance;
      if (!free && !settled) active.push(brick);
    }
    return active;
  }

  /** Records the computation of the samples of `count` bricks of the page from `first`. */
  evaluate(batch: Batch, page: FieldPage, first: number, count: number): void {
    const pass = (kernel: typeof carve, entry: (typeof this.groups)[number]): void =>
      kernel.dispatch(
        batch,
        {
          observations: entry.observations,
          maps: entry.maps,
          bricks: page.bricks,
          relevant: this.relevant,
          greatest: page.field,
          sums: page.sums,
        },
        this.uniforms(entry.group, first, count),
        linear(count, 1),
      );
    for (const entry of this.groups) pass(carve, entry);
    for (const entry of this.groups) pass(average, entry);
    pass(finish, this.groups[0]);
  }

  /**
   * What speaks for the surface at points (x, y, z each): bit 0 a depth map, bit 1 an outline within `distance`, 0
   * nothing. Where nothing does, the surface is only the border of what was hidden from all views.
   */
  async support(positions: Float32Array, distance: number): Promise<Uint8Array> {
    const out = new Uint8Array(positions.length / 3);
    const step = 1 << 20;
    for (let first = 0; first < out.length; first += step) {
      const count = Math.min(step, out.length - first);
      const points = this.gpu.upload(positions.subarray(first * 3, (first + count) * 3), 'points');
      const seen = this.gpu.createBuffer(count * 4, 'seen');
      try {
        this.gpu.run((batch) => {
          for (const { group, observations, maps } of this.groups) {
            const uniforms = { ...this.uniforms(group, 0, count), truncation: distance };
            const args = { observations, maps, positions: points, seen };
            supportKernel.dispatch(batch, args, uniforms, linear(count, 64));
          }
        }, 'support');
        out.set(await this.gpu.readUint32(seen, count), first);
      } finally {
        points.destroy();
        seen.destroy();
      }
    }
    return out;
  }
}
