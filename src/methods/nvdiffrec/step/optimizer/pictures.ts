import type { DepthTargets, DiffCameras, Frame, Gradients, TargetImages } from '../../../../render/diff/types.js';
import type { Parameters } from './parameters.js';

/** Pictures of one size with their cameras. */
export interface Pictures {
  cameras: DiffCameras;
  targets: TargetImages;
  /** Number of the first of them among all views. */
  first: number;
  /** With the error that counts as one, in scene units. */
  depths?: DepthTargets & { unit: number };
}

/** What the parts of one step work on. */
export interface StepScene extends Parameters {
  pictures: Pictures;
  /** The same as `pictures.cameras`, so that this is a scene to be rendered. */
  cameras: DiffCameras;
  /** For pictures of their size, with the views of this step. */
  frame: Frame;
  gradients: Gradients;
}
