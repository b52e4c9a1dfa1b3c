import type { Batch } from '../../../gpu/runtime/batch.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import type { GpuResources } from '../../../gpu/runtime/resources.js';
import { verticesOffset, viewUniforms } from '../frame.js';
import type { DiffScene, Frame } from '../types.js';

const transform = defineKernel({
  name: 'transform',
  shader: new URL('./transform.wgsl', import.meta.url),
  bindings: { params: 'uniform', positions: 'read', normals: 'read', cameras: 'read', vertices: 'read_write' },
  uniforms: {
    positions: 'u32',
    views: 'u32',
    offset: 'u32',
    unused: 'u32',
    views0: 'vec4u',
    views1: 'vec4u',
    views2: 'vec4u',
    views3: 'vec4u',
  },
});

const collectIds = defineKernel({
  name: 'collect ids',
  shader: new URL('./collectIds.wgsl', import.meta.url),
  bindings: { params: 'uniform', target: 'texture-uint', ids: 'read_write' },
  uniforms: { width: 'u32', height: 'u32' },
});

const findOutlines = defineKernel({
  name: 'outlines',
  shader: new URL('./outlines.wgsl', import.meta.url),
  bindings: { params: 'uniform', vertices: 'read', triangles: 'read', ids: 'read', outlines: 'read_write' },
  uniforms: { width: 'u32', height: 'u32', views: 'u32', positions: 'u32', triangles: 'u32', offset: 'u32' },
});

/**
 * Records positions → clip positions (with normals beside them) for the frame's views, triangle ids at pixel centres,
 * and where outlines pass between them. The nearer triangle wins; both sides of triangles are seen.
 */
export function recordGeometry(batch: Batch, scene: Pick<DiffScene, 'mesh' | 'cameras'>, frame: Frame): void {
  recordTransform(batch, scene, frame);
  recordVisibility(batch, scene.mesh, frame);
  recordOutlines(batch, scene.mesh, frame);
}

/** Records positions and normals → `frame.vertices`. */
export function recordTransform(
  batch: Batch,
  { mesh, cameras }: Pick<DiffScene, 'mesh' | 'cameras'>,
  frame: Frame,
): void {
  const views = frame.views.length;
  if (frame.views.some((v) => v < 0 || v >= cameras.count)) throw new RangeError('a view beyond the cameras');
  transform.dispatch(
    batch,
    { positions: mesh.positions, normals: mesh.normals, cameras: cameras.buffer, vertices: frame.vertices },
    {
      positions: mesh.positionCount,
      views,
      offset: verticesOffset(frame.capacity),
      unused: 0,
      ...viewUniforms(frame),
    },
    linear(mesh.positionCount * views, 64),
  );
}

/** Records `frame.vertices` → `frame.ids`. */
export function recordVisibility(batch: Batch, mesh: DiffScene['mesh'], frame: Frame): void {
  const { gpu } = batch;
  const { width, height } = frame;
  const views = frame.views.length;
  const { target, depth } = renderTargets(gpu, width, frame.capacity * height);
  const pipeline = visibilityPipeline(gpu);
  const pass = batch.renderPass('visibility', {
    colorAttachments: [{ view: target.createView(), loadOp: 'clear', storeOp: 'store', clearValue: [0, 0, 0, 0] }],
    depthStencilAttachment: {
      view: depth.createView(),
      depthClearValue: 1,
      depthLoadOp: 'clear',
      depthStoreOp: 'discard',
    },
  });
  pass.setPipeline(pipeline);
  for (let n = 0; n < views; n++) {
    const offset = verticesOffset(frame.capacity) + n * mesh.positionCount * 2;
    pass.setViewport(0, n * height, width, height, 0, 1);
    pass.setScissorRect(0, n * height, width, height);
    pass.setBindGroup(
      0,
      gpu.device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [
          { binding: 0, resource: batch.uniform(new Uint32Array([offset, 0, 0, 0]).buffer) },
          { binding: 1, resource: { buffer: frame.vertices } },
          { binding: 2, resource: { buffer: mesh.triangles } },
        ],
      }),
    );
    pass.draw(mesh.triangleCount * 3);
  }
  pass.end();
  collectIds.dispatch(
    batch,
    { target: target.createView(), ids: frame.ids },
    { width, height: views * height },
    linear(width * views * height, 64),
  );
}

/** Records `frame.vertices` and `frame.ids` → `frame.outlines`. */
export function recordOutlines(batch: Batch, mesh: DiffScene['mesh'], frame: Frame): void {
  batch.clear(frame.outlines);
  findOutlines.dispatch(
    batch,
    { vertices: frame.vertices, triangles: mesh.triangles, ids: frame.ids, outlines: frame.outlines },
    {
      width: frame.width,
      height: frame.height,
      views: frame.views.length,
      positions: mesh.positionCount,
      triangles: mesh.triangleCount,
      offset: verticesOffset(frame.capacity),
    },
    linear(mesh.triangleCount * frame.views.length, 64),
  );
}

/** Work on the queue is ordered, so frames of one size share their render targets. */
function renderTargets(gpu: GpuResources, width: number, height: number): { target: GPUTexture; depth: GPUTexture } {
  return gpu.cached(`diff targets ${width}×${height}`, () => {
    const make = (format: GPUTextureFormat, usage: number, label: string) =>
      gpu.device.createTexture({
        label,
        size: [width, height],
        format,
        usage: usage | GPUTextureUsage.RENDER_ATTACHMENT,
      });
    return {
      target: make('r32uint', GPUTextureUsage.TEXTURE_BINDING, 'triangle ids'),
      depth: make('depth32float', 0, 'depth'),
    };
  });
}

function visibilityPipeline(gpu: GpuResources): GPURenderPipeline {
  return gpu.cached('visibility', () => {
    const module = gpu.shaderModule(new URL('./visibility.wgsl', import.meta.url), 'visibility');
    return gpu.device.createRenderPipeline({
      label: 'visibility',
      layout: 'auto',
      vertex: { module, entryPoint: 'vertex' },
      fragment: { module, entryPoint: 'fragment', targets: [{ format: 'r32uint' }] },
      primitive: { topology: 'triangle-list', cullMode: 'none' },
      depthStencil: { format: 'depth32float', depthWriteEnabled: true, depthCompare: 'less' },
    });
  });
}
