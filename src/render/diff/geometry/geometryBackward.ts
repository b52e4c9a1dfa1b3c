import type { Batch } from '../../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import { viewUniforms } from '../frame.js';
import type { DiffScene, Frame, Gradients } from '../types.js';

const shader = new URL('./geometryBackward.wgsl', import.meta.url);
const uniforms = {
  positions: 'u32',
  views: 'u32',
  clipScale: 'f32',
  normalScale: 'f32',
  overflowOffset: 'u32',
  views0: 'vec4u',
  views1: 'vec4u',
  views2: 'vec4u',
  views3: 'vec4u',
} as const;

const throughCameras = defineKernel({
  name: 'geometry backward: cameras',
  shader,
  entryPoint: 'throughCameras',
  bindings: {
    params: 'uniform',
    positions: 'read',
    normals: 'read',
    cameras: 'read',
    scatter: 'read_write',
    areaGradients: 'read_write',
    gradient: 'read_write',
  },
  uniforms,
});

const throughNormals = defineKernel({
  name: 'geometry backward: normals',
  shader,
  entryPoint: 'throughNormals',
  bindings: {
    params: 'uniform',
    positions: 'read',
    triangles: 'read',
    corners: 'read',
    scatter: 'read_write',
    areaGradients: 'read_write',
    gradient: 'read_write',
  },
  uniforms,
});

const camerasBackward = defineKernel({
  name: 'cameras backward',
  shader: new URL('../step/cameraBackward.wgsl', import.meta.url),
  bindings: { params: 'uniform', positions: 'read', scatter: 'read', gradient: 'read_write' },
  uniforms,
});

function values(scene: Pick<DiffScene, 'mesh'>, frame: Frame, gradients: Gradients) {
  return {
    positions: scene.mesh.positionCount,
    views: frame.views.length,
    clipScale: gradients.scales.clip,
    normalScale: gradients.scales.normal,
    overflowOffset: gradients.overflowOffset,
    ...viewUniforms(frame),
  };
}

/**
 * Records the gradients of clip positions and of normals (those that `recordNormals` made) → `gradients.positions`,
 * which is overwritten: f32 [P × 3], loss per scene unit. Add regularisers after it.
 */
export function recordGeometryBackward(
  batch: Batch,
  scene: Pick<DiffScene, 'mesh' | 'cameras'>,
  frame: Frame,
  gradients: Gradients,
): void {
  const { mesh, cameras } = scene;
  const areaGradients = batch.scratch(mesh.positionCount * 16, 'area gradients');
  const shared = {
    positions: mesh.positions,
    scatter: gradients.scatter,
    areaGradients,
    gradient: gradients.positions,
  };
  const uniformValues = values(scene, frame, gradients);
  const groups = linear(mesh.positionCount, 64);
  throughCameras.dispatch(batch, { ...shared, normals: mesh.normals, cameras: cameras.buffer }, uniformValues, groups);
  throughNormals.dispatch(
    batch,
    { ...shared, triangles: mesh.triangles, corners: mesh.corners },
    uniformValues,
    groups,
  );
}

/**
 * Records the gradients of clip positions → `gradients.cameras` for the frame's views: f32 [16] per camera, columns of
 * world-to-clip (its third row, depth, has none). Viewing directions in the shading are held constant.
 */
export function recordCameraBackward(
  batch: Batch,
  scene: Pick<DiffScene, 'mesh'>,
  frame: Frame,
  gradients: Gradients,
): void {
  camerasBackward.dispatch(
    batch,
    { positions: scene.mesh.positions, scatter: gradients.scatter, gradient: gradients.cameras },
    values(scene, frame, gradients),
    [frame.views.length],
  );
}
