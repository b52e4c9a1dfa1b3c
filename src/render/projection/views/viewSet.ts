import { type Camera, cameraPosition, resizeCamera, worldToCamera } from '../../../core/camera.js';
import { throwIfCancelled } from '../../../core/errors.js';
import type { ColorImage } from '../../../core/image.js';
import type { Batch } from '../../../gpu/runtime/batch.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import type { GpuResources } from '../../../gpu/runtime/resources.js';
import { drawGeometry, type GeometryBuffers } from '../../forward/geometryPass.js';
import { generateMipmaps } from '../../forward/mipmap.js';

/** A picture that texture is taken from. */
export interface TextureView {
  name: string;
  /** Camera of the full-size picture; the loaded picture may be smaller. */
  camera: Camera;
  /** sRGB with straight alpha; alpha is the object's mask. May be called several times. */
  load(): Promise<ColorImage>;
  /** Typical distance by which it shows things beside where the other views have them, in scene units. Default 0. */
  misplacement?: number;
}

/** Levels of the colour pyramid: enough for coarse texels and for the fading of weights. */
const LEVELS = 5;
const FLOATS_PER_VIEW = 28;
/** Steepest surface, as depth step per pixel step, that is not taken for a depth edge: about 84°. */
const STEEPEST = 10;
/** Bytes per pixel of a view on the device: colour with mips and depth. */
export const BYTES_PER_PIXEL = 4 * 1.34 + 4;

/**
 * Pixels of views that are prepared before the device is waited for: a software driver holds whoever submits more, and
 * a cancellation with it.
 */
const PIXELS_PER_WAIT = 8 * 512 * 512;

/**
 * Some views on the device: colours premultiplied by validity as layers of one texture, and the mesh's depth in each.
 */
export interface ViewSet {
  /** Place of the first view among all. */
  first: number;
  count: number;
  cameras: Camera[];
  color: GPUTexture;
  depths: GPUBuffer;
  /** Pixels per row and per layer of `depths`. */
  pitch: number;
  layer: number;
  data: GPUBuffer;
  destroy(): void;
}

/** Halves a picture until no side is longer than `side`; colour is averaged with its alpha as weight. */
export function limitSize(image: ColorImage, side: number): ColorImage {
  let { width, height, data } = image;
  while (Math.max(width, height) > side) {
    const w = Math.floor(width / 2);
    const h = Math.floor(height / 2);
    const out = new Uint8ClampedArray(w * h * 4);
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        const sum = [0, 0, 0, 0];
        for (let k = 0; k < 4; k++) {
          const at = ((y * 2 + (k >> 1)) * width + x * 2 + (k & 1)) * 4;
          for (let c = 0; c < 3; c++) sum[c] += data[at + c] * data[at + 3];
          sum[3] += data[at + 3];
        }
        for (let c = 0; c < 3; c++) out[(y * w + x) * 4 + c] = sum[3] > 0 ? sum[c] / sum[3] : 0;
        out[(y * w + x) * 4 + 3] = sum[3] / 4;
      }
    }
    width = w;
    height = h;
    data = out;
  }
  return { width, height, data };
}

/**
 * Loads views from `first` on, as many as fit into `budget` bytes and the device's limits (at least one), and prepares
 * them.
 */
