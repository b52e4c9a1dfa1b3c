import { type Bounds, boundsOf, centerOf, diagonalOf } from '../../../core/bounds.js';
import type { Camera } from '../../../core/camera.js';
import type { Vec3 } from '../../../core/math.js';
import type { Batch } from '../../../gpu/runtime/batch.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import { createFrame, destroyFrame } from '../../../render/diff/frame.js';
import { recordAntialias, recordAntialiasBackward } from '../../../render/diff/geometry/antialias.js';
import { recordGeometry } from '../../../render/diff/geometry/geometry.js';
import { recordCameraBackward, recordGeometryBackward } from '../../../render/diff/geometry/geometryBackward.js';
import { createDiffMesh, destroyDiffMesh } from '../../../render/diff/geometry/mesh.js';
import { recordNormals } from '../../../render/diff/geometry/normals.js';
import { createGradients, destroyGradients, recordClearGradients } from '../../../render/diff/gradients.js';
import {
  createDiffLight,
  destroyDiffLight,
  LIGHT_RANGE,
  recordLight,
  recordLightBackward,
} from '../../../render/diff/light/light.js';
import { recordDepthLoss } from '../../../render/diff/loss/depthLoss.js';
import { recordLoss } from '../../../render/diff/loss/loss.js';
import {
  createEmptyMaterial,
  destroyDiffMaterial,
  recordMaterialMips,
  recordMaterialStep,
} from '../../../render/diff/shade/material.js';
import { recordShade } from '../../../render/diff/shade/shade.js';
import { recordShadeBackward } from '../../../render/diff/shade/shadeBackward.js';
import { type AdamGroup, recordAdam } from '../../../render/diff/step/adam.js';
import {
  createMovingCameras,
  destroyMovingCameras,
  type MovingCameras,
  recordCameraStep,
} from '../../../render/diff/step/cameraStep.js';
import type {
  DepthTargets,
  DiffCameras,
  DiffLight,
  DiffMaterial,
  DiffMesh,
  Frame,
  Gradients,
  TargetImages,
} from '../../../render/diff/types.js';
import type { NvdiffrecOptions } from '../options.js';
import { createLightCopy, recordLightPrior } from '../priors/lightPrior.js';
import { recordMaterialPrior } from '../priors/materialPrior.js';
import type { Start } from '../start/start.js';
import { BALANCE_FLOATS, createBalance, recordBalance } from './balance.js';
import { CLUSTER_FLOATS, type Clusters, createClusters } from './clusters.js';
import { recordGlossStep } from './glossStep.js';
import { createLaplacian, destroyLaplacian, type Laplacian, recordLaplacian } from './laplacian.js';
import { decayed } from './schedule.js';

/** What rates fall to by the end, as shares of the first. */
const LAST_RATE = 0.1;
/** Steps over which the moving of vertices sets in, so that the first guesses of light and material do not bend the surface. */
const WARM_UP = 60;
/** The light has few texels for many pixels: its gradient is taken from a part of them, in turns. */
const LIGHT_STRIDE = 5;
/** Steps between two of what many texels share: the balance between light and base colour, and gloss by colour. */
const SHARED_EVERY = 4;
/** Share of a camera's motion that is taken back in every step that sees it. */
const CAMERA_PULL = 0.002;
/** Steps that the shares of pulls are stated for. */
const PULL_STEPS = 100;
/** Steps between two pulls of the material. */
const PRIOR_EVERY = 8;
/** Shares of the run: until the first, base colour and roughness stand still, so that the light explains what it can; from the second on they move freely. */
const COLOR_WAITS = 0.04;
const COLOR_FREE = 0.12;

/** A surface that reaches this many of its diagonals away from where it was is no surface of the object. */
const FAR = 10;
/** Beneath any gradient that counts. */
const LEAST_GRADIENT = 1e-8;

/** Pictures of one size with their cameras. */
export interface Pictures {
  cameras: DiffCameras;
  targets: TargetImages;
  /** Number of the first of them among all views. */
  first: number;
  /** With the error that counts as one, in scene units. */
  depths?: DepthTargets & { unit: number };
}

/** Parameters and the optimiser's memory, as read back. */
export type OptimizerState = Record<
  | 'positions'
  | 'positionMoments'
  | 'texels'
  | 'moment1'
  | 'moment2'
  | 'light'
  | 'lightMoments'
  | 'balance'
  | 'clusters',
  Float32Array
