import type { Vec3 } from '../../core/math.js';
import type { Batch } from '../../gpu/runtime/batch.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../gpu/runtime/kernel.js';
import { BRICK, brickTotal, type Grid, packBrick } from './grid.js';
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
  guideOrigin: 'vec3f',
  guideVoxel: 'f32',
  guideSize: 'vec3u',
  guideReach: 'f32',
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

const finishGuided = defineKernel({
  name: 'field.finish_guided',
  shader: fieldShader,
  entryPoint: 'finish_guided',
  bindings: { ...fieldBindings, guide: 'read' },
  uniforms: GRID_UNIFORMS,
});

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

/** A coarse surface that the field keeps to where few depth maps saw a place. */
export interface Guide {
  /** Signed distance on a grid, x fastest, in units of `reach` and cut off at 1, negative inside; also as `values`. */
  buffer: GPUBuffer;
  values: Float32Array;
  /** World position of the first value, distance of neighbouring ones, and their number along each axis. */
  origin: Vec3;
  voxel: number;
  size: Vec3;
  /** Scene units. */
  reach: number;
}

/** As in field.wgsl: how far a surface may be from its guide, in voxels of that. */
const GUIDE_BAND = 1.5;

export interface FieldOptions {
  /** Depth claims this close to the greatest one are averaged, in scene units. */
  tolerance: number;
  /** Distances are cut off here, in scene units. */
  truncation: number;
  /** As in `FuseOptions`. Default 0. */
  consensus?: number;
  /** Makes the object a vessel: see `Vessel`. Default: it is solid. */
  vessel?: Vessel;
  /** Only with `consensus`, and without `vessel`. */
  guide?: Guide;
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
    const { vessel, guide } = this.options;
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
      guideOrigin: guide?.origin ?? [0, 0, 0],
      guideVoxel: guide?.voxel ?? 1,
      guideSize: guide?.size ?? [2, 2, 2],
      guideReach: guide?.reach ?? 0,
    };
  }

  /**
   * The numbers of the bricks that the surface can pass through, ascending; with `consensus` and no guide, all that no
   * outline shows to be free.
   */
  async activeBricks(): Promise<number[]> {
    const { guide, consensus } = this.options;
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
      if (hardLower > 0) continue;
      const open = guide
        ? nearGuide(this.grid, brick, guide)
        : consensus || (softLower <= this.options.tolerance && !settled);
      if (open) active.push(brick);
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
    const { guide } = this.options;
    if (!guide) {
      pass(finish, this.groups[0]);
      return;
    }
    const { observations, maps, group } = this.groups[0];
    const { bricks, field, sums } = page;
    const args = { observations, maps, bricks, relevant: this.relevant, greatest: field, sums, guide: guide.buffer };
    finishGuided.dispatch(batch, args, this.uniforms(group, first, count), linear(count, 1));
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

/** Whether the surface can pass through a brick: whether its guide comes near enough. */
function nearGuide(grid: Grid, brick: number, guide: Guide): boolean {
  const word = packBrick(grid, brick);
  const [low, high] = [0, BRICK].map((cells) =>
    [0, 1, 2].map((axis) => {
      const sample = ((word >>> (10 * axis)) & 1023) * BRICK + cells;
      const at = (grid.origin[axis] + sample * grid.voxel - guide.origin[axis]) / guide.voxel;
      const last = guide.size[axis] - 1;
      return Math.max(0, Math.min(last, cells === 0 ? Math.floor(at - 0.01) : Math.ceil(at + 0.01)));
    }),
  );
  const band = (GUIDE_BAND * guide.voxel) / guide.reach;
  let [least, most] = [Infinity, -Infinity];
  for (let z = low[2]; z <= high[2]; z++)
    for (let y = low[1]; y <= high[1]; y++)
      for (let x = low[0]; x <= high[0]; x++) {
        const value = guide.values[(z * guide.size[1] + y) * guide.size[0] + x];
        least = Math.min(least, value);
        most = Math.max(most, value);
      }
  return least - band < 0 && most + band > 0;
}
