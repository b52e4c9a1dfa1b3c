import type { Asset } from '../../core/asset.js';
import { type Bounds, boundsOf } from '../../core/bounds.js';
import { type Camera, cameraPosition, projectionMatrix, resizeCamera, worldToCamera } from '../../core/camera.js';
import { throwIfCancelled } from '../../core/errors.js';
import type { ColorImage, FloatImage, HdrImage } from '../../core/image.js';
import { multiply, type Vec3 } from '../../core/math.js';
import type { Mesh } from '../../core/mesh.js';
import { vertexCount } from '../../core/mesh.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../gpu/runtime/kernel.js';
import { STORAGE_USAGE } from '../../gpu/runtime/resources.js';
import { createEnvironmentLight, type EnvironmentLight, SPECULAR_LEVELS } from './environmentLight.js';
import { depthRange, drawGeometry, type GeometryBuffers, uploadGeometry } from './geometryPass.js';
import { uploadTexture } from './mipmap.js';
import { vertexOpenness } from './openness.js';
import { ReadbackRing } from './readback.js';
import { NEUTRAL_STUDIO, paintStudio } from './studio.js';

/**
 * What a rendered picture shows. `textured`: the material as it is meant to be seen (unlit when baked, lit by the
 * environment when pbr). `clay`: matte grey with ambient occlusion. The rest show data: world normals as n/2 + 1/2,
 * depth from white (near) to dark, texture coordinates as red and green, and the material's channels.
 */
export type RenderMode = 'textured' | 'clay' | 'normals' | 'depth' | 'uv' | 'baseColor' | 'roughness' | 'metallic';

/** How a view is rendered. */
export interface RenderOptions {
  /** Size of the result in pixels. Default: the camera's; another size resizes the camera. */
  width?: number;
  height?: number;
  /** Default `textured`. */
  mode?: RenderMode;
  /**
   * Samples per pixel along each axis, 1…8, averaged in linear premultiplied colour. Default 2; less where the target
   * would be too large.
   */
  supersample?: number;
  /**
   * sRGB-encoded colour, each 0…1, to composite on (encoded values, as viewers and the image metrics do). Default:
   * transparent.
   */
  background?: Vec3;
  /** Light for pbr materials. Default: the asset's own, else a neutral studio. Convention of `Asset.environment`. */
  environment?: HdrImage;
  /** Turns the light about +Y, in radians, counter-clockwise seen from above. Default 0. */
  environmentRotation?: number;
  /** Factor on the light. Default 1. */
  exposure?: number;
  /**
   * Roll highlights off softly instead of clipping at 1. Pbr only. Default false, so that renders compare with
   * photographs.
   */
  toneMap?: boolean;
  /** Also return the depth map. Default: only in mode `depth`. */
  depth?: boolean;
  /** Also return triangle numbers. Default false. */
  triangleId?: boolean;
}

/** A picture of the asset, and what else was asked for. */
export interface RenderedView {
  /** sRGB, straight alpha; alpha is coverage. */
  color: ColorImage;
  /** Distance along the viewing axis at pixel centres in scene units, 0 = none. */
  depth?: FloatImage;
  /** Triangle number + 1 at pixel centres, 0 = none. */
  triangleId?: Uint32Array;
}

const ENTRY_POINTS = ['unlit', 'lit', 'clay', 'data'] as const;
const DATA_MODES: Partial<Record<RenderMode, number>> = {
  normals: 0,
  depth: 1,
  uv: 2,
  baseColor: 3,
  roughness: 4,
  metallic: 5,
};
const FLAG = { orm: 1, normalMap: 2, tangents: 4, toneMap: 8 };
const FLOATS_PER_VERTEX = 12;
/** Views whose read-back may be under way while the next are recorded. */
const IN_FLIGHT = 4;
const MAX_ANISOTROPY = 8;

const resolve = defineKernel({
  name: 'resolve',
  shader: new URL('./resolve.wgsl', import.meta.url),
  bindings: { params: 'uniform', target: 'texture-unfilterable', pixels: 'read_write' },
  uniforms: { width: 'u32', height: 'u32', supersample: 'u32', opaque: 'u32', background: 'vec4f' },
});

interface Targets {
  width: number;
  height: number;
  color: GPUTexture;
  depth: GPUTexture;
}

/**
 * Draws one asset from any camera with the hardware rasteriser. Pixel (u, v) of the result is pixel (u, v) of the
 * camera. Materials follow glTF 2.0; `baked` ones are unlit; `pbr` ones use the split-sum approximation (Karis 2013) of
 * image-based light.
 */
