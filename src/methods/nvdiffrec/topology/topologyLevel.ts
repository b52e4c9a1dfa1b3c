import {
  BRICK_SAMPLES,
  CELL_WEIGHTS,
  createIsoGrid,
  destroyIsoGrid,
  eachSample,
  type IsoGrid,
  type IsoLattice,
  latticeSize,
  setBricks,
} from '../../../geometry/flexicubes/brickGrid.js';
import {
  countIsoSurface,
  createIsoSurface,
  destroyIsoSurface,
  type IsoSurface,
  recordExtract,
} from '../../../geometry/flexicubes/extract.js';
import {
  createIsoGradients,
  destroyIsoGradients,
  type IsoGradients,
  type IsoRegularisers,
  recordExtractBackward,
} from '../../../geometry/flexicubes/extractBackward.js';
import { type LevelField, surfaceBricks } from '../../../geometry/flexicubes/levelField.js';
import {
  createIsoMoments,
  destroyIsoMoments,
  type IsoMoments,
  type IsoStepOptions,
  recordIsoStep,
} from '../../../geometry/flexicubes/stepGrid.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import { createFrame, destroyFrame } from '../../../render/diff/frame.js';
import { recordAntialias, recordAntialiasBackward } from '../../../render/diff/geometry/antialias.js';
import { recordGeometry } from '../../../render/diff/geometry/geometry.js';
import { recordLoss } from '../../../render/diff/loss/loss.js';
import {
  createVertexColorGradients,
  destroyVertexColorGradients,
  recordClearVertexColorGradients,
  recordVertexColor,
  recordVertexColorBackward,
  type VertexColorGradients,
} from '../../../render/diff/shade/vertexColor.js';
import type { DiffCameras, DiffMesh, Frame, TargetImages } from '../../../render/diff/types.js';

/** Coverage that is wrong by this much presses the surface in. */
const PRESSING = 0.9;
/** Room beyond what is there: the surface grows while it is optimised. */
const SPARE = 1.25;

/** Pictures of one size with their cameras. */
export interface LevelPictures {
  cameras: DiffCameras;
  targets: TargetImages;
}

export interface LevelStep extends IsoStepOptions, IsoRegularisers {
  /** Weight of the squared error of coverage. */
  silhouette: number;
  /** See `Pressure`. */
  pressure: number;
}

/** Everything on the device whose size depends on that of the surface. */
interface SurfaceBuffers {
  surface: IsoSurface;
  mesh: DiffMesh;
  frame: Frame;
  gradients: VertexColorGradients;
  isoGradients: IsoGradients;
}

/**
 * A level set of one resolution under optimisation: grid, surface, renderer and optimiser. One `step` is one submission
 * without read-back.
 */
export class TopologyLevel {
  readonly lattice: IsoLattice;
  private readonly gpu: Gpu;
  private readonly picture: { width: number; height: number; capacity: number };
  private grid: IsoGrid;
  private moments: IsoMoments;
  private buffers: SurfaceBuffers | undefined;

  /** @param picture size of the pictures, and how many are compared at a time */
  constructor(gpu: Gpu, lattice: IsoLattice, picture: { width: number; height: number; capacity: number }) {
    this.gpu = gpu;
    this.lattice = lattice;
    this.picture = picture;
    this.grid = createIsoGrid(gpu, lattice, 1);
    this.moments = createIsoMoments(gpu, this.grid);
  }

  get frame(): Frame {
    return this.made().frame;
  }

  /** Bricks that are in. */
  get bricks(): number {
    return this.grid.brickOf.filter((b) => b >= 0).length;
  }

  /**
   * Puts a field on the device: bricks around its surface, and room for it. Weights and the optimiser's memory stay in
   * bricks that stay.
   */
  async upload(field: LevelField): Promise<void> {
    const { gpu } = this;
    const wanted = surfaceBricks(field.values, this.lattice);
    if (wanted.length > this.grid.slots) {
      destroyIsoGrid(this.grid);
      destroyIsoMoments(this.moments);
      this.freeBuffers();
      this.grid = createIsoGrid(gpu, this.lattice, Math.ceil(wanted.length * SPARE));
      this.moments = createIsoMoments(gpu, this.grid);
    }
    const { grid, moments } = this;
    for (const slot of setBricks(gpu, grid, wanted)) {
      gpu.write(grid.weights, new Float32Array(BRICK_SAMPLES * CELL_WEIGHTS), slot * BRICK_SAMPLES * CELL_WEIGHTS * 4);
      gpu.write(
        moments.weights,
        new Float32Array(BRICK_SAMPLES * CELL_WEIGHTS * 2),
        slot * BRICK_SAMPLES * CELL_WEIGHTS * 8,
      );
      gpu.write(moments.samples, new Float32Array(BRICK_SAMPLES * 16), slot * BRICK_SAMPLES * 64);
    }
    const data = new Float32Array(grid.slots * BRICK_SAMPLES * 8);
    this.eachPlace((index, at) => {
      data[index * 8] = field.values[at];
      for (let k = 0; k < 3; k++) {
        data[index * 8 + 1 + k] = field.deformations[at * 3 + k];
        data[index * 8 + 4 + k] = field.colors[at * 3 + k];
      }
    });
    gpu.write(grid.samples, data);
    const { vertices, quads } = await countIsoSurface(gpu, grid);
    const room = this.buffers?.surface;
    const fits = room && vertices <= room.vertexCapacity && quads <= room.quadCapacity;
    if (!fits || room.quadCapacity > 2 * SPARE * quads) {
      this.freeBuffers();
      this.buffers = this.makeBuffers(Math.ceil(vertices * SPARE) + 64, Math.ceil(quads * SPARE) + 64);
    }
  }