> & {
  /** Where cameras are refined. */
  cameras?: Float32Array;
};

/**
 * The joint optimisation of vertices, material and light on the device. One `step` is one submission without read-back; what it does is
 * in the order that `render/diff/types.ts` describes.
 */
export class Optimizer {
  readonly mesh: DiffMesh;
  readonly material: DiffMaterial;
  readonly light: DiffLight;
  frame: Frame | undefined;
  readonly gpu: Gpu;
  /** Of the mesh at the start. */
  readonly bounds: Bounds;
  private readonly options: NvdiffrecOptions;
  /** Cameras, where they are refined. */
  readonly moving: MovingCameras | undefined;
  private readonly laplacian: Laplacian;
  private readonly clusters: Clusters;
  private readonly lightMoments: GPUBuffer;
  private readonly balance: GPUBuffer;
  private readonly lightCopy: GPUBuffer;
  private readonly positionMoments: GPUBuffer;
  private gradients: Gradients | undefined;

  private constructor(
    gpu: Gpu,
    options: NvdiffrecOptions,
    parts: Pick<Optimizer, 'mesh' | 'material' | 'light'> & {
      laplacian: Laplacian;
      bounds: Bounds;
      palette: Float64Array;
      moving?: MovingCameras;
    },
  ) {
    this.gpu = gpu;
    this.options = options;
    this.mesh = parts.mesh;
    this.material = parts.material;
    this.light = parts.light;
    this.laplacian = parts.laplacian;
    this.bounds = parts.bounds;
    this.clusters = createClusters(gpu, parts.palette);
    this.moving = parts.moving;
    this.positionMoments = gpu.createBuffer(parts.mesh.positionCount * 24, 'position moments');
    this.lightMoments = gpu.createBuffer(6 * parts.light.size ** 2 * 24, 'light moments');
    this.balance = createBalance(gpu);
    this.lightCopy = createLightCopy(gpu, parts.light);
  }

  /**
   * @param start its mesh has texture coordinates and tangents; texels are f32 [textureSize² × 8]
   * @param cameras of all views, to be refined where the options say so
   */
  static async create(
    gpu: Gpu,
    { mesh, texels, light, palette }: Omit<Start, 'facts'>,
    options: NvdiffrecOptions,
    cameras: readonly Camera[] = [],
  ): Promise<Optimizer> {
    const diffMesh = createDiffMesh(gpu, mesh);
    const positions = await gpu.readFloat32(diffMesh.positions, diffMesh.positionCount * 3);
    const shared = mesh.indices.map((v) => diffMesh.vertexToPosition[v]);
    const material = createEmptyMaterial(gpu, options.textureSize, options.textureSize);
    gpu.write(material.texels, texels);
    gpu.run((batch) => recordMaterialMips(batch, material));
    const bounds = boundsOf(mesh.positions, mesh.indices);
    const { center, radius } = ballAround(bounds);
    return new Optimizer(gpu, options, {
      mesh: diffMesh,
      material,
      light: await createDiffLight(gpu, light, options.lightSize),
      laplacian: createLaplacian(gpu, shared, positions),
      bounds,
      palette,
      moving: options.refineCameras ? createMovingCameras(gpu, cameras, center, radius) : undefined,
    });
  }

  /** Makes the buffers for pictures of a size; those of another size are freed. */
  resize(width: number, height: number, capacity: number, cameras: DiffCameras): void {
    this.freeFrame();
    const { positionCount, triangleCount } = this.mesh;
    this.frame = createFrame(this.gpu, { width, height, capacity, positionCount, triangleCount });
    this.gradients = createGradients(
      this.gpu,
      { mesh: this.mesh, material: this.material, light: this.light, cameras },
      capacity,
    );
  }

  /** Records the pictures of `views` as they are now → `frame.antialiased`. */
  recordRender(batch: Batch, cameras: DiffCameras, views: readonly number[]): void {
    const { mesh, light, material } = this;
    const frame = this.frameOrThrow();
    frame.views = views;
    const scene = { mesh, cameras, material, light };
    recordNormals(batch, mesh);
    recordLight(batch, light);
    recordGeometry(batch, scene, frame);
    recordShade(batch, scene, frame, { mips: 'nearest' });
    recordAntialias(batch, mesh, frame);
  }

