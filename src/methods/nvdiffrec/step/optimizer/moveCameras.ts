import { diagonalOf } from '../../../../core/bounds.js';
import type { Batch } from '../../../../gpu/runtime/batch.js';
import { recordCameraBackward } from '../../../../render/diff/geometry/geometryBackward.js';
import { recordCameraStep } from '../../../../render/diff/step/cameraStep.js';
import type { Pace } from './pace.js';
import type { StepScene } from './pictures.js';

/** Share of a camera's motion that is taken back in every step that sees it. */
const CAMERA_PULL = 0.002;

/** Records the step of the cameras, where they are refined. */
export function recordMoveCameras(batch: Batch, scene: StepScene, { rate, warm }: Pace): void {
  const { moving, options, bounds, pictures, frame, gradients } = scene;
  if (!moving) return;
  recordCameraBackward(batch, scene, frame, gradients);
  recordCameraStep(
    batch,
    moving,
    pictures.cameras,
    frame,
    gradients,
    {
      turn: rate(options.cameraRate) * warm,
      shift: rate(options.cameraRate) * diagonalOf(bounds) * warm,
      focal: rate(options.cameraRate) * warm,
      pull: CAMERA_PULL,
    },
    pictures.first,
  );
}
