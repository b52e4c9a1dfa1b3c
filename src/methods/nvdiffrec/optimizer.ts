import type { Batch } from '../../gpu/batch.js';
import type { Gpu } from '../../gpu/gpu.js';
import {
  type AdamGroup,
  createDiffLight,
  createDiffMesh,
  createEmptyMaterial,
  createFrame,
  createGradients,
  type DiffCameras,
  type DiffLight,
  type DiffMaterial,
  type DiffMesh,
  destroyDiffLight,
  destroyDiffMaterial,
  destroyDiffMesh,
  destroyFrame,
  destroyGradients,
  type Frame,
  type Gradients,
  LIGHT_RANGE,
  recordAdam,
  recordAntialias,
  recordAntialiasBackward,
  recordClearGradients,
  recordGeometry,
  recordGeometryBackward,
  recordLight,
  recordLightBackward,
  recordLoss,
  recordMaterialMips,
  recordMaterialStep,
  recordNormals,
  recordShade,
  recordShadeBackward,
  type TargetImages,
} from '../../render/diff/index.js';
import { type Bounds, meshBounds } from '../../render/forward/geometryPass.js';
import { createLaplacian, destroyLaplacian, type Laplacian, recordLaplacian } from './laplacian.js';
import { recordMaterialPrior } from './materialPrior.js';
import { recordNeutralLight } from './neutralLight.js';
import type { NvdiffrecOptions } from './options.js';
import { decayed } from './schedule.js';
import type { Start } from './start.js';

/** What rates fall to by the end, as shares of the first. */
const LAST_RATE = 0.1;
/** Steps over which the moving of vertices sets in, so that the first guesses of light and material do not bend the surface. */
const WARM_UP = 60;
/** Steps that the shares of pulls are stated for. */
const PULL_STEPS = 100;
/** Steps between two pulls of the material. */
const PRIOR_EVERY = 8;
/** Shares of the run: until the first, base colour stands still, so that light and gloss explain what they can; from the second on it moves freely. */
const COLOR_WAITS = 0.06;
const COLOR_FREE = 0.2;

/** A surface that reaches this many of its diagonals away from where it was is no surface of the object. */
const FAR = 10;

/** Pictures of one size with their cameras. */
export interface Pictures {
  cameras: DiffCameras;
  targets: TargetImages;
}

/** Parameters and the optimiser's memory, as read back. */
export type OptimizerState = Record<
  'positions' | 'positionMoments' | 'texels' | 'moment1' | 'moment2' | 'light' | 'lightMoments',
  Float32Array