  /**
   * Submits one step on a batch of views, and does not wait.
   * @param iteration number of the step, from 0
   * @param total number of steps of the whole run
   * @param pixelsPerUnit pixels per scene unit at the object, in pictures of the present size
   */
  step(pictures: Pictures, views: readonly number[], iteration: number, total: number, pixelsPerUnit: number): void {
    const { gpu, mesh, material, light, options, moving } = this;
    const frame = this.frameOrThrow();
    const gradients = this.gradients!;
    const scene = { mesh, cameras: pictures.cameras, material, light };
    const pixels = frame.width * frame.height;
    const rate = (first: number) => decayed(first, LAST_RATE, iteration, total);
    const batch = gpu.batch('step');
    this.recordRender(batch, pictures.cameras, views);
    recordLoss(batch, frame, pictures.targets, { silhouette: options.silhouette, space: 'srgb', background: 1 });
    if (pictures.depths && options.depth > 0) {
      recordDepthLoss(batch, mesh, frame, pictures.depths, gradients, {
        weight: options.depth,
        unit: pictures.depths.unit,
      });
    }
    recordAntialiasBackward(batch, mesh, frame, gradients);
    recordShadeBackward(batch, scene, frame, gradients, {
      geometry: options.geometry || moving !== undefined,
      mips: 'nearest',
      lightStride: LIGHT_STRIDE,
      lightFirst: iteration,
    });
    recordLightBackward(batch, light, gradients);
    const warm = Math.min(1, (iteration + 1) / WARM_UP);
    if (moving) {
      recordCameraBackward(batch, scene, frame, gradients);
      recordCameraStep(
        batch,
        moving,
        pictures.cameras,
        frame,
        gradients,
        {
          turn: rate(options.cameraRate) * warm,
          shift: rate(options.cameraRate) * diagonalOf(this.bounds) * warm,
          focal: rate(options.cameraRate) * warm,
          pull: CAMERA_PULL,
        },
        pictures.first,
      );
    }
    const shares = (iteration + 1) % SHARED_EVERY === 0;
    if (shares && options.balanceRate > 0) {
      recordBalance(batch, material, light, gradients, this.balance, rate(options.balanceRate) * warm);
    }
    const free = Math.min(1, Math.max(0, ((iteration + 1) / total - COLOR_WAITS) / (COLOR_FREE - COLOR_WAITS)));
    if (shares && options.glossRate > 0) {
      recordGlossStep(batch, material, gradients, this.clusters, {
        roughness: rate(options.glossRate) * free,
        metallic: rate(options.glossRate) * free,
      });
    }
    if (options.geometry) {
      recordGeometryBackward(batch, scene, frame, gradients);
      const weight = options.smoothness * pixelsPerUnit ** 2 * views.length;
      recordLaplacian(batch, this.laplacian, mesh.positions, gradients.positions, weight);
      recordAdam(batch, this.positionGroup(), {
        learningRate: rate(options.positionRate) * diagonalOf(this.bounds) * warm,
        step: iteration + 1,
      });
    }
    recordAdam(batch, this.lightGroup(), {
      learningRate: rate(options.lightRate),
      step: iteration + 1,
    });
    if (options.lightNeutrality > 0 || options.lightSmoothness > 0) {
      recordLightPrior(batch, light, this.lightCopy, {
        neutral: pulled(options.lightNeutrality, 1),
        smooth: pulled(options.lightSmoothness, 1),
      });
    }
    recordMaterialStep(batch, material, gradients, {
      baseColor: rate(options.baseColorRate) * free,
      occlusion: rate(options.occlusionRate),
      roughness: rate(options.materialRate) * free,
      metallic: rate(options.materialRate),
      normal: rate(options.normalRate),
      epsilon: LEAST_GRADIENT + (options.doubt * pixels) / (material.width * material.height),
    });
    recordClearGradients(batch, scene, gradients);
    if (shares && (options.balanceRate > 0 || options.glossRate > 0)) recordMaterialMips(batch, material);
    if ((iteration + 1) % PRIOR_EVERY === 0) this.recordPriors(batch);
    batch.submit();
  }

  private recordPriors(batch: Batch): void {
    const { material, options, clusters } = this;
    const smooth = pulled(options.materialSmoothness, PRIOR_EVERY);
    const towards = pulled(options.palette, PRIOR_EVERY);
    const gloss = pulled(options.glossByColor, PRIOR_EVERY);
    if (smooth === 0 && towards === 0 && gloss === 0) return;
    recordMaterialPrior(batch, material, clusters, { smooth, gloss, palette: towards });
    recordMaterialMips(batch, material);
  }

