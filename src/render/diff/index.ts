/**
 * The differentiable renderer as a library of its own: `import { … } from 'plinth/diff'`. Pictures of a mesh with
 * materials and light, and the gradients of a loss on them with respect to positions, materials, light and cameras
 * (after Laine et al., "Modular Primitives for High-Performance Differentiable Rendering", 2020).
 *
 * Everything is recorded into a batch: `gpu.run((batch) => { recordGeometry(batch, scene, frame); … })`, with `openGpu`
 * from `plinth`. What `types.ts` says about `DiffScene`, `Frame` and `Gradients` gives the order of the operations; the
 * samples in `examples/diff` use them.
 */

export { projectPoint } from '../../core/camera.js';
export { linearToSrgb, srgbToLinear } from '../../core/image.js';
export { lookAt, multiply } from '../../core/math.js';
export { Random } from '../../core/random.js';
export { NEUTRAL_STUDIO, paintStudio } from '../forward/studio.js';

export * from './frame.js';
export * from './geometry/antialias.js';
export * from './geometry/cameras.js';
export * from './geometry/geometry.js';
export * from './geometry/geometryBackward.js';
export * from './geometry/interpolate.js';
export * from './geometry/mesh.js';
export * from './geometry/normals.js';
export {
  createRasterized,
  type Rasterized,
  recordRasterize,
  recordRasterizeBackward,
} from './geometry/rasterize.js';
export * from './gradients.js';
export * from './light/light.js';
export * from './light/textureCube.js';
export * from './loss/depthLoss.js';
export * from './loss/loss.js';
export * from './shade/material.js';
export { recordShade } from './shade/shade.js';
export { recordShadeBackward } from './shade/shadeBackward.js';
export * from './shade/texture.js';
export * from './shade/vertexColor.js';
export * from './step/adam.js';
export * from './step/cameraStep.js';
export * from './types.js';