export async function loadViewSet(
  gpu: Gpu,
  geometry: GeometryBuffers,
  views: readonly TextureView[],
  first: number,
  erosionPixels: number,
  budget: number,
  signal?: AbortSignal,
): Promise<ViewSet> {
  const { limits } = gpu;
  // A layer of depth must fit into one binding.
  const side = Math.min(limits.maxTextureDimension2D, Math.floor(Math.sqrt(limits.maxStorageBufferBindingSize / 4)));
  const images: ColorImage[] = [];
  let width = 0;
  let height = 0;
  for (let i = first; i < views.length && images.length < limits.maxTextureArrayLayers; i++) {
    throwIfCancelled(signal);
    const image = limitSize(await views[i].load(), side - 64);
    const w = Math.max(width, image.width);
    const h = Math.max(height, image.height);
    const layers = images.length + 1;
    const pitch = Math.ceil(w / 64) * 64;
    const fits =
      w * h * layers * BYTES_PER_PIXEL <= budget && pitch * h * layers * 4 <= limits.maxStorageBufferBindingSize;
    if (!fits && images.length > 0) break;
    images.push(image);
    width = w;
    height = h;
  }
  const cameras = images.map((image, i) => resizeCamera(views[first + i].camera, image.width, image.height));
  const pitch = Math.ceil(width / 64) * 64;
  const color = gpu.device.createTexture({
    label: 'views',
    size: [width, height, images.length],
    format: 'rgba8unorm-srgb',
    mipLevelCount: Math.min(LEVELS, 1 + Math.floor(Math.log2(Math.min(width, height)))),
    usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.TEXTURE_BINDING,
  });
  const depths = gpu.createBuffer(pitch * height * images.length * 4, 'view depths');
  const data = gpu.upload(describe(cameras, width, height), 'views');
  let done = 0;
  for (let i = 0; i < images.length; i++) {
    throwIfCancelled(signal);
    const layer = { color, index: i, depths, pitch, height };
    prepareView(gpu, geometry, images[i], cameras[i], layer, erosionPixels);
    const next = i + 1;
    if ((next - done) * width * height < PIXELS_PER_WAIT && next < images.length) continue;
    generateMipmaps(gpu, color, done, next - done);
    await gpu.sync();
    done = next;
  }
  return {
    first,
    count: images.length,
    cameras,
    color,
    depths,
    pitch,
    layer: pitch * height,
    data,
    destroy: () => {
      color.destroy();
      depths.destroy();
      data.destroy();
    },
  };
}

function describe(cameras: readonly Camera[], layerWidth: number, layerHeight: number): Float32Array {
  const out = new Float32Array(cameras.length * FLOATS_PER_VIEW);
  cameras.forEach((camera, i) => {
    const m = worldToCamera(camera);
    const at = i * FLOATS_PER_VIEW;
    for (let r = 0; r < 3; r++) out.set([m[r], m[4 + r], m[8 + r], m[12 + r]], at + r * 4);
    out.set([camera.fx, camera.fy, camera.cx, camera.cy], at + 12);
    out.set([camera.width, camera.height, 1 / layerWidth, 1 / layerHeight], at + 16);
    out.set([...cameraPosition(camera), 0, 1, 1, 1, 0], at + 20);
  });
  return out;
}

/** Writes one gain per colour channel into each view: factors on the square root of linear colour. */
export function setGains(gpu: Gpu, set: ViewSet, gains: readonly (readonly number[])[]): void {
  for (let i = 0; i < set.count; i++) {
    gpu.write(set.data, Float32Array.from(gains[set.first + i]), (i * FLOATS_PER_VIEW + 24) * 4);
  }
}

/** Where a view goes. */
interface Layer {
  color: GPUTexture;
  index: number;
  depths: GPUBuffer;
  pitch: number;
  height: number;
}