  /** Reads back what `restore` takes. */
  async state(): Promise<OptimizerState> {
    const { gpu, mesh, material, light } = this;
    const texels = material.width * material.height * 8;
    const lightCount = 6 * light.size ** 2 * 3;
    const positions = mesh.positionCount * 3;
    return {
      positions: await gpu.readFloat32(mesh.positions, positions),
      positionMoments: await gpu.readFloat32(this.positionMoments, positions * 2),
      texels: await gpu.readFloat32(material.texels, texels),
      moment1: await gpu.readFloat32(material.moment1, texels),
      moment2: await gpu.readFloat32(material.moment2, texels),
      light: await gpu.readFloat32(light.parameters, lightCount),
      lightMoments: await gpu.readFloat32(this.lightMoments, lightCount * 2),
      balance: await gpu.readFloat32(this.balance, BALANCE_FLOATS),
      clusters: await gpu.readFloat32(this.clusters.buffer, CLUSTER_FLOATS),
      ...(this.moving && { cameras: await gpu.readFloat32(this.moving.state) }),
    };
  }

  /**
   * What has diverged, if anything. Parameters are clamped, which hides what is not a number: the optimiser's memory does not forget it.
   */
  async broken(): Promise<'vertices' | 'light' | undefined> {
    const { gpu, mesh, light, bounds } = this;
    const count = mesh.positionCount * 3;
    const moments = await gpu.readFloat32(this.positionMoments, count * 2);
    const positions = await gpu.readFloat32(mesh.positions, count);
    const far = FAR * diagonalOf(bounds);
    const strayed = (v: number, i: number) => !(Math.abs(v - bounds.min[i % 3]) <= far);
    if (!moments.every(Number.isFinite) || positions.some(strayed)) return 'vertices';
    const lightMoments = await gpu.readFloat32(this.lightMoments, 6 * light.size ** 2 * 6);
    return lightMoments.every(Number.isFinite) ? undefined : 'light';
  }

  /** Goes back to a state that was read. */
  restore(state: OptimizerState): void {
    const { gpu, mesh, material, light } = this;
    gpu.write(mesh.positions, state.positions);
    gpu.write(this.positionMoments, state.positionMoments);
    gpu.write(material.texels, state.texels);
    gpu.write(material.moment1, state.moment1);
    gpu.write(material.moment2, state.moment2);
    gpu.write(light.parameters, state.light);
    gpu.write(this.lightMoments, state.lightMoments);
    gpu.write(this.balance, state.balance);
    gpu.write(this.clusters.buffer, state.clusters);
    if (this.moving && state.cameras) gpu.write(this.moving.state, state.cameras);
    gpu.run((batch) => recordMaterialMips(batch, material));
  }

  dispose(): void {
    this.freeFrame();
    destroyDiffMesh(this.mesh);
    destroyDiffMaterial(this.material);
    destroyDiffLight(this.light);
    destroyLaplacian(this.laplacian);
    if (this.moving) destroyMovingCameras(this.moving);
    this.positionMoments.destroy();
    this.lightMoments.destroy();
    this.balance.destroy();
    this.lightCopy.destroy();
    this.clusters.buffer.destroy();
  }

  private positionGroup(): AdamGroup {
    const { mesh, gradients, positionMoments: moments } = this;
    return { parameters: mesh.positions, gradient: gradients!.positions, moments, count: mesh.positionCount * 3 };
  }

  private lightGroup(): AdamGroup {
    const { light, gradients, lightMoments: moments } = this;
    const count = 6 * light.size ** 2 * 3;
    return { parameters: light.parameters, gradient: gradients!.light!, moments, count, range: LIGHT_RANGE };
  }

  private frameOrThrow(): Frame {
    if (!this.frame) throw new RangeError('resize() comes first');
    return this.frame;
  }

  private freeFrame(): void {
    if (this.frame) destroyFrame(this.frame);
    if (this.gradients) destroyGradients(this.gradients);
    this.frame = undefined;
    this.gradients = undefined;
  }
}

/** The share to pull by in `steps` steps where `share` is to be lost in `PULL_STEPS`. */
const pulled = (share: number, steps: number): number => 1 - (1 - Math.min(0.99, share)) ** (steps / PULL_STEPS);

/** A ball that the surface stays in, for the cameras' depth ranges. */
export const ballAround = (bounds: Bounds): { center: Vec3; radius: number } => ({
  center: centerOf(bounds),
  radius: 0.6 * diagonalOf(bounds),
});
