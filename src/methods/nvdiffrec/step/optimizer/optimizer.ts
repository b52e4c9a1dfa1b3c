import type { Camera } from '../../../../core/camera.js';
import type { Gpu } from '../../../../gpu/runtime/gpu.js';
import type { DiffCameras } from '../../../../render/diff/types.js';
import type { NvdiffrecOptions } from '../../options.js';
import type { Start } from '../../start/start.js';
import { findDiverged } from './findDiverged.js';
import { type LevelSize, OptimizerLevel } from './optimizerLevel.js';
import { type OptimizerState, readState, writeState } from './optimizerState.js';
import { createParameters, destroyParameters, type Parameters } from './parameters.js';

/**
 * The joint optimisation of vertices, material and light on the device. It steps and renders on a `level`, which has
 * buffers for pictures of one size; the parameters outlast levels.
 */
export class Optimizer {
  readonly parameters: Parameters;

  private constructor(parameters: Parameters) {
    this.parameters = parameters;
  }

  /**
   * @param start its mesh has texture coordinates and tangents; texels are f32 [textureSize² × 8]
   * @param cameras of all views, to be refined where the options say so
   */
  static async create(
    gpu: Gpu,
    start: Omit<Start, 'facts'>,
    options: NvdiffrecOptions,
    cameras: readonly Camera[] = [],
  ): Promise<Optimizer> {
    return new Optimizer(await createParameters(gpu, start, options, cameras));
  }

  /**
   * Goes to pictures of a size. The caller disposes of the level, before the next where memory is short.
   * @param cameras of the largest group of pictures
   * @throws GPU_LIMIT_TOO_LOW where the views stacked exceed the device's texture or buffer size
   */
  level(size: LevelSize, cameras: DiffCameras): OptimizerLevel {
    return new OptimizerLevel(this.parameters, size, cameras);
  }

  /** Reads back what `restore` takes. */
  state(): Promise<OptimizerState> {
    return readState(this.parameters);
  }

  /** Goes back to a state that was read. */
  restore(state: OptimizerState): void {
    writeState(this.parameters, state);
  }

  /** What has diverged, if anything. */
  diverged(): Promise<'vertices' | 'light' | undefined> {
    return findDiverged(this.parameters);
  }

  /** Frees the parameters. Levels are freed by themselves. */
  dispose(): void {
    destroyParameters(this.parameters);
  }
}
