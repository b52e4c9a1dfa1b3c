import type { Batch } from '../../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import type { DiffMesh } from '../types.js';

const vertexNormals = defineKernel({
  name: 'vertex normals',
  shader: new URL('./normals.wgsl', import.meta.url),
  bindings: { params: 'uniform', positions: 'read', triangles: 'read', corners: 'read', normals: 'read_write' },
  uniforms: { positions: 'u32' },
});

/**
 * Records positions → `mesh.normals`: area-weighted means of the triangles around (w holds twice the summed area, for
 * the gradient).
 */
export function recordNormals(batch: Batch, mesh: DiffMesh): void {
  vertexNormals.dispatch(
    batch,
    { positions: mesh.positions, triangles: mesh.triangles, corners: mesh.corners, normals: mesh.normals },
    { positions: mesh.positionCount },
    linear(mesh.positionCount, 64),
  );
}
