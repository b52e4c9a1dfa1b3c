import { type Camera, projectionMatrix, resizeCamera, worldToCamera } from '../../../core/camera.js';
import { throwIfCancelled } from '../../../core/errors.js';
import { multiply } from '../../../core/math.js';
import type { Batch } from '../../../gpu/runtime/batch.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import { depthRange, type GeometryBuffers } from '../../forward/geometryPass.js';
import { generateMipmaps, mipLevels } from '../../forward/mipmap.js';
import type { PagePoints, UvGeometry } from '../texels/texelPoints.js';
import { GATHER_UNIFORMS, type GatherSettings, gatherUniforms, type ViewSource } from '../views/gather.js';
import type { ViewSet } from '../views/viewSet.js';

/** A page whose colours are known: points, states and texels (linear, four halves) stay on the device. */
export interface TexelPage extends PagePoints {
  texels: GPUBuffer;
}

export interface RefineSettings {
  size: number;
  /** Edge length of a texel on the surface, in scene units. */
  texel: number;
  gather: GatherSettings;
  /** Share of the mean difference that a texel moves by in each round; below 2 for convergence. */
  strengths: readonly number[];
}

const residual = defineKernel({
  name: 'residual',
  shader: new URL('./residual.wgsl', import.meta.url),
  bindings: { params: 'uniform', colors: 'texture-array', rendered: 'texture-unfilterable', residuals: 'read_write' },
  uniforms: {
    width: 'u32',
    height: 'u32',
    supersample: 'u32',
    index: 'u32',
    offset: 'u32',
    pitch: 'u32',
    gain: 'vec3f',
  },
});

const CORRECT = {
  gather: 'uniform',
  views: 'read',
  depths: 'read',
  residuals: 'read',
  points: 'read',
  sums: 'read_write',
} as const;
const shader = new URL('./correct.wgsl', import.meta.url);
const gatherDifferences = defineKernel({
  name: 'gatherDifferences',
  shader,
  entryPoint: 'gatherDifferences',
  bindings: CORRECT,
  uniforms: GATHER_UNIFORMS,
});
const apply = defineKernel({
  name: 'applyDifferences',
  shader,
  entryPoint: 'apply',
  bindings: { ...CORRECT, texels: 'read_write' },
  uniforms: GATHER_UNIFORMS,
});

const SUPERSAMPLE = 2;
const VISITS_PER_SUBMISSION = 3e7;

/**
 * Sharpens texels until renders agree with the views: simultaneous iterative reconstruction (Gilbert 1972) with the
 * render as forward model. Each round draws every view with the present texels, and moves each texel by the weighted
 * mean difference at its point in all views that see it.
 */
export async function refineTexels(
  gpu: Gpu,
  geometry: GeometryBuffers,
  uv: UvGeometry,
  pages: readonly TexelPage[],
  source: ViewSource,
  settings: RefineSettings,
  hooks: { signal?: AbortSignal; progress?: (round: number) => void } = {},
): Promise<void> {
  const { size } = settings;
  const atlas = gpu.device.createTexture({
    label: 'atlas',
    size: [size, size],
    format: 'rgba16float',
    mipLevelCount: mipLevels(size, size),
    usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_DST,
  });
  const sums = pages.map(({ page }) => gpu.acquire(page.size * page.rows * 16, 'differences'));
  gpu.run((batch) => {
    for (const buffer of sums) batch.clear(buffer);
  });
  try {
    for (const [round, strength] of settings.strengths.entries()) {
      hooks.progress?.(round);
      uploadAtlas(gpu, atlas, pages);
      for await (const set of source.sets()) {
        const residuals = await drawResiduals(gpu, geometry, uv, atlas, set, source.gains, hooks.signal);
        for (const [i, page] of pages.entries()) {
          await gatherPage(gpu, page, sums[i], set, residuals, settings, hooks.signal);
          if (set.first + set.count === source.count) applyPage(gpu, page, sums[i], set, residuals, settings, strength);
        }
        gpu.release(residuals);
      }
    }
    await gpu.sync();
  } finally {
    atlas.destroy();
    gpu.release(...sums);
  }
}

/**
 * Copies the pages' texels into the atlas and makes its mip levels. Rows are 8 bytes a texel, so the size must be a
 * multiple of 32.
 */
function uploadAtlas(gpu: Gpu, atlas: GPUTexture, pages: readonly TexelPage[]): void {
  gpu.run((batch) => {
    for (const { page, texels } of pages) {
      batch.encoder.copyBufferToTexture(
        { buffer: texels, bytesPerRow: page.size * 8, rowsPerImage: page.rows },
        { texture: atlas, origin: [0, page.row] },
        [page.size, page.rows],
      );
    }
  });
  generateMipmaps(gpu, atlas);
}

