import { type Bounds, boundsOf } from '../../core/bounds.js';
import { type Camera, projectionMatrix, worldToCamera } from '../../core/camera.js';
import { type Mat4, multiply, transformPoint, type Vec3 } from '../../core/math.js';
import type { Mesh } from '../../core/mesh.js';
import type { Batch } from '../../gpu/runtime/batch.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { STORAGE_USAGE } from '../../gpu/runtime/resources.js';

/** Near and far distances that just enclose the bounds from this camera. */
export function depthRange(toCamera: Mat4, bounds: Bounds): { near: number; far: number } {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < 8; i++) {
    const corner: Vec3 = [
      i & 1 ? bounds.max[0] : bounds.min[0],
      i & 2 ? bounds.max[1] : bounds.min[1],
      i & 4 ? bounds.max[2] : bounds.min[2],
    ];
    const depth = -transformPoint(toCamera, corner)[2];
    low = Math.min(low, depth);
    high = Math.max(high, depth);
  }
  const margin = 1e-3 * (high - low) + 1e-6 * Math.abs(high) + 1e-12;
  const far = Math.max(high + margin, 1e-9);
  return { near: Math.max(low - margin, far * 1e-3), far };
}

/** Vertices and triangles on the device, for passes that fetch them by hand. */
export interface GeometryBuffers {
  positions: GPUBuffer;
  indices: GPUBuffer;
  corners: number;
  bounds: Bounds;
}

/** @param indexUsage further usage of the index buffer, such as INDEX */
export function uploadGeometry(gpu: Gpu, mesh: Mesh, indexUsage = 0): GeometryBuffers {
  return {
    positions: gpu.upload(mesh.positions, 'positions'),
    indices: gpu.upload(mesh.indices, 'indices', STORAGE_USAGE | indexUsage),
    corners: mesh.indices.length,
    bounds: boundsOf(mesh.positions, mesh.indices),
  };
}

/** `both`: targets r32float (depth, 0 = none) and r32uint (triangle + 1, 0 = none); `depth`: the first alone. */
export type GeometryOutputs = 'both' | 'depth';

function geometryPipeline(gpu: Gpu, outputs: GeometryOutputs): GPURenderPipeline {
  return gpu.cached(`geometry ${outputs}`, () => {
    const module = gpu.shaderModule(new URL('./geometryPass.wgsl', import.meta.url), 'geometry');
    return gpu.device.createRenderPipeline({
      label: 'geometry',
      layout: 'auto',
      vertex: { module, entryPoint: 'vertex' },
      fragment:
        outputs === 'both'
          ? { module, entryPoint: 'fragment', targets: [{ format: 'r32float' }, { format: 'r32uint' }] }
          : { module, entryPoint: 'depthOnly', targets: [{ format: 'r32float' }] },
      primitive: { topology: 'triangle-list', cullMode: 'none' },
      depthStencil: { format: 'depth32float', depthWriteEnabled: true, depthCompare: 'less' },
    });
  });
}

/**
 * Records the drawing of depth (and triangle numbers) of one camera into the given targets, which have the camera's
 * size.
 * @param depthBuffer depth32float of the same size, cleared by the pass
 */
export function drawGeometry(
  gpu: Gpu,
  batch: Batch,
  geometry: GeometryBuffers,
  camera: Camera,
  targets: { depth: GPUTextureView; triangle?: GPUTextureView; depthBuffer: GPUTextureView },
): void {
  const pipeline = geometryPipeline(gpu, targets.triangle ? 'both' : 'depth');
  const toCamera = worldToCamera(camera);
  const { near, far } = depthRange(toCamera, geometry.bounds);
  const block = new Float32Array(20);
  block.set(multiply(projectionMatrix(camera, near, far), toCamera), 0);
  block.set([-toCamera[2], -toCamera[6], -toCamera[10], -toCamera[14]], 16);
  const colorAttachments: GPURenderPassColorAttachment[] = [
    { view: targets.depth, loadOp: 'clear', storeOp: 'store', clearValue: [0, 0, 0, 0] },
  ];
  if (targets.triangle) {
    colorAttachments.push({ view: targets.triangle, loadOp: 'clear', storeOp: 'store', clearValue: [0, 0, 0, 0] });
  }
  const pass = batch.renderPass('geometry', {
    colorAttachments,
    depthStencilAttachment: {
      view: targets.depthBuffer,
      depthClearValue: 1,
      depthLoadOp: 'clear',
      depthStoreOp: 'discard',
    },
  });
  if (geometry.corners > 0) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      gpu.device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [
          { binding: 0, resource: batch.uniform(block.buffer) },
          { binding: 1, resource: { buffer: geometry.positions } },
          { binding: 2, resource: { buffer: geometry.indices } },
        ],
      }),
    );
    pass.draw(geometry.corners);
  }
  pass.end();
}
