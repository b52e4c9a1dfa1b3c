import type { Batch } from '../../../../gpu/runtime/batch.js';
import { createFrame, destroyFrame } from '../../../../render/diff/frame.js';
import { recordAntialias } from '../../../../render/diff/geometry/antialias.js';
import { recordGeometry } from '../../../../render/diff/geometry/geometry.js';
import { recordNormals } from '../../../../render/diff/geometry/normals.js';
import { createGradients, destroyGradients, recordClearGradients } from '../../../../render/diff/gradients.js';
import { recordLight } from '../../../../render/diff/light/light.js';
import { recordMaterialMips } from '../../../../render/diff/shade/material.js';
import { recordShade } from '../../../../render/diff/shade/shade.js';
import type { DiffCameras, Frame, Gradients } from '../../../../render/diff/types.js';
import { recordGradientsOfPictures } from './gradientsOfPictures.js';
import { recordMoveCameras } from './moveCameras.js';
import { recordMoveLight } from './moveLight.js';
import { recordMoveMaterial } from './moveMaterial.js';
import { recordMoveShared } from './moveShared.js';
import { recordMoveSurface } from './moveSurface.js';
import { paceOf } from './pace.js';
import type { Parameters } from './parameters.js';
import type { Pictures, StepScene } from './pictures.js';
import { recordPullMaterial } from './pullMaterial.js';

/** Size of the pictures of a level. */
export interface LevelSize {
  /** In pixels. */
  width: number;
  height: number;
  /** Views of one step, at most. */
  capacity: number;
}

/**
 * The optimisation on pictures of one size: it owns the buffers that this size needs. One `step` is one submission
 * without read-back.
 */
export class OptimizerLevel {
  /** Of the last batch: pictures → `antialiased`, losses → `sums`. */
  readonly frame: Frame;
  private readonly gradients: Gradients;
  private readonly parameters: Parameters;

  /**
   * @param cameras of the largest group of pictures
   * @throws GPU_LIMIT_TOO_LOW where the views stacked exceed the device's texture or buffer size
   */
  constructor(parameters: Parameters, { width, height, capacity }: LevelSize, cameras: DiffCameras) {
    const { gpu, mesh, material, light } = parameters;
    const { positionCount, triangleCount } = mesh;
    this.parameters = parameters;
    this.frame = createFrame(gpu, { width, height, capacity, positionCount, triangleCount });
    try {
      this.gradients = createGradients(gpu, { mesh, material, light, cameras }, capacity);
    } catch (error) {
      destroyFrame(this.frame);
      throw error;
    }
  }

  /** Records the pictures of `views` as they are now → `frame.antialiased`. */
  recordRender(batch: Batch, cameras: DiffCameras, views: readonly number[]): void {
    const { frame } = this;
    const { mesh, light, material } = this.parameters;
    frame.views = views;
    const scene = { mesh, cameras, material, light };
    recordNormals(batch, mesh);
    recordLight(batch, light);
    recordGeometry(batch, scene, frame);
    recordShade(batch, scene, frame, { mips: 'nearest' });
    recordAntialias(batch, mesh, frame);
  }

  /**
   * Submits one step on a batch of views, and does not wait. What it does is in the order that `render/diff/types.ts`
   * describes.
   * @param iteration number of the step, from 0
   * @param total number of steps of the whole run
   * @param pixelsPerUnit pixels per scene unit at the object, in pictures of this size
   */
  step(pictures: Pictures, views: readonly number[], iteration: number, total: number, pixelsPerUnit: number): void {
    const { frame, gradients, parameters } = this;
    const { cameras } = pictures;
    const scene: StepScene = { ...parameters, pictures, cameras, frame, gradients };
    const pace = paceOf(iteration, total);
    const batch = parameters.gpu.batch('step');
    this.recordRender(batch, cameras, views);
    recordGradientsOfPictures(batch, scene, pace);
    recordMoveCameras(batch, scene, pace);
    const texelsChanged = recordMoveShared(batch, scene, pace);
    recordMoveSurface(batch, scene, pace, pixelsPerUnit);
    recordMoveLight(batch, scene, pace);
    recordMoveMaterial(batch, scene, pace);
    recordClearGradients(batch, scene, gradients);
    if (texelsChanged) recordMaterialMips(batch, parameters.material);
    recordPullMaterial(batch, parameters, pace);
    batch.submit();
  }

  dispose(): void {
    destroyFrame(this.frame);
    destroyGradients(this.gradients);
  }
}
