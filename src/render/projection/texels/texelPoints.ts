import type { Mesh } from '../../../core/mesh.js';
import type { Batch } from '../../../gpu/runtime/batch.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import type { GpuResources } from '../../../gpu/runtime/resources.js';

/** Texels around a page that are drawn with it, so that charts cut by its border keep their ring. */
export const APRON = 4;
/** Texels outside a chart that take part in bilinear fetches inside it, with one to spare. */
export const RING = 2;

/** A band of rows of the atlas that is worked on at a time. */
export interface Page {
  row: number;
  rows: number;
  size: number;
}

/** Cuts an atlas of `size`² texels into bands of at most `texels` texels. */
export function pagesOf(size: number, texels: number): Page[] {
  const rows = Math.max(1, Math.min(size, Math.floor(texels / size)));
  return Array.from({ length: Math.ceil(size / rows) }, (_, i) => ({
    row: i * rows,
    rows: Math.min(rows, size - i * rows),
    size,
  }));
}

/** Attributes of a mesh that is drawn in texture space. */
export interface UvGeometry {
  uvs: GPUBuffer;
  indices: GPUBuffer;
  corners: number;
}

export function uploadUvGeometry(gpu: Gpu, uvs: Float32Array, indices: Uint32Array): UvGeometry {
  return { uvs: gpu.upload(uvs, 'uvs'), indices: gpu.upload(indices, 'indices'), corners: indices.length };
}

const pointsKernel = defineKernel({
  name: 'texelPoints',
  shader: new URL('./texelPoints.wgsl', import.meta.url),
  bindings: {
    params: 'uniform',
    positions: 'texture-unfilterable',
    normals: 'texture-unfilterable',
    points: 'read_write',
    inside: 'read_write',
  },
  uniforms: { width: 'u32', height: 'u32', apron: 'u32', ring: 'u32' },
});

function uvPipeline(gpu: GpuResources, kind: 'surface' | 'color'): GPURenderPipeline {
  return gpu.cached(`uvSpace ${kind}`, () => {
    const module = gpu.shaderModule(new URL('./uvSpace.wgsl', import.meta.url), 'uvSpace');
    const targets: GPUColorTargetState[] =
      kind === 'surface' ? [{ format: 'rgba32float' }, { format: 'rgba16float' }] : [{ format: 'rgba16float' }];
    return gpu.device.createRenderPipeline({
      label: `uvSpace ${kind}`,
      layout: 'auto',
      vertex: { module, entryPoint: `${kind}Vertex` },
      fragment: { module, entryPoint: kind, targets },
      primitive: { topology: 'triangle-list', cullMode: 'none' },
    });
  });
}

/** Records the drawing of vertex attributes into a page with an apron: two of three floats, or one of four. */
function drawUvSpace(
  batch: Batch,
  page: Page,
  geometry: UvGeometry,
  attributes: GPUBuffer[],
  targets: GPUTextureView[],
): void {
  const { gpu } = batch;
  const pipeline = uvPipeline(gpu, attributes.length === 2 ? 'surface' : 'color');
  const width = page.size + 2 * APRON;
  const height = page.rows + 2 * APRON;
  const block = new Float32Array([
    (2 * page.size) / width,
    (-2 * page.size) / height,
    (2 * APRON) / width - 1,
    1 - (2 * (APRON - page.row)) / height,
  ]);
  const pass = batch.renderPass('uvSpace', {
    colorAttachments: targets.map((view) => ({ view, loadOp: 'clear', storeOp: 'store', clearValue: [0, 0, 0, 0] })),
  });
  pass.setPipeline(pipeline);
  const buffers = [geometry.uvs, geometry.indices, ...attributes];
  pass.setBindGroup(
    0,
    gpu.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: batch.uniform(block.buffer) },
        ...buffers.map((buffer, i) => ({ binding: i + 1, resource: { buffer } })),
      ],
    }),
  );
  pass.draw(geometry.corners);
  pass.end();
}

function createTarget(gpu: Gpu, page: Page, format: GPUTextureFormat): GPUTexture {
  return gpu.device.createTexture({
    label: 'uvSpace',
    size: [page.size + 2 * APRON, page.rows + 2 * APRON],
    format,
    usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.TEXTURE_BINDING,
  });
}

/** Surface points of a page: 16 bytes per texel in `points`, and in `inside` 1 for texels within charts. */
export interface PagePoints {
  page: Page;
  points: GPUBuffer;
  inside: GPUBuffer;
}

/** @param attributes positions and normals per vertex */
export function createPagePoints(
  gpu: Gpu,
  page: Page,
  geometry: UvGeometry,
  attributes: [GPUBuffer, GPUBuffer],
): PagePoints {
  const count = page.size * page.rows;
  const points = gpu.acquire(count * 16, 'points');
  const inside = gpu.acquire(count * 4, 'inside');
  const positions = createTarget(gpu, page, 'rgba32float');
  const normals = createTarget(gpu, page, 'rgba16float');
  const views = [positions.createView(), normals.createView()];
  gpu.run((batch) => {
    drawUvSpace(batch, page, geometry, attributes, views);
    pointsKernel.dispatch(
      batch,
      { positions: views[0], normals: views[1], points, inside },
      { width: page.size, height: page.rows, apron: APRON, ring: RING },
      linear(count, 64),
    );
  }, 'texel points');
  positions.destroy();
  normals.destroy();
  return { page, points, inside };
}

/**
 * Draws vertex colours (four floats) into a page with its apron, as rgba16float, 0 outside of charts. Destroy the
 * texture after use.
 */
export function drawPageColors(gpu: Gpu, page: Page, geometry: UvGeometry, colors: GPUBuffer): GPUTexture {
  const texture = createTarget(gpu, page, 'rgba16float');
  gpu.run((batch) => drawUvSpace(batch, page, geometry, [colors], [texture.createView()]), 'page colors');
  return texture;
}

/** The mean edge length of a texel on the surface, in scene units. */
export function texelLength(mesh: Mesh, size: number): number {
  let surface = 0;
  let chart = 0;
  const { positions: p, indices, uvs } = mesh;
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [indices[t], indices[t + 1], indices[t + 2]];
    const u = [0, 1, 2].map((k) => p[b * 3 + k] - p[a * 3 + k]);
    const v = [0, 1, 2].map((k) => p[c * 3 + k] - p[a * 3 + k]);
    surface += Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]) / 2;
    const [ux, uy] = [uvs![b * 2] - uvs![a * 2], uvs![b * 2 + 1] - uvs![a * 2 + 1]];
    const [vx, vy] = [uvs![c * 2] - uvs![a * 2], uvs![c * 2 + 1] - uvs![a * 2 + 1]];
    chart += Math.abs(ux * vy - uy * vx) / 2;
  }
  return chart > 0 ? Math.sqrt(surface / chart) / size : 0;
}
