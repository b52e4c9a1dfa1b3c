/** The differentiable renderer. Start at `types.ts`. */
export * from './adam.js';
export * from './antialias.js';
export * from './cameraStep.js';
export * from './cameras.js';
export * from './depthLoss.js';
export * from './frame.js';
export * from './geometry.js';
export * from './geometryBackward.js';
export * from './gradients.js';
export * from './interpolate.js';
export * from './light.js';
export * from './loss.js';
export * from './material.js';
export * from './mesh.js';
export * from './normals.js';
export {
  createRasterized,
  type Rasterized,
  recordRasterize,
  recordRasterizeBackward,
} from './rasterize.js';
export { recordShade } from './shade.js';
export { recordShadeBackward } from './shadeBackward.js';
export * from './texture.js';
export * from './textureCube.js';
export * from './types.js';
export * from './vertexColor.js';
