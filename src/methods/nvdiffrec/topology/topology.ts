import type { Bounds } from '../../../core/bounds.js';
import { throwIfCancelled } from '../../../core/errors.js';
import type { Vec3 } from '../../../core/math.js';
import { type Mesh, triangleCount } from '../../../core/mesh.js';
import { pause } from '../../../core/pause.js';
import type { RunInThread } from '../../../core/platform.js';
import { type IsoLattice, isoLattice, latticeSize } from '../../../geometry/flexicubes/brickGrid.js';
import { JOIN_LIMIT, joinFields } from '../../../geometry/flexicubes/joinFields.js';
import { type LevelField, resampleField, tidyDistances, tidyField } from '../../../geometry/flexicubes/levelField.js';
import { levelMesh } from '../../../geometry/flexicubes/levelMesh.js';
import { meshField } from '../../../geometry/flexicubes/meshField.js';
import { MAXIMUM_FIELD } from '../../../geometry/flexicubes/stepGrid.js';
import { type MeshHealth, meshHealth } from '../../../geometry/mesh/measure/health.js';
import { cleanMesh } from '../../../geometry/mesh/repair/cleanMesh.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import { createDiffCameras } from '../../../render/diff/geometry/cameras.js';
import { readLoss } from '../../../render/diff/loss/loss.js';
import { decayed, epochBatches } from '../step/schedule.js';
import { meanResolution, packWindows, type WindowSet } from '../step/windows.js';
import { type LevelPictures, type LevelStep, TopologyLevel } from './topologyLevel.js';

export interface TopologyOptions {
  /** Cells along the longest side of the object at the end, 16…128; the pass begins at half of it. */
  resolution: number;
  /** Steps, divided evenly over the two resolutions. */
  iterations: number;
  /** Pictures per step, 1…8. */
  batch: number;
  /** Triangle budget of the mesh. */
  triangles: number;
  /** Weight of the squared error of coverage against that of colour. */
  silhouette: number;
}

/** How much of each there is in a mesh. */
interface SurfaceFacts {
  components: number;
  genus: number | null;
  holes: number;
  innerShells: number;
  inwardTriangles: number;
}

export interface TopologyFacts {
  resolution: number;
  iterations: number;
  before: SurfaceFacts;
  after: SurfaceFacts;
  /** Hollows without an opening that arose on the way, and were filled. */
  cavitiesFilled: number;
  /** Loose parts that arose on the way, and were removed. */
  floatersRemoved: number;
  /** Share of the solid's volume that was taken away, and that was added. */
  carvedShare: number;
  addedShare: number;
}

export interface TopologyHooks {
  runInThread: RunInThread;
  signal: AbortSignal;
  report(fraction: number, detail: string, metrics: Record<string, number>): void;
}

/**
 * Cells along the longest side that the result is cut from, at most twice those of the search: the start's relief is
 * kept in them.
 */
const FINAL_RESOLUTION = 160;
/** Steps between two looks at the field: loose parts and hollows go, bricks follow the surface. */
const STRETCH = 25;
/** Pictures are made about this many pixels per voxel. */
const PIXELS_PER_VOXEL = 2;
/** Steps at the beginning that seek colours alone. */
const COLOR_STEPS = 20;
/** Rates fall to this share over the steps of a resolution. */
const LAST_RATE = 0.25;
/** First steps, see `IsoStepOptions`. */
const RATES = { field: 0.15, deformation: 0.01, color: 0.04, weight: 0.01 } as const;
/** Weights of the regularisers, per pixel of a voxel's area in a picture, so that they keep step with the loss. */
const SIGN_CHANGE = 0.001;
const DEVIATION = 0.02;
/** See `Pressure`. */
const PRESSURE = 1;
/** Gradients per pixel of a voxel's area that are too small to move anything. */
const EPSILON = 0.005;

/**
 * The first pass of Munkberg et al. 2022: a surface that may change its topology. Signed distances around the start, on
 * bricks, are drawn by FlexiCubes with colours that live on the same samples, compared with the pictures, and
 * corrected; first at half the resolution, then at all of it.
 *
 * What moved coherently is applied to the start (`joinFields`), which is finer than the lattice; where nothing did, the
 * start is returned as it is.
 */
