/** The differentiable renderer. Start at `types.ts`. */

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