export class AssetRenderer {
  readonly bounds: Bounds;
  private readonly gpu: Gpu;
  private readonly asset: Asset;
  private readonly vertices: GPUBuffer;
  private readonly geometry: GeometryBuffers;
  private readonly baseColor: GPUTexture;
  private readonly orm?: GPUTexture;
  private readonly normal?: GPUTexture;
  private readonly ring: ReadbackRing;
  private readonly lights = new Map<HdrImage | undefined, EnvironmentLight>();
  private openness: GPUBuffer;
  private opennessKnown: Promise<void> | undefined;
  private targets: Targets | undefined;

  private constructor(gpu: Gpu, asset: Asset) {
    this.gpu = gpu;
    this.asset = asset;
    const { mesh, material } = asset;
    this.bounds = boundsOf(mesh.positions, mesh.indices);
    this.vertices = gpu.upload(interleave(mesh), 'vertices', VERTEX_USAGE);
    this.openness = gpu.createBuffer(vertexCount(mesh) * 4, 'openness', VERTEX_USAGE);
    this.geometry = uploadGeometry(gpu, mesh, GPUBufferUsage.INDEX);
    this.baseColor = uploadTexture(gpu, material.baseColor, true, 'base color');
    if (material.kind === 'pbr') {
      const orm = material.occlusionRoughnessMetallic;
      if (orm) this.orm = uploadTexture(gpu, orm, false, 'occlusion roughness metallic');
      if (material.normal) this.normal = uploadTexture(gpu, material.normal, false, 'normal map');
    }
    this.ring = new ReadbackRing(gpu);
  }

  /** Uploads the asset. Throws the device's coded errors. */
  static async create(gpu: Gpu, asset: Asset): Promise<AssetRenderer> {
    const renderer = new AssetRenderer(gpu, asset);
    await gpu.sync();
    return renderer;
  }

  /** Draws one view. */
  async render(camera: Camera, options: RenderOptions = {}): Promise<RenderedView> {
    await this.prepare(options);
    return await this.start(camera, options);
  }

  /**
   * Draws many views in order. The next views are drawn while the last ones are read back, and no more than a few are
   * held at a time. Throws `CANCELLED` between views once the signal is aborted.
   */
  async *renderEach(
    cameras: Iterable<Camera>,
    options: RenderOptions = {},
    signal?: AbortSignal,
  ): AsyncGenerator<RenderedView> {
    await this.prepare(options);
    const pending: Promise<RenderedView>[] = [];
    try {
      for (const camera of cameras) {
        throwIfCancelled(signal);
        pending.push(this.start(camera, options));
        if (pending.length >= IN_FLIGHT) yield await pending.shift()!;
      }
      while (pending.length > 0) {
        throwIfCancelled(signal);
        yield await pending.shift()!;
      }
    } finally {
      await Promise.allSettled(pending);
    }
  }

  /** Frees what the renderer holds on the GPU. */
  dispose(): void {
    for (const buffer of [this.vertices, this.openness, this.geometry.positions, this.geometry.indices]) {
      buffer.destroy();
    }
    this.baseColor.destroy();
    this.orm?.destroy();
    this.normal?.destroy();
    this.targets?.color.destroy();
    this.targets?.depth.destroy();
    for (const light of this.lights.values()) light.destroy();
    this.lights.clear();
    this.ring.dispose();
  }

  /** Ambient occlusion is computed when first needed, once per asset. */
  private async prepare(options: RenderOptions): Promise<void> {
    if (options.mode !== 'clay') return;
    this.opennessKnown ??= vertexOpenness(this.gpu, this.geometry, this.vertices, vertexCount(this.asset.mesh)).then(
      (values) => this.gpu.write(this.openness, values),
    );
    await this.opennessKnown;
  }

  private light(options: RenderOptions): EnvironmentLight {
    const environment = options.environment ?? this.asset.environment;
    let light = this.lights.get(environment);
    if (!light) {
      light = createEnvironmentLight(this.gpu, environment ?? paintStudio(NEUTRAL_STUDIO));
      this.lights.set(environment, light);
    }
    return light;
  }

  private targetsOf(width: number, height: number): Targets {
    if (this.targets?.width === width && this.targets.height === height) return this.targets;
    this.targets?.color.destroy();
    this.targets?.depth.destroy();
    const usage = GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.TEXTURE_BINDING;
    const make = (format: GPUTextureFormat, label: string) =>
      this.gpu.device.createTexture({ size: [width, height], format, usage, label });
    this.targets = { width, height, color: make('rgba16float', 'color'), depth: make('depth32float', 'depth') };
    return this.targets;
  }