export async function findTopology(
  gpu: Gpu,
  start: Mesh,
  windows: WindowSet,
  options: TopologyOptions,
  seed: number,
  hooks: TopologyHooks,
): Promise<{ mesh: Mesh; facts: TopologyFacts }> {
  const before = meshHealth(start);
  const resolutions =
    options.resolution >= 24 ? [Math.ceil(options.resolution / 2), options.resolution] : [options.resolution];
  const counts = { cavities: 0, floaters: 0 };
  let last: { field: LevelField; lattice: IsoLattice } | undefined;
  for (const [l, resolution] of resolutions.entries()) {
    const lattice = isoLattice(before.bounds, resolution);
    const field = await beginField(start, lattice, last, hooks.signal);
    const done = Math.floor((options.iterations * l) / resolutions.length);
    const until = Math.floor((options.iterations * (l + 1)) / resolutions.length);
    const level = await LevelRun.create(gpu, lattice, field, windows, options, hooks.signal);
    try {
      for (let i = done; i < until; i += STRETCH) {
        const steps = Math.min(STRETCH, until - i);
        const loss = await level.run(i - done, steps, until - done, l === 0, seed + l);
        throwIfCancelled(hooks.signal);
        const found = await level.tidy();
        counts.cavities += found.cavities;
        counts.floaters += found.floaters;
        hooks.report(
          (i + steps) / options.iterations,
          `surface at ${resolution}³, step ${i + steps} of ${options.iterations}`,
          {
            loss,
          },
        );
      }
    } finally {
      level.dispose();
    }
    last = { field, lattice };
  }
  const { mesh, carvedShare, addedShare } = await finishSurface(gpu, start, before.bounds, last!, options, hooks);
  return {
    mesh,
    facts: {
      resolution: options.resolution,
      iterations: options.iterations,
      before: surfaceFacts(before),
      after: surfaceFacts(mesh === start ? before : meshHealth(mesh)),
      cavitiesFilled: counts.cavities,
      floatersRemoved: counts.floaters,
      carvedShare,
      addedShare,
    },
  };
}

/** The start's field, with what an earlier, coarser level changed. */
async function beginField(
  start: Mesh,
  lattice: IsoLattice,
  last: { field: LevelField; lattice: IsoLattice } | undefined,
  signal: AbortSignal,
): Promise<LevelField> {
  const ratio = last ? last.lattice.voxel / lattice.voxel : 1;
  const fine = await meshField(start, lattice, last ? JOIN_LIMIT * ratio : MAXIMUM_FIELD, signal);
  if (!last) {
    return {
      values: fine,
      deformations: new Float32Array(fine.length * 3),
      colors: new Float32Array(fine.length * 3).fill(0.3),
    };
  }
  const coarse = resampleField(last.field.values, 1, last.lattice, lattice, ratio);
  const field = {
    values: joinFields(fine, coarse, lattice, ratio),
    deformations: new Float32Array(fine.length * 3),
    colors: resampleField(last.field.colors, 3, last.lattice, lattice, 1),
  };
  tidyField(field, lattice);
  return field;
}

/** One resolution under optimisation. */
class LevelRun {
  private readonly level: TopologyLevel;
  private readonly gpu: Gpu;
  private readonly field: LevelField;
  private readonly pictures: LevelPictures;
  private readonly options: TopologyOptions;
  private readonly pixelsPerVoxel: number;
  private readonly signal: AbortSignal;

  private constructor(parts: {
    gpu: Gpu;
    level: TopologyLevel;
    field: LevelField;
    pictures: LevelPictures;
    options: TopologyOptions;
    pixelsPerVoxel: number;
    signal: AbortSignal;
  }) {
    this.gpu = parts.gpu;
    this.level = parts.level;
    this.field = parts.field;
    this.pictures = parts.pictures;
    this.options = parts.options;
    this.pixelsPerVoxel = parts.pixelsPerVoxel;
    this.signal = parts.signal;
  }

  static async create(
    gpu: Gpu,
    lattice: IsoLattice,
    field: LevelField,
    windows: WindowSet,
    options: TopologyOptions,
    signal: AbortSignal,
  ): Promise<LevelRun> {
    const size = latticeSize(lattice);
    const center = lattice.origin.map((o, i) => o + (size[i] * lattice.voxel) / 2) as Vec3;
    const radius = Math.hypot(...size) * lattice.voxel * 0.5;
    const pixels = meanResolution(windows, center) * lattice.voxel;
    const divisor = divisorFor(windows, pixels);
    const [width, height] = [windows.width / divisor, windows.height / divisor];
    const perBuffer = Math.floor(gpu.limits.maxStorageBufferBindingSize / (width * height * 4));
    const every = Math.ceil(windows.windows.length / perBuffer);
    const chosen = windows.windows.map((_, i) => i).filter((i) => i % every === 0);
    const pictures: LevelPictures = {
      cameras: createDiffCameras(
        gpu,
        chosen.map((i) => windows.windows[i].camera),
        center,
        radius,
      ),
      targets: {
        buffer: gpu.upload(packWindows(windows, divisor, chosen), 'targets'),
        width,
        height,
        count: chosen.length,
      },
    };
    const level = new TopologyLevel(gpu, lattice, { width, height, capacity: options.batch });
    const run = new LevelRun({ gpu, level, field, pictures, options, pixelsPerVoxel: pixels / divisor, signal });
    await level.upload(field);
    return run;
  }