  /** Reads the bricks' samples back into the field. */
  async download(field: LevelField): Promise<void> {
    const data = await this.gpu.readFloat32(this.grid.samples, this.grid.slots * BRICK_SAMPLES * 8);
    this.eachPlace((index, at) => {
      field.values[at] = data[index * 8];
      for (let k = 0; k < 3; k++) {
        field.deformations[at * 3 + k] = data[index * 8 + 1 + k];
        field.colors[at * 3 + k] = data[index * 8 + 4 + k];
      }
    });
  }

  /** Submits one step on a batch of views, and does not wait. */
  step({ cameras, targets }: LevelPictures, views: readonly number[], options: LevelStep): void {
    const { gpu, grid, moments } = this;
    const { surface, mesh, frame, gradients, isoGradients } = this.made();
    const batch = gpu.batch('topology step');
    frame.views = views;
    recordExtract(batch, grid, surface);
    recordGeometry(batch, { mesh, cameras }, frame);
    recordVertexColor(batch, mesh, surface.attributes, frame);
    recordAntialias(batch, mesh, frame);
    recordLoss(batch, frame, targets, { silhouette: options.silhouette });
    recordClearVertexColorGradients(batch, gradients);
    recordAntialiasBackward(batch, mesh, frame, gradients);
    recordVertexColorBackward(batch, mesh, cameras, surface.attributes, frame, gradients, {
      factor: options.pressure,
      least: PRESSING * 2 * options.silhouette,
    });
    recordExtractBackward(batch, grid, surface, gradients.gradient, isoGradients, options);
    recordIsoStep(batch, grid, surface, isoGradients, moments, options);
    batch.submit();
  }

  dispose(): void {
    this.freeBuffers();
    destroyIsoGrid(this.grid);
    destroyIsoMoments(this.moments);
  }

  /** Calls `visit` with the index on the device and the one in fields of every sample in bricks. */
  private eachPlace(visit: (index: number, at: number) => void): void {
    const [nx, ny] = latticeSize(this.lattice);
    for (let slot = 0; slot < this.grid.slots; slot++) {
      eachSample(this.grid, slot, (index, x, y, z) => visit(index, (z * ny + y) * nx + x));
    }
  }

  private makeBuffers(vertexCapacity: number, quadCapacity: number): SurfaceBuffers {
    const { gpu, picture } = this;
    const surface = createIsoSurface(gpu, vertexCapacity, quadCapacity);
    const { positionCapacity: positionCount, triangleCapacity: triangleCount } = surface;
    return {
      surface,
      mesh: {
        positionCount,
        triangleCount,
        positions: surface.positions,
        triangles: surface.triangles,
        // Unlit: normals are carried along, and nobody looks at them.
        normals: gpu.createBuffer(positionCount * 16, 'no normals'),
        corners: gpu.createBuffer(16, 'no corners'),
        vertexToPosition: new Uint32Array(0),
      },
      frame: createFrame(gpu, { ...picture, positionCount, triangleCount }),
      gradients: createVertexColorGradients(gpu, positionCount, picture.capacity),
      isoGradients: createIsoGradients(gpu, this.grid, vertexCapacity),
    };
  }

  private made(): SurfaceBuffers {
    if (!this.buffers) throw new RangeError('upload() comes first');
    return this.buffers;
  }

  private freeBuffers(): void {
    if (!this.buffers) return;
    const { surface, mesh, frame, gradients, isoGradients } = this.buffers;
    destroyIsoSurface(surface);
    mesh.normals.destroy();
    mesh.corners.destroy();
    destroyFrame(frame);
    destroyVertexColorGradients(gradients);
    destroyIsoGradients(isoGradients);
    this.buffers = undefined;
  }
}