  /** Records and submits one view; the promise settles when its pixels have arrived. */
  private start(original: Camera, options: RenderOptions): Promise<RenderedView> {
    const { gpu } = this;
    const width = options.width ?? original.width;
    const height = options.height ?? original.height;
    const sized =
      width === original.width && height === original.height ? original : resizeCamera(original, width, height);
    const largest = Math.floor(gpu.limits.maxTextureDimension2D / Math.max(width, height));
    const supersample = Math.max(1, Math.min(8, largest, Math.round(options.supersample ?? 2)));
    const batch = gpu.batch('render');
    const targets = this.targetsOf(width * supersample, height * supersample);
    this.draw(batch, resizeCamera(sized, targets.width, targets.height), targets, options);
    const pixels = gpu.acquire(width * height * 4, 'pixels');
    resolve.dispatch(
      batch,
      { target: targets.color.createView(), pixels },
      {
        width,
        height,
        supersample,
        opaque: options.background ? 1 : 0,
        background: [...(options.background ?? [0, 0, 0]), 1],
      },
      linear(width * height, 64),
    );
    const color = this.ring.copyBuffer(batch, pixels, width * height * 4);
    const wantsDepth = options.depth ?? options.mode === 'depth';
    const geometry = wantsDepth || options.triangleId ? this.drawGeometry(batch, sized) : undefined;
    batch.submit();
    gpu.release(pixels);
    const parts = Promise.all([color(), geometry?.depth(), geometry?.triangle()]);
    return parts.then(([bytes, depth, triangle]) => ({
      color: { width, height, data: new Uint8ClampedArray(bytes) },
      ...(wantsDepth && depth && { depth: { width, height, data: new Float32Array(depth) } }),
      ...(options.triangleId && triangle && { triangleId: new Uint32Array(triangle) }),
    }));
  }

  private draw(batch: ReturnType<Gpu['batch']>, camera: Camera, targets: Targets, options: RenderOptions): void {
    const { gpu, asset } = this;
    const mode = options.mode ?? 'textured';
    const entry = mode === 'textured' ? (asset.material.kind === 'baked' ? 'unlit' : 'lit') : (mode as string);
    const entryPoint = ENTRY_POINTS.find((name) => name === entry) ?? 'data';
    const { pipeline, surfaceSampler, lightSampler, blank, black } = forwardPipeline(gpu, entryPoint);
    const toCamera = worldToCamera(camera);
    const { near, far } = depthRange(toCamera, this.bounds);
    const block = new ArrayBuffer(176);
    const floats = new Float32Array(block);
    floats.set(multiply(projectionMatrix(camera, near, far), toCamera), 0);
    floats.set(toCamera, 16);
    floats.set(cameraPosition(camera), 32);
    new Uint32Array(block)[35] = DATA_MODES[mode] ?? 0;
    const turn = options.environmentRotation ?? 0;
    floats.set([Math.cos(turn), -Math.sin(turn), options.exposure ?? 1, SPECULAR_LEVELS - 1], 36);
    const flags =
      (this.orm ? FLAG.orm : 0) |
      (this.normal ? FLAG.normalMap : 0) |
      (asset.mesh.tangents ? FLAG.tangents : 0) |
      (options.toneMap ? FLAG.toneMap : 0);
    floats.set([near, far, 0, flags], 40);
    const light = entryPoint === 'lit' ? this.light(options) : undefined;

    const pass = batch.renderPass('forward', {
      colorAttachments: [
        { view: targets.color.createView(), loadOp: 'clear', storeOp: 'store', clearValue: [0, 0, 0, 0] },
      ],
      depthStencilAttachment: {
        view: targets.depth.createView(),
        depthClearValue: 1,
        depthLoadOp: 'clear',
        depthStoreOp: 'discard',
      },
    });
    const group = (index: number, resources: GPUBindingResource[]) =>
      pass.setBindGroup(
        index,
        gpu.device.createBindGroup({
          layout: pipeline.getBindGroupLayout(index),
          entries: resources.map((resource, binding) => ({ binding, resource })),
        }),
      );
    pass.setPipeline(pipeline);
    group(0, [batch.uniform(block)]);
    group(1, [
      this.baseColor.createView(),
      (this.orm ?? blank).createView(),
      (this.normal ?? blank).createView(),
      surfaceSampler,
    ]);
    group(2, [
      (light?.specular ?? black).createView({ dimension: 'cube' }),
      (light?.irradiance ?? black).createView({ dimension: 'cube' }),
      (light?.brdf ?? blank).createView(),
      lightSampler,
    ]);
    pass.setVertexBuffer(0, this.vertices);
    pass.setVertexBuffer(1, this.openness);
    pass.setIndexBuffer(this.geometry.indices, 'uint32');
    pass.drawIndexed(asset.mesh.indices.length);
    pass.end();
  }