  /**
   * @param first number of the first step, within this resolution
   * @param total steps of this resolution
   * @returns loss per pixel of the last step
   */
  async run(first: number, steps: number, total: number, coldStart: boolean, seed: number): Promise<number> {
    const { gpu, level, pictures, options, pixelsPerVoxel } = this;
    const perEpoch = Math.ceil(pictures.targets.count / options.batch);
    let queued: Promise<void> | undefined;
    for (let i = first; i < first + steps; i++) {
      const epoch = epochBatches([pictures.targets.count], options.batch, seed, Math.floor(i / perEpoch));
      const { views } = epoch[i % perEpoch];
      const moving = coldStart && i < COLOR_STEPS ? 0 : 1;
      const rate = (value: number) => decayed(value, LAST_RATE, i, total);
      const scale = pixelsPerVoxel ** 2 * views.length;
      const step: LevelStep = {
        field: rate(RATES.field) * moving,
        deformation: rate(RATES.deformation) * moving,
        weight: rate(RATES.weight) * moving,
        color: rate(RATES.color) * (moving ? 1 : 2),
        epsilon: EPSILON * scale,
        silhouette: options.silhouette,
        pressure: PRESSURE,
        signChange: SIGN_CHANGE * scale,
        deviation: DEVIATION * scale,
      };
      level.step(pictures, views, step);
      await queued;
      queued = gpu.sync();
      queued.catch(() => {});
      throwIfCancelled(this.signal);
    }
    await queued;
    const sums = await readLoss(gpu, level.frame);
    const area = pictures.targets.width * pictures.targets.height * sums.length;
    return sums.reduce((sum, s) => sum + s.image + s.silhouette, 0) / area;
  }

  async tidy(): Promise<{ cavities: number; floaters: number }> {
    await this.level.download(this.field);
    const facts = tidyField(this.field, this.level.lattice);
    await this.level.upload(this.field);
    return facts;
  }

  dispose(): void {
    this.level.dispose();
    this.pictures.cameras.buffer.destroy();
    this.pictures.targets.buffer.destroy();
  }
}

/** The start where the result agrees with it, else the result; cleaned and simplified. */
async function finishSurface(
  gpu: Gpu,
  start: Mesh,
  bounds: Bounds,
  last: { field: LevelField; lattice: IsoLattice },
  options: TopologyOptions,
  { runInThread, signal }: Pick<TopologyHooks, 'runInThread' | 'signal'>,
): Promise<{ mesh: Mesh; carvedShare: number; addedShare: number }> {
  const lattice = isoLattice(bounds, Math.max(options.resolution, Math.min(2 * options.resolution, FINAL_RESOLUTION)));
  const ratio = last.lattice.voxel / lattice.voxel;
  const fine = await meshField(start, lattice, JOIN_LIMIT * ratio, signal);
  const coarse = resampleField(last.field.values, 1, last.lattice, lattice, ratio);
  await pause(signal);
  const values = joinFields(fine, coarse, lattice, ratio);
  await pause(signal);
  tidyDistances(values, lattice);
  let [solid, carved, added] = [0, 0, 0];
  for (let i = 0; i < fine.length; i++) {
    if (fine[i] < 0) solid++;
    if (fine[i] < 0 && values[i] >= 0) carved++;
    if (fine[i] >= 0 && values[i] < 0) added++;
  }
  const shares = { carvedShare: carved / solid, addedShare: added / solid };
  if (carved + added === 0) return { mesh: start, ...shares };
  throwIfCancelled(signal);
  const { mesh } = await cleanMesh(
    await levelMesh(gpu, values, lattice),
    { triangles: options.triangles },
    { runInThread, signal },
  );
  return { mesh: triangleCount(mesh) > 0 ? mesh : start, ...shares };
}

const surfaceFacts = (health: MeshHealth): SurfaceFacts => ({
  components: health.components,
  genus: health.genus,
  holes: health.boundaryEdges,
  innerShells: health.innerShells,
  inwardTriangles: health.inwardTriangles,
});

/** The power of two that pictures are divided by, so that a voxel has about `PIXELS_PER_VOXEL`; sizes stay whole. */
function divisorFor({ width, height }: WindowSet, pixels: number): number {
  let divisor = 1;
  while (
    width % (divisor * 2) === 0 &&
    height % (divisor * 2) === 0 &&
    pixels / (divisor * 2) >= PIXELS_PER_VOXEL * 0.75
  ) {
    divisor *= 2;
  }
  return divisor;
}
