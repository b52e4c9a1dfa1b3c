import type { Bounds } from '../../core/bounds.js';
import { PlinthError, throwIfCancelled } from '../../core/errors.js';
import { sub } from '../../core/math.js';
import { type Mesh, triangleCount, vertexCount } from '../../core/mesh.js';
import { assignDefaults } from '../../core/options.js';
import { command, remedy } from '../../core/remedy.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { extractSurface } from './extractSurface.js';
import { type FieldOptions, type Guide, ObservedField, type Vessel } from './field.js';
import { brickTotal, type Grid, makeGrid } from './grid.js';
import { leastAreaSurface } from './leastArea.js';
import { type Observation, observationsOf, packObservations, type SurfaceView } from './observations.js';
import { findVessel } from './vessel.js';

export type { SurfaceView } from './observations.js';

export interface FuseOptions {
  /**
   * Voxels along the longest side of the bounds, 16…1024. Default: one voxel for each pixel of the pictures at the
   * object.
   */
  resolution?: number;
  /** Upper bound of the automatic resolution. Default 512. */
  maxResolution?: number;
  /**
   * Whether a vessel, into which the views look through its opening without seeing its sides, is hollow with a wall as
   * thick as at the opening. Otherwise what no view saw is solid. Default true.
   */
  hollow?: boolean;
  /**
   * Share of the depth maps that see a place which may be wrong about it, 0…0.3; at most three maps. 0: each map alone
   * can show space to be free, as exact depth can. With a consensus, what few maps saw is closed by the smallest surface
   * (`leastAreaSurface`), and `hollow` has no meaning. Default 0.
   */
  consensus?: number;
  /** Bytes for the brick pool. Default 192 MiB. */
  memory?: number;
  /** Most bytes of one binding. Default: what the device allows. */
  bindingLimit?: number;
}

export interface FuseFacts {
  /** Voxels along the longest side. */
  resolution: number;
  /** Side of a voxel, in scene units. */
  voxelSize: number;
  masks: number;
  depthMaps: number;
  bricks: number;
  /** Bricks that the surface can pass through; only these are computed. */
  activeBricks: number;
  pages: number;
  vertices: number;
  triangles: number;
  /**
   * Set where the object turned out to be a vessel that is seen through its opening only: the thickness its wall was
   * given.
   */
  wallThickness?: number;
  /** Share of the vertices that no view saw: they only border on hidden space. */
  unseenShare: number;
}

export interface FusedSurface {
  mesh: Mesh;
  /**
   * Per vertex: bit 0 a depth map saw it, bit 1 an outline passes through it, 0 it borders on what no view could see.
   */
  support: Uint8Array;
  facts: FuseFacts;
}

export interface FuseHooks {
  signal?: AbortSignal;
  /** Receives 0…1. */
  progress?: (fraction: number) => void;
}

export const FUSE_DEFAULTS = { maxResolution: 512, memory: 192 * 1024 * 1024 } as const;

/**
 * The surface of the solid that outlines and depth maps leave, as a closed, outward oriented, manifold mesh in world
 * space. What no view shows to be free belongs to the solid; what lies outside `bounds` does not. See `ObservedField`
 * for the rule.
 *
 * @throws `METHOD_REQUIREMENTS` if no view has a mask or depth, `SURFACE_EMPTY` if nothing is left, `CANCELLED`.
 */
