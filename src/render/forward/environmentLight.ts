import { toHalf } from '../../core/halfFloat.js';
import type { HdrImage } from '../../core/image.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { generateMipmaps, mipLevels } from './mipmap.js';

/** Face size of the sharpest specular level, and number of levels: roughness runs from 0 to 1 over them. */
const SPECULAR_SIZE = 256;
export const SPECULAR_LEVELS = 6;
const IRRADIANCE_SIZE = 16;
const BRDF_SIZE = 64;
/** Samples of the GGX lobe per texel; narrow lobes need fewer. */
const SAMPLES = [1, 48, 64, 96, 128, 128];
const BRIGHTEST = 65000;

/** Light in the form that shading reads: prefiltered specular cube, irradiance cube (divided by π) and BRDF table. */
export interface EnvironmentLight {
  specular: GPUTexture;
  irradiance: GPUTexture;
  brdf: GPUTexture;
  destroy(): void;
}

/** Prepares an equirectangular light (convention of `Asset.environment`) for split-sum shading. */
export function createEnvironmentLight(gpu: Gpu, environment: HdrImage): EnvironmentLight {
  const source = uploadEquirectangular(gpu, environment);
  const specular = prefilterSpecular(gpu, source);
  const irradiance = uploadIrradiance(gpu, environment);
  source.destroy();
  return {
    specular,
    irradiance,
    brdf: gpu.cached('brdf table', () => uploadBrdf(gpu)),
    destroy: () => {
      specular.destroy();
      irradiance.destroy();
    },
  };
}

function uploadEquirectangular(gpu: Gpu, { width, height, data }: HdrImage): GPUTexture {
  const texture = gpu.device.createTexture({
    label: 'environment',
    size: [width, height],
    format: 'rgba16float',
    mipLevelCount: mipLevels(width, height),
    usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST | GPUTextureUsage.RENDER_ATTACHMENT,
  });
  const half = new Uint16Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) half[i * 4 + c] = toHalf(Math.min(BRIGHTEST, Math.max(0, data[i * 3 + c])));
    half[i * 4 + 3] = toHalf(1);
  }
  gpu.device.queue.writeTexture({ texture }, half, { bytesPerRow: width * 8, rowsPerImage: height }, [width, height]);
  generateMipmaps(gpu, texture);
  return texture;
}

function prefilterSpecular(gpu: Gpu, source: GPUTexture): GPUTexture {
  const { device } = gpu;
  const { pipeline, sampler } = gpu.cached('prefilter', () => {
    const module = gpu.shaderModule(new URL('./prefilter.wgsl', import.meta.url), 'prefilter');
    return {
      pipeline: device.createRenderPipeline({
        label: 'prefilter',
        layout: 'auto',
        vertex: { module, entryPoint: 'vertex' },
        fragment: { module, entryPoint: 'fragment', targets: [{ format: 'rgba16float' }] },
      }),
      sampler: device.createSampler({
        addressModeU: 'repeat',
        magFilter: 'linear',
        minFilter: 'linear',
        mipmapFilter: 'linear',
      }),
    };
  });
  const cube = createCube(gpu, SPECULAR_SIZE, SPECULAR_LEVELS, 'specular light');
  const batch = gpu.batch('prefilter');
  for (let level = 0; level < SPECULAR_LEVELS; level++) {
    for (let face = 0; face < 6; face++) {
      const block = new ArrayBuffer(16);
      new Uint32Array(block).set([face, 0, SAMPLES[level], 0]);
      const floats = new Float32Array(block);
      floats[1] = level / (SPECULAR_LEVELS - 1);
      floats[3] = SPECULAR_SIZE >> level;
      const pass = batch.renderPass('prefilter', {
        colorAttachments: [
          {
            view: cube.createView({
              dimension: '2d',
              baseArrayLayer: face,
              arrayLayerCount: 1,
              baseMipLevel: level,
              mipLevelCount: 1,
            }),
            loadOp: 'clear',
            storeOp: 'store',
          },
        ],
      });
      pass.setPipeline(pipeline);
      pass.setBindGroup(
        0,
        device.createBindGroup({
          layout: pipeline.getBindGroupLayout(0),
          entries: [
            { binding: 0, resource: batch.uniform(block) },
            { binding: 1, resource: source.createView() },
            { binding: 2, resource: sampler },
          ],
        }),
      );
      pass.draw(3);
      pass.end();
    }
  }
  batch.submit();
  return cube;
}

function createCube(gpu: Gpu, size: number, levels: number, label: string): GPUTexture {
  return gpu.device.createTexture({
    label,
    size: [size, size, 6],
    format: 'rgba16float',
    mipLevelCount: levels,
    usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST | GPUTextureUsage.RENDER_ATTACHMENT,
  });
}

/** The direction through the middle of a cube texel, in the face layout of WebGPU. */
export function cubeDirection(face: number, x: number, y: number, size: number): [number, number, number] {
  const s = ((x + 0.5) / size) * 2 - 1;
  const t = ((y + 0.5) / size) * 2 - 1;
  const d = [
    [1, -t, -s],
    [-1, -t, s],
    [s, 1, t],
    [s, -1, -t],
    [s, -t, 1],
    [-s, -t, -1],
  ][face];
  const n = Math.hypot(d[0], d[1], d[2]);
  return [d[0] / n, d[1] / n, d[2] / n];
}

