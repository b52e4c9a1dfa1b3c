import { diagonalOf } from '../../../../core/bounds.js';
import type { Batch } from '../../../../gpu/runtime/batch.js';
import { recordGeometryBackward } from '../../../../render/diff/geometry/geometryBackward.js';
import { recordAdam } from '../../../../render/diff/step/adam.js';
import { recordLaplacian } from '../laplacian.js';
import type { Pace } from './pace.js';
import type { StepScene } from './pictures.js';

/**
 * Records the step of the vertices, where they are to move.
 * @param pixelsPerUnit pixels per scene unit at the object
 */
export function recordMoveSurface(
  batch: Batch,
  scene: StepScene,
  { iteration, rate, warm }: Pace,
  pixelsPerUnit: number,
): void {
  const { mesh, options, bounds, frame, gradients } = scene;
  if (!options.geometry) return;
  recordGeometryBackward(batch, scene, frame, gradients);
  const weight = options.smoothness * pixelsPerUnit ** 2 * frame.views.length;
  recordLaplacian(batch, scene.laplacian, mesh.positions, gradients.positions, weight);
  const group = {
    parameters: mesh.positions,
    gradient: gradients.positions,
    moments: scene.positionMoments,
    count: mesh.positionCount * 3,
  };
  recordAdam(batch, group, {
    learningRate: rate(options.positionRate) * diagonalOf(bounds) * warm,
    step: iteration + 1,
  });
}