  private drawGeometry(batch: ReturnType<Gpu['batch']>, camera: Camera) {
    const { width, height } = camera;
    const make = (format: GPUTextureFormat) =>
      this.gpu.device.createTexture({
        size: [width, height],
        format,
        usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC,
      });
    const textures = [make('r32float'), make('r32uint'), make('depth32float')];
    const [depth, triangle, depthBuffer] = textures;
    drawGeometry(this.gpu, batch, this.geometry, camera, {
      depth: depth.createView(),
      triangle: triangle.createView(),
      depthBuffer: depthBuffer.createView(),
    });
    const result = {
      depth: this.ring.copyTexture(batch, depth, width, height, 4),
      triangle: this.ring.copyTexture(batch, triangle, width, height, 4),
    };
    batch.onSubmit(() => {
      for (const texture of textures) texture.destroy();
    });
    return result;
  }
}

const VERTEX_USAGE = STORAGE_USAGE | 0x20; // VERTEX

interface ForwardPipeline {
  pipeline: GPURenderPipeline;
  surfaceSampler: GPUSampler;
  lightSampler: GPUSampler;
  /** Stand-ins for maps that an asset or a mode does not have. */
  blank: GPUTexture;
  black: GPUTexture;
}

function forwardPipeline(gpu: Gpu, entryPoint: (typeof ENTRY_POINTS)[number]): ForwardPipeline {
  const { device } = gpu;
  const shared = gpu.cached('forward', () => {
    const vertexAndFragment = GPUShaderStage.VERTEX | GPUShaderStage.FRAGMENT;
    const map = (binding: number, viewDimension: GPUTextureViewDimension = '2d'): GPUBindGroupLayoutEntry => ({
      binding,
      visibility: GPUShaderStage.FRAGMENT,
      texture: { sampleType: 'float', viewDimension },
    });
    const sampler = { binding: 3, visibility: GPUShaderStage.FRAGMENT, sampler: {} };
    const usage = GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST;
    return {
      module: gpu.shaderModule(new URL('./forward.wgsl', import.meta.url), 'forward'),
      layout: device.createPipelineLayout({
        bindGroupLayouts: [
          device.createBindGroupLayout({
            entries: [{ binding: 0, visibility: vertexAndFragment, buffer: { type: 'uniform' } }],
          }),
          device.createBindGroupLayout({ entries: [map(0), map(1), map(2), sampler] }),
          device.createBindGroupLayout({ entries: [map(0, 'cube'), map(1, 'cube'), map(2), sampler] }),
        ],
      }),
      surfaceSampler: device.createSampler({
        addressModeU: 'repeat',
        addressModeV: 'repeat',
        magFilter: 'linear',
        minFilter: 'linear',
        mipmapFilter: 'linear',
        maxAnisotropy: MAX_ANISOTROPY,
      }),
      lightSampler: device.createSampler({ magFilter: 'linear', minFilter: 'linear', mipmapFilter: 'linear' }),
      blank: device.createTexture({ size: [1, 1], format: 'rgba8unorm', usage }),
      black: device.createTexture({ size: [1, 1, 6], format: 'rgba16float', usage }),
    };
  });
  const pipeline = gpu.cached(`forward ${entryPoint}`, () =>
    device.createRenderPipeline({
      label: `forward ${entryPoint}`,
      layout: shared.layout,
      vertex: {
        module: shared.module,
        entryPoint: 'vertex',
        buffers: [
          {
            arrayStride: FLOATS_PER_VERTEX * 4,
            attributes: [
              { shaderLocation: 0, offset: 0, format: 'float32x3' },
              { shaderLocation: 1, offset: 12, format: 'float32x3' },
              { shaderLocation: 2, offset: 24, format: 'float32x2' },
              { shaderLocation: 3, offset: 32, format: 'float32x4' },
            ],
          },
          { arrayStride: 4, attributes: [{ shaderLocation: 4, offset: 0, format: 'float32' }] },
        ],
      },
      fragment: { module: shared.module, entryPoint, targets: [{ format: 'rgba16float' }] },
      primitive: { topology: 'triangle-list', cullMode: 'none' },
      depthStencil: { format: 'depth32float', depthWriteEnabled: true, depthCompare: 'less' },
    }),
  );
  return { ...shared, pipeline };
}

/** Position, normal, uv and tangent of each vertex in a row; attributes that the mesh lacks are zero. */
function interleave(mesh: Mesh): Float32Array {
  const count = vertexCount(mesh);
  const out = new Float32Array(count * FLOATS_PER_VERTEX);
  const parts: [Float32Array | undefined, number, number][] = [
    [mesh.positions, 3, 0],
    [mesh.normals, 3, 3],
    [mesh.uvs, 2, 6],
    [mesh.tangents, 4, 8],
  ];
  for (const [data, size, offset] of parts) {
    if (!data) continue;
    for (let i = 0; i < count; i++)
      for (let c = 0; c < size; c++) out[i * FLOATS_PER_VERTEX + offset + c] = data[i * size + c];
  }
  return out;
}