/** Draws each view of a set and holds it against its picture. The result has the layout of the set's depths. */
async function drawResiduals(
  gpu: Gpu,
  geometry: GeometryBuffers,
  uv: UvGeometry,
  atlas: GPUTexture,
  set: ViewSet,
  gains: readonly (readonly number[])[],
  signal?: AbortSignal,
): Promise<GPUBuffer> {
  const residuals = gpu.acquire(set.count * set.layer * 4, 'residuals');
  const targets = new Map<string, { color: GPUTexture; depth: GPUTexture }>();
  const supersample = 2 * set.pitch <= gpu.limits.maxTextureDimension2D ? SUPERSAMPLE : 1;
  try {
    for (let k = 0; k < set.count; k++) {
      throwIfCancelled(signal);
      const camera = set.cameras[k];
      const large = resizeCamera(camera, camera.width * supersample, camera.height * supersample);
      const key = `${large.width}x${large.height}`;
      let target = targets.get(key);
      if (!target) {
        const usage = GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.TEXTURE_BINDING;
        const make = (format: GPUTextureFormat) =>
          gpu.device.createTexture({ label: 'refine', size: [large.width, large.height], format, usage });
        target = { color: make('rgba16float'), depth: make('depth32float') };
        targets.set(key, target);
      }
      const batch = gpu.batch('residual');
      drawAtlas(batch, geometry, uv, atlas, large, target);
      residual.dispatch(
        batch,
        {
          colors: set.color.createView({ dimension: '2d-array' }),
          rendered: target.color.createView(),
          residuals,
        },
        {
          width: camera.width,
          height: camera.height,
          supersample,
          index: k,
          offset: k * set.layer,
          pitch: set.pitch,
          gain: gains[set.first + k],
        },
        linear(camera.width * camera.height, 64),
      );
      batch.submit();
      if (k % 8 === 7) await gpu.sync();
    }
  } finally {
    await gpu.sync();
    for (const { color, depth } of targets.values()) {
      color.destroy();
      depth.destroy();
    }
  }
  return residuals;
}

function drawAtlas(
  batch: Batch,
  geometry: GeometryBuffers,
  uv: UvGeometry,
  atlas: GPUTexture,
  camera: Camera,
  target: { color: GPUTexture; depth: GPUTexture },
): void {
  const { gpu } = batch;
  const { device } = gpu;
  const { pipeline, sampler } = gpu.cached('atlasView', () => {
    const module = gpu.shaderModule(new URL('./atlasView.wgsl', import.meta.url), 'atlasView');
    return {
      pipeline: device.createRenderPipeline({
        label: 'atlasView',
        layout: 'auto',
        vertex: { module, entryPoint: 'vertex' },
        fragment: { module, entryPoint: 'fragment', targets: [{ format: 'rgba16float' }] },
        primitive: { topology: 'triangle-list', cullMode: 'none' },
        depthStencil: { format: 'depth32float', depthWriteEnabled: true, depthCompare: 'less' },
      }),
      sampler: device.createSampler({
        magFilter: 'linear',
        minFilter: 'linear',
        mipmapFilter: 'linear',
        maxAnisotropy: 4,
      }),
    };
  });
  const toCamera = worldToCamera(camera);
  const { near, far } = depthRange(toCamera, geometry.bounds);
  const block = Float32Array.from(multiply(projectionMatrix(camera, near, far), toCamera));
  const pass = batch.renderPass('atlasView', {
    colorAttachments: [{ view: target.color.createView(), loadOp: 'clear', storeOp: 'store' }],
    depthStencilAttachment: {
      view: target.depth.createView(),
      depthClearValue: 1,
      depthLoadOp: 'clear',
      depthStoreOp: 'discard',
    },
  });
  pass.setPipeline(pipeline);
  const resources: GPUBindingResource[] = [
    batch.uniform(block.buffer),
    { buffer: geometry.positions },
    { buffer: uv.uvs },
    { buffer: geometry.indices },
    atlas.createView(),
    sampler,
  ];
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: resources.map((resource, binding) => ({ binding, resource })),
    }),
  );
  pass.draw(geometry.corners);
  pass.end();
}

async function gatherPage(
  gpu: Gpu,
  { page, points }: TexelPage,
  sums: GPUBuffer,
  set: ViewSet,
  residuals: GPUBuffer,
  settings: RefineSettings,
  signal?: AbortSignal,
): Promise<void> {
  const count = page.size * page.rows;
  const parts = Math.max(1, Math.ceil((count * set.count) / VISITS_PER_SUBMISSION));
  const partSize = Math.ceil(count / parts / 64) * 64;
  for (let from = 0; from < count; from += partSize) {
    throwIfCancelled(signal);
    const size = Math.min(partSize, count - from);
    const part = (buffer: GPUBuffer) => ({ buffer, offset: from * 16, size: size * 16 });
    gpu.run((batch) =>
      gatherDifferences.dispatch(
        batch,
        { views: set.data, depths: set.depths, residuals, points: part(points), sums: part(sums) },
        gatherUniforms(set, settings.gather, size, settings.texel),
        linear(size, 64),
      ),
    );
    await gpu.sync();
  }
}

function applyPage(
  gpu: Gpu,
  { page, points, texels }: TexelPage,
  sums: GPUBuffer,
  set: ViewSet,
  residuals: GPUBuffer,
  settings: RefineSettings,
  strength: number,
): void {
  const count = page.size * page.rows;
  gpu.run((batch) =>
    apply.dispatch(
      batch,
      { views: set.data, depths: set.depths, residuals, points, sums, texels },
      gatherUniforms(set, settings.gather, count, settings.texel, strength),
      linear(count, 64),
    ),
  );
}
