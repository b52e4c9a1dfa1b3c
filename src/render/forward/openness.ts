import { centerOf, diagonalOf } from '../../core/bounds.js';
import { lookAt, type Mat4, multiply, type Vec3 } from '../../core/math.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../gpu/runtime/kernel.js';
import type { GeometryBuffers } from './geometryPass.js';

const SHADOW_SIZE = 384;
const DIRECTIONS = 64;
/** As the renderer's vertices are laid out. */
const VERTEX_FLOATS = 12;

const kernel = defineKernel({
  name: 'openness',
  shader: new URL('./openness.wgsl', import.meta.url),
  bindings: { params: 'uniform', shadow: 'texture-unfilterable', vertices: 'read', sums: 'read_write' },
  uniforms: { worldToClip: 'mat4x4f', direction: 'vec3f', vertices: 'u32', offset: 'f32', bias: 'f32' },
});

/**
 * Ambient occlusion per vertex: the cosine-weighted share, 0…1, of the hemisphere that the mesh itself leaves open,
 * from orthographic depth maps along 64 directions of a Fibonacci sphere.
 * @param vertices interleaved, 12 floats per vertex, position first, then normal
 */
export async function vertexOpenness(
  gpu: Gpu,
  geometry: GeometryBuffers,
  vertices: GPUBuffer,
  count: number,
): Promise<Float32Array> {
  const { device } = gpu;
  const pipeline = gpu.cached('openness depth', () => {
    const module = gpu.shaderModule(new URL('./geometryPass.wgsl', import.meta.url), 'openness depth');
    return device.createRenderPipeline({
      label: 'openness depth',
      layout: 'auto',
      vertex: { module, entryPoint: 'vertex' },
      primitive: { topology: 'triangle-list', cullMode: 'none' },
      depthStencil: { format: 'depth32float', depthWriteEnabled: true, depthCompare: 'less' },
    });
  });
  const center = centerOf(geometry.bounds);
  const radius = Math.max(1e-9, diagonalOf(geometry.bounds) / 2) * 1.05;
  const shadow = device.createTexture({
    label: 'openness depth',
    size: [SHADOW_SIZE, SHADOW_SIZE],
    format: 'depth32float',
    usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.TEXTURE_BINDING,
  });
  const view = shadow.createView();
  const sums = gpu.createBuffer(count * 8, 'openness');
  const batch = gpu.batch('openness');
  for (let k = 0; k < DIRECTIONS; k++) {
    const y = 1 - (2 * (k + 0.5)) / DIRECTIONS;
    const azimuth = k * Math.PI * (3 - Math.sqrt(5));
    const r = Math.sqrt(1 - y * y);
    const direction: Vec3 = [r * Math.cos(azimuth), y, r * Math.sin(azimuth)];
    const worldToClip = orthographic(center, direction, radius);
    const block = new Float32Array(20);
    block.set(worldToClip, 0);
    const pass = batch.renderPass('openness depth', {
      colorAttachments: [],
      depthStencilAttachment: { view, depthClearValue: 1, depthLoadOp: 'clear', depthStoreOp: 'store' },
    });
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [
          { binding: 0, resource: batch.uniform(block.buffer) },
          { binding: 1, resource: { buffer: geometry.positions } },
          { binding: 2, resource: { buffer: geometry.indices } },
        ],
      }),
    );
    pass.draw(geometry.corners);
    pass.end();
    kernel.dispatch(
      batch,
      { shadow: view, vertices, sums },
      {
        worldToClip,
        direction,
        vertices: count,
        offset: (2.5 * radius) / SHADOW_SIZE,
        bias: 1 / SHADOW_SIZE,
      },
      linear(count, 64),
    );
  }
  batch.submit();
  const pairs = await gpu.readFloat32(sums, count * 2);
  sums.destroy();
  shadow.destroy();
  return Float32Array.from({ length: count }, (_, i) => (pairs[i * 2 + 1] > 0 ? pairs[i * 2] / pairs[i * 2 + 1] : 1));
}

/** `vertexOpenness` of points that are not on the device yet: x, y, z of positions and unit normals. */
export async function openness(
  gpu: Gpu,
  geometry: GeometryBuffers,
  { positions, normals }: { positions: Float32Array; normals: Float32Array },
): Promise<Float32Array> {
  const count = positions.length / 3;
  const interleaved = new Float32Array(count * VERTEX_FLOATS);
  for (let i = 0; i < count; i++) {
    interleaved.set(positions.subarray(i * 3, i * 3 + 3), i * VERTEX_FLOATS);
    interleaved.set(normals.subarray(i * 3, i * 3 + 3), i * VERTEX_FLOATS + 3);
  }
  const vertices = gpu.upload(interleaved, 'vertices');
  try {
    return await vertexOpenness(gpu, geometry, vertices, count);
  } finally {
    vertices.destroy();
  }
}

/** World to clip space of a parallel view from `direction` that encloses a sphere. */
function orthographic(center: Vec3, direction: Vec3, radius: number): Mat4 {
  const eye: Vec3 = [
    center[0] + direction[0] * radius,
    center[1] + direction[1] * radius,
    center[2] + direction[2] * radius,
  ];
  const m = lookAt(eye, center);
  const toCamera: Mat4 = [m[0], m[4], m[8], 0, m[1], m[5], m[9], 0, m[2], m[6], m[10], 0, 0, 0, 0, 1];
  for (let r = 0; r < 3; r++) toCamera[12 + r] = -(m[r * 4] * eye[0] + m[r * 4 + 1] * eye[1] + m[r * 4 + 2] * eye[2]);
  const s = 1 / radius;
  return multiply([s, 0, 0, 0, 0, s, 0, 0, 0, 0, -s / 2, 0, 0, 0, 0, 1], toCamera);
}