/** Radiances and solid angles of an equirectangular map averaged down to at most 64×32, with their directions. */
function coarseLight({ width, height, data }: HdrImage): Float64Array {
  const w = Math.min(64, width);
  const h = Math.min(32, height);
  const out = new Float64Array(w * h * 6);
  for (let y = 0; y < height; y++) {
    const polar = ((y + 0.5) / height) * Math.PI;
    const angle = Math.sin(polar) * (Math.PI / height) * ((2 * Math.PI) / width);
    for (let x = 0; x < width; x++) {
      const azimuth = ((x + 0.5) / width - 0.5) * 2 * Math.PI;
      const cell = (Math.floor((y * h) / height) * w + Math.floor((x * w) / width)) * 6;
      const at = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) out[cell + c] += data[at + c] * angle;
      out[cell + 3] += Math.sin(azimuth) * Math.sin(polar) * angle;
      out[cell + 4] += Math.cos(polar) * angle;
      out[cell + 5] += -Math.cos(azimuth) * Math.sin(polar) * angle;
    }
  }
  for (let i = 0; i < out.length; i += 6) {
    const n = Math.hypot(out[i + 3], out[i + 4], out[i + 5]) || 1;
    for (let c = 3; c < 6; c++) out[i + c] /= n;
  }
  return out;
}

/** Irradiance over π from direction `n`: what a white diffuse surface shows. */
function irradianceAt(light: Float64Array, n: readonly number[]): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < light.length; i += 6) {
    const c = n[0] * light[i + 3] + n[1] * light[i + 4] + n[2] * light[i + 5];
    if (c <= 0) continue;
    sum[0] += light[i] * c;
    sum[1] += light[i + 1] * c;
    sum[2] += light[i + 2] * c;
  }
  return [sum[0] / Math.PI, sum[1] / Math.PI, sum[2] / Math.PI];
}

function uploadIrradiance(gpu: Gpu, environment: HdrImage): GPUTexture {
  const size = IRRADIANCE_SIZE;
  const cube = createCube(gpu, size, 1, 'irradiance');
  const light = coarseLight(environment);
  const half = new Uint16Array(size * size * 6 * 4);
  for (let face = 0, at = 0; face < 6; face++) {
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const e = irradianceAt(light, cubeDirection(face, x, y, size));
        for (let c = 0; c < 3; c++) half[at++] = toHalf(Math.min(BRIGHTEST, e[c]));
        half[at++] = toHalf(1);
      }
    }
  }
  gpu.device.queue.writeTexture({ texture: cube }, half, { bytesPerRow: size * 8, rowsPerImage: size }, [
    size,
    size,
    6,
  ]);
  return cube;
}

/**
 * Scale and bias of F0 in the split-sum approximation for cosine `nv` and `roughness`: GGX with the height-correlated
 * Smith masking that glTF prescribes, by `samples` importance samples.
 */
export function integrateBrdf(nv: number, roughness: number, samples = 128): [number, number] {
  const a = Math.max(roughness * roughness, 1e-4);
  const v = [Math.sqrt(1 - nv * nv), 0, nv];
  let scale = 0;
  let bias = 0;
  for (let i = 0; i < samples; i++) {
    const phi = (2 * Math.PI * (i + 0.5)) / samples;
    let bits = i;
    let x = 0.5 / samples;
    for (let f = 0.5; bits > 0; f /= 2, bits >>>= 1) if (bits & 1) x += f;
    const c2 = (1 - x) / (1 + (a * a - 1) * x);
    const c = Math.sqrt(c2);
    const s = Math.sqrt(Math.max(0, 1 - c2));
    const h = [s * Math.cos(phi), s * Math.sin(phi), c];
    const vh = v[0] * h[0] + v[2] * h[2];
    const nl = 2 * vh * h[2] - v[2];
    if (nl <= 0 || vh <= 0) continue;
    const visibility =
      0.5 / (nl * Math.sqrt(nv * nv * (1 - a * a) + a * a) + nv * Math.sqrt(nl * nl * (1 - a * a) + a * a));
    const g = (visibility * 4 * nl * vh) / Math.max(c, 1e-6);
    const fresnel = (1 - vh) ** 5;
    scale += (1 - fresnel) * g;
    bias += fresnel * g;
  }
  return [scale / samples, bias / samples];
}

function uploadBrdf(gpu: Gpu): GPUTexture {
  const size = BRDF_SIZE;
  const half = new Uint16Array(size * size * 2);
  for (let y = 0, at = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [a, b] = integrateBrdf((x + 0.5) / size, (y + 0.5) / size);
      half[at++] = toHalf(a);
      half[at++] = toHalf(b);
    }
  }
  const texture = gpu.device.createTexture({
    label: 'brdf table',
    size: [size, size],
    format: 'rg16float',
    usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST,
  });
  gpu.device.queue.writeTexture({ texture }, half, { bytesPerRow: size * 4, rowsPerImage: size }, [size, size]);
  return texture;
}