/** Draws the mesh's depth in a view and, in two steps, its colours with trust in alpha (see prepareView.wgsl). */
function prepareView(
  gpu: Gpu,
  geometry: GeometryBuffers,
  image: ColorImage,
  camera: Camera,
  layer: Layer,
  erosionPixels: number,
): void {
  const { device } = gpu;
  const { width, height } = image;
  const { TEXTURE_BINDING, RENDER_ATTACHMENT, COPY_DST, COPY_SRC } = GPUTextureUsage;
  const make = (format: GPUTextureFormat, usage: number, mipLevelCount = 1) =>
    device.createTexture({ label: 'view', size: [width, height], format, usage, mipLevelCount });
  const picture = make('rgba8unorm-srgb', TEXTURE_BINDING | COPY_DST);
  const depth = make('r32float', RENDER_ATTACHMENT | TEXTURE_BINDING | COPY_SRC);
  const depthBuffer = make('depth32float', RENDER_ATTACHMENT);
  const levels = Math.min(LEVELS, 1 + Math.floor(Math.log2(Math.min(width, height))));
  const pyramid = make('rgba8unorm-srgb', TEXTURE_BINDING | RENDER_ATTACHMENT, levels);
  device.queue.writeTexture({ texture: picture }, image.data as Uint8Array<ArrayBuffer>, { bytesPerRow: width * 4 }, [
    width,
    height,
  ]);
  const first = gpu.batch('view');
  drawGeometry(gpu, first, geometry, camera, { depth: depth.createView(), depthBuffer: depthBuffer.createView() });
  first.encoder.copyTextureToBuffer(
    { texture: depth },
    { buffer: layer.depths, offset: layer.index * layer.pitch * layer.height * 4, bytesPerRow: layer.pitch * 4 },
    [width, height],
  );
  const focal = Math.max(camera.fx, camera.fy);
  drawFull(first, 'fragment', pyramid.createView({ mipLevelCount: 1 }), width, height, [
    first.uniform(new Float32Array([focal, STEEPEST, 0, 0]).buffer),
    picture.createView(),
    depth.createView(),
  ]);
  first.submit();
  generateMipmaps(gpu, pyramid);
  const second = gpu.batch('view');
  const target = layer.color.createView({
    dimension: '2d',
    baseArrayLayer: layer.index,
    arrayLayerCount: 1,
    baseMipLevel: 0,
    mipLevelCount: 1,
  });
  drawFull(second, 'fill', target, width, height, [
    second.uniform(new Float32Array([Math.log2(Math.max(1, erosionPixels)), 0, 0, 0]).buffer),
    pyramid.createView(),
    trilinearSampler(gpu),
  ]);
  second.submit();
  for (const texture of [picture, depth, depthBuffer, pyramid]) texture.destroy();
}

/** Runs one of the fragment programs of prepareView.wgsl over the upper left part of a target. */
function drawFull(
  batch: Batch,
  entryPoint: 'fragment' | 'fill',
  view: GPUTextureView,
  width: number,
  height: number,
  resources: [GPUBufferBinding, GPUTextureView, GPUTextureView | GPUSampler],
): void {
  const { gpu } = batch;
  const pipeline = preparePipeline(gpu, entryPoint);
  const pass = batch.renderPass('prepareView', { colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store' }] });
  pass.setPipeline(pipeline);
  pass.setViewport(0, 0, width, height, 0, 1);
  pass.setScissorRect(0, 0, width, height);
  pass.setBindGroup(
    0,
    gpu.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: resources.map((resource, binding) => ({ binding, resource })),
    }),
  );
  pass.draw(3);
  pass.end();
}

export const trilinearSampler = (gpu: Gpu): GPUSampler =>
  gpu.cached('view sampler', () =>
    gpu.device.createSampler({ magFilter: 'linear', minFilter: 'linear', mipmapFilter: 'linear' }),
  );

function preparePipeline(gpu: GpuResources, entryPoint: 'fragment' | 'fill'): GPURenderPipeline {
  return gpu.cached(`prepareView ${entryPoint}`, () => {
    const module = gpu.shaderModule(new URL('./prepareView.wgsl', import.meta.url), 'prepareView');
    const visibility = GPUShaderStage.FRAGMENT;
    const sampleType = entryPoint === 'fill' ? 'float' : 'unfilterable-float';
    const entries: GPUBindGroupLayoutEntry[] = [
      { binding: 0, visibility, buffer: {} },
      { binding: 1, visibility, texture: { sampleType } },
      entryPoint === 'fill'
        ? { binding: 2, visibility, sampler: {} }
        : { binding: 2, visibility, texture: { sampleType } },
    ];
    return gpu.device.createRenderPipeline({
      label: `prepareView ${entryPoint}`,
      layout: gpu.device.createPipelineLayout({
        bindGroupLayouts: [gpu.device.createBindGroupLayout({ entries })],
      }),
      vertex: { module, entryPoint: 'vertex' },
      fragment: { module, entryPoint, targets: [{ format: 'rgba8unorm-srgb' }] },
    });
  });
}