export async function fuseSurface(
  gpu: Gpu,
  views: readonly SurfaceView[],
  bounds: Bounds,
  options: FuseOptions = {},
  hooks: FuseHooks = {},
): Promise<FusedSurface> {
  const { signal, progress } = hooks;
  throwIfCancelled(signal);
  const size = sub(bounds.max, bounds.min);
  if (!size.every((s) => Number.isFinite(s) && s > 0)) {
    throw new PlinthError('SURFACE_EMPTY', {
      found: `The bounding box ${bounds.min.join(' ')} … ${bounds.max.join(' ')} has no volume`,
      remedy: 'Give bounds that hold the object',
    });
  }
  const observations = observationsOf(views, bounds);
  if (observations.length === 0) {
    throw new PlinthError('METHOD_REQUIREMENTS', {
      found: 'None of the views has a mask or a depth map',
      remedy: 'Add masks, for example as alpha channel, or depth maps',
    });
  }
  const resolution = resolutionOf(observations, Math.max(...size), options);
  const grid = makeGrid(bounds, resolution);
  const bindingLimit = Math.min(options.bindingLimit ?? Infinity, gpu.limits.maxStorageBufferBindingSize);
  const { memory } = assignDefaults(FUSE_DEFAULTS, options);

  const groups = await packObservations(observations, {
    voxel: grid.voxel,
    bindingLimit,
    signal,
    progress: (f) => progress?.(f * PACK_SHARE),
  });
  const error = Math.max(0, ...observations.map((o) => o.accuracy));
  const tolerance = Math.max(0.5 * grid.voxel, 3 * error);
  const truncation = Math.max(4 * grid.voxel, 2 * tolerance);
  const { consensus } = options;
  const surfaceOf = async (on: Grid, shape: Pick<FieldOptions, 'vessel' | 'guide'>, from: number, to: number) => {
    const field = new ObservedField(gpu, on, groups, { tolerance, truncation, consensus, ...shape });
    try {
      const active = await field.activeBricks();
      throwIfCancelled(signal);
      if (active.length === 0) return undefined;
      const { mesh, pages } = await extractSurface(gpu, field, active, {
        memory,
        bindingLimit,
        signal,
        progress: (f) => progress?.(from + f * (to - from)),
      });
      if (mesh.indices.length === 0) return undefined;
      throwIfCancelled(signal);
      const support = await field.support(mesh.positions, 1.5 * on.voxel);
      throwIfCancelled(signal);
      return { mesh, support, pages, activeBricks: active.length };
    } finally {
      field.dispose();
    }
  };
  const guideOf = async (coarse: Grid): Promise<Guide> => {
    const near = Math.max(0.5 * coarse.voxel, 3 * error);
    const field = new ObservedField(gpu, coarse, groups, { tolerance: near, truncation: 4 * coarse.voxel, consensus });
    try {
      const report = (f: number): void => progress?.(PACK_SHARE + f * (0.6 - PACK_SHARE));
      return await leastAreaSurface(gpu, field, { signal, progress: report });
    } finally {
      field.dispose();
    }
  };
  let guide: Guide | undefined;
  try {
    const depthCameras = observations.filter((o) => o.kind === 'depth').map((o) => o.camera);
    let vessel: Vessel | undefined;
    let start: number = PACK_SHARE;
    if (consensus) {
      start = 0.6;
      guide = await guideOf(makeGrid(bounds, Math.min(resolution, GUIDE_RESOLUTION)));
    }
    if (options.hollow !== false && !consensus && depthCameras.length > 0) {
      // Half the resolution shows a vessel as well, for a quarter of the time.
      const coarse = makeGrid(bounds, Math.ceil(resolution / 2));
      start = 0.4;
      const sketch = await surfaceOf(coarse, {}, PACK_SHARE, start);
      if (sketch) vessel = findVessel(sketch.mesh, sketch.support, depthCameras, coarse.voxel);
    }
    const result = await surfaceOf(grid, { vessel, guide }, start, 1);
    if (!result) throw empty(observations);
    progress?.(1);
    const { mesh, support } = result;
    const facts: FuseFacts = {
      resolution,
      voxelSize: grid.voxel,
      masks: observations.filter((o) => o.kind === 'mask').length,
      depthMaps: observations.filter((o) => o.kind === 'depth').length,
      bricks: brickTotal(grid),
      activeBricks: result.activeBricks,
      pages: result.pages,
      vertices: vertexCount(mesh),
      triangles: triangleCount(mesh),
      ...(vessel && { wallThickness: vessel.thickness }),
      unseenShare: support.reduce((sum, s) => sum + (s === 0 ? 1 : 0), 0) / support.length,
    };
    return { mesh, support, facts };
  } finally {
    guide?.buffer.destroy();
    gpu.trim();
  }
}

/** Voxels along the longest side of the guide. */
const GUIDE_RESOLUTION = 96;
/** Share of the time that goes into the preparation of the images. */
const PACK_SHARE = 0.25;

function resolutionOf(observations: readonly Observation[], longest: number, options: FuseOptions): number {
  const { maxResolution: most } = assignDefaults(FUSE_DEFAULTS, options);
  if (options.resolution !== undefined) {
    if (!Number.isInteger(options.resolution) || options.resolution < 16 || options.resolution > 1024) {
      throw new PlinthError('OPTION_INVALID', {
        found: `resolution is ${options.resolution}`,
        expected: 'an integer from 16 to 1024',
        subject: 'resolution',
      });
    }
    return options.resolution;
  }
  const footprints = observations.map((o) => o.footprint).sort((a, b) => a - b);
  const median = footprints[footprints.length >> 1];
  return Math.max(32, Math.min(most, Math.round(longest / median)));
}

function empty(observations: readonly Observation[]): PlinthError {
  return new PlinthError('SURFACE_EMPTY', {
    found: `The ${observations.length} outlines and depth maps leave no volume within the bounds`,
    expected: 'masks that all show the object and cameras that fit them',
    remedy: remedy`Look at masks and cameras with ${command('inspect')}; one empty mask or one wrong camera is enough to carve everything away`,
  });
}