>;

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
  private readonly laplacian: Laplacian;
  private readonly palette: Float64Array;
  private readonly lightMoments: GPUBuffer;
  private readonly positionMoments: GPUBuffer;
  private gradients: Gradients | undefined;

  private constructor(
    gpu: Gpu,
    options: NvdiffrecOptions,
    parts: Pick<Optimizer, 'mesh' | 'material' | 'light'> & {
      laplacian: Laplacian;
      bounds: Bounds;
      palette: Float64Array;
    },
  ) {
    this.gpu = gpu;
    this.options = options;
    this.mesh = parts.mesh;
    this.material = parts.material;
    this.light = parts.light;
    this.laplacian = parts.laplacian;
    this.bounds = parts.bounds;
    this.palette = parts.palette;
    this.positionMoments = gpu.createBuffer(parts.mesh.positionCount * 24, 'position moments');
    this.lightMoments = gpu.createBuffer(6 * parts.light.size ** 2 * 24, 'light moments');
  }

  /**
   * @param start its mesh has texture coordinates and tangents; texels are f32 [textureSize² × 8]
   */
  static async create(
    gpu: Gpu,
    { mesh, texels, light, palette }: Omit<Start, 'facts'>,
    options: NvdiffrecOptions,
  ): Promise<Optimizer> {
    const diffMesh = createDiffMesh(gpu, mesh);
    const positions = await gpu.readFloat32(diffMesh.positions, diffMesh.positionCount * 3);
    const shared = mesh.indices.map((v) => diffMesh.vertexToPosition[v]);
    const material = createEmptyMaterial(gpu, options.textureSize, options.textureSize);
    gpu.write(material.texels, texels);
    gpu.run((batch) => recordMaterialMips(batch, gpu, material));
    return new Optimizer(gpu, options, {
      mesh: diffMesh,
      material,
      light: await createDiffLight(gpu, light, options.lightSize),
      laplacian: createLaplacian(gpu, shared, positions),
      bounds: meshBounds(mesh),
      palette,
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
    const { gpu, mesh, light, material } = this;
    const frame = this.frameOrThrow();
    frame.views = views;
    const scene = { mesh, cameras, material, light };
    recordNormals(batch, gpu, mesh);
    recordLight(batch, gpu, light);
    recordGeometry(batch, gpu, scene, frame);
    recordShade(batch, gpu, scene, frame);
    recordAntialias(batch, gpu, mesh, frame);
  }

  /**
   * Submits one step on a batch of views, and does not wait.
   * @param iteration number of the step, from 0
   * @param total number of steps of the whole run
   * @param pixelsPerUnit pixels per scene unit at the object, in pictures of the present size
   */
  step(pictures: Pictures, views: readonly number[], iteration: number, total: number, pixelsPerUnit: number): void {
    const { gpu, mesh, material, light, options } = this;
    const frame = this.frameOrThrow();
    const gradients = this.gradients!;
    const scene = { mesh, cameras: pictures.cameras, material, light };
    const rate = (first: number) => decayed(first, LAST_RATE, iteration, total);
    const batch = gpu.batch('step');
    this.recordRender(batch, pictures.cameras, views);
    recordLoss(batch, gpu, frame, pictures.targets, { silhouette: options.silhouette });
    recordAntialiasBackward(batch, gpu, mesh, frame, gradients);
    recordShadeBackward(batch, gpu, scene, frame, gradients, { geometry: options.geometry });
    recordLightBackward(batch, gpu, light, gradients);
    if (options.geometry) {
      recordGeometryBackward(batch, gpu, scene, frame, gradients);
      const weight = options.smoothness * pixelsPerUnit ** 2 * views.length;
      recordLaplacian(batch, gpu, this.laplacian, mesh.positions, gradients.positions, weight);
      const warm = Math.min(1, (iteration + 1) / WARM_UP);
      recordAdam(batch, gpu, this.positionGroup(), {
        learningRate: rate(options.positionRate) * diagonalOf(this.bounds) * warm,
        step: iteration + 1,
      });
    }
    recordAdam(batch, gpu, this.lightGroup(), { learningRate: rate(options.lightRate), step: iteration + 1 });
    if (options.lightNeutrality > 0) recordNeutralLight(batch, gpu, light, pulled(options.lightNeutrality, 1));
    const free = Math.min(1, Math.max(0, ((iteration + 1) / total - COLOR_WAITS) / (COLOR_FREE - COLOR_WAITS)));
    recordMaterialStep(batch, gpu, material, gradients, {
      baseColor: rate(options.baseColorRate) * free,
      occlusion: rate(options.occlusionRate),
      roughness: rate(options.materialRate),
      metallic: rate(options.materialRate),
      normal: rate(options.normalRate),
    });
    recordClearGradients(batch, scene, gradients);
    if ((iteration + 1) % PRIOR_EVERY === 0) this.recordPriors(batch);
    batch.submit();
  }

  private recordPriors(batch: Batch): void {
    const { gpu, material, options, palette } = this;
    const smooth = pulled(options.materialSmoothness, PRIOR_EVERY);
    const towards = pulled(options.palette, PRIOR_EVERY);
    if (smooth === 0 && towards === 0) return;
    recordMaterialPrior(batch, gpu, material, { smooth, palette: towards }, palette);
    recordMaterialMips(batch, gpu, material);
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
    gpu.run((batch) => recordMaterialMips(batch, gpu, material));
  }

  dispose(): void {
    this.freeFrame();
    destroyDiffMesh(this.mesh);
    destroyDiffMaterial(this.material);
    destroyDiffLight(this.light);
    destroyLaplacian(this.laplacian);
    this.positionMoments.destroy();
    this.lightMoments.destroy();
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

const diagonalOf = ({ min, max }: Bounds): number => Math.hypot(max[0] - min[0], max[1] - min[1], max[2] - min[2]);
