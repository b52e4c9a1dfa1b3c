import type { Camera } from '../../core/camera.js';
import { pause } from '../../core/pause.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { defineKernel } from '../../gpu/runtime/kernel.js';
import type { StereoLevel } from './images.js';
import { packSources } from './pose.js';

export const PARAMS = {
  intrinsics: 'vec4f',
  size: 'vec2u',
  first: 'u32',
  count: 'u32',
  sources: 'u32',
  side: 'u32',
  step: 'f32',
  nearest: 'f32',
  farthest: 'f32',
  seed: 'u32',
  round: 'u32',
  reach: 'f32',
  consistency: 'f32',
  hypotheses: 'u32',
  texel: 'vec2f',
} as const;

const common = {
  params: 'uniform',
  sources: 'read',
  pixels: 'read',
  pictures: 'texture-array',
  bilinear: 'sampler',
} as const;
const sweepBindings = { ...common, sourceMaps: 'read', planes: 'read_write', costs: 'read_write' } as const;
const sweepShader = new URL('./sweep.wgsl', import.meta.url);
const start = defineKernel({
  name: 'stereo.start',
  shader: sweepShader,
  entryPoint: 'start',
  bindings: sweepBindings,
  uniforms: PARAMS,
});
const sweep = defineKernel({
  name: 'stereo.sweep',
  shader: sweepShader,
  entryPoint: 'sweep',
  bindings: sweepBindings,
  uniforms: PARAMS,
});
const agree = defineKernel({
  name: 'stereo.agree',
  shader: new URL('./agree.wgsl', import.meta.url),
  bindings: { ...common, sourceMaps: 'read', planes: 'read', agreed: 'read_write' },
  uniforms: PARAMS,
});
const score = defineKernel({
  name: 'stereo.score',
  shader: new URL('./scorePlanes.wgsl', import.meta.url),
  bindings: { ...common, planes: 'read', scores: 'read_write' },
  uniforms: PARAMS,
});

/** Threads of a workgroup. */
const GROUP = 64;
/** Pixels of the first dispatch; the following ones take as many as are done in between these two times. */
const FIRST_CHUNK = 2048;
const CHUNK_MS = { least: 60, most: 250 } as const;

export interface Window {
  /** Samples along each side. */
  side: number;
  /** Pixels between two of them. */
  step: number;
}

export interface Round {
  /** Of all rounds of this picture, from 0. */
  round: number;
  /** Share of the depth by which refinement moves at most. */
  reach: number;
  /** Cost of a pixel of disagreement with the sources' maps. */
  consistency: number;
  /** Planes tried in refinement. */
  hypotheses: number;
}

export interface PassHooks {
  signal?: AbortSignal;
  /** Receives the number of pixels that were just done. */
  done?: (pixels: number) => void;
}

export interface PassOptions {
  window: Window;
  /** Least and greatest depth. */
  nearest: number;
  farthest: number;
  seed: number;
  /** What the sources know of their own depth, in their order; see `packMap`. Default: nothing. */
  maps?: readonly Uint32Array[];
  /** Whether the pictures are needed; to agree they are not. Default true. */
  pictures?: boolean;
}

/** One picture with its sources on the device, for as long as its planes are being found. */
export class StereoPass {
  private readonly buffers: GPUBuffer[] = [];
  private readonly pictures: GPUTexture;
  private readonly sources: GPUBuffer;
  private readonly pixels: GPUBuffer;
  private readonly maps: GPUBuffer;
  private readonly planes: GPUBuffer;
  private readonly costs: GPUBuffer;
  private readonly texel: [number, number];
  private chunk = FIRST_CHUNK;

  constructor(
    private readonly gpu: Gpu,
    private readonly reference: StereoLevel,
    private readonly around: readonly StereoLevel[],
    private readonly options: PassOptions,
  ) {
    const { width, height } = reference.camera;
    const { maps = [], pictures = true } = options;
    const all = pictures ? [reference, ...around] : [];
    const size = [width, height].map((least, i) =>
      pictures ? Math.max(least, ...around.map((l) => (i === 0 ? l.camera.width : l.camera.height))) : 1,
    );
    this.texel = [1 / size[0], 1 / size[1]];
    this.pictures = gpu.device.createTexture({
      label: 'stereo pictures',
      size: [size[0], size[1], Math.max(1, all.length)],
      format: 'rg16float',
      usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST,
    });
    all.forEach(({ camera, texels }, layer) => {
      gpu.device.queue.writeTexture(
        { texture: this.pictures, origin: [0, 0, layer] },
        texels as Uint16Array<ArrayBuffer>,
        { bytesPerRow: camera.width * 4 },
        [camera.width, camera.height],
      );
    });
    const offsets: number[] = [];
    let total = 0;
    for (const map of maps) {
      offsets.push(total);
      total += map.length / 2;
    }
    const upload = (data: Float32Array | Uint32Array, label: string): GPUBuffer => {
      const buffer = gpu.acquire(data.byteLength, label);
      gpu.write(buffer, data);
      this.buffers.push(buffer);
      return buffer;
    };
    this.sources = upload(
      packSources(
        reference.camera,
        around.map((l) => l.camera),
        offsets,
      ),
      'stereo sources',
    );
    this.pixels = upload(reference.pixels, 'stereo pixels');
    this.maps = gpu.acquire(Math.max(1, total) * 8, 'stereo maps');
    maps.forEach((map, i) => {
      gpu.write(this.maps, map, offsets[i] * 8);
    });
    this.planes = gpu.acquire(width * height * 16, 'stereo planes');
    this.costs = gpu.acquire(width * height * 4, 'stereo costs');
    this.buffers.push(this.maps, this.planes, this.costs);
  }

  /** Sets planes, four numbers per entry of `reference.pixels` (normal, depth; 0 = none), and their costs. */
  write(planes: Float32Array, costs?: Float32Array): void {
    const { camera, pixels } = this.reference;
    const wholePlanes = new Float32Array(camera.width * camera.height * 4);
    const wholeCosts = new Float32Array(camera.width * camera.height).fill(NOTHING);
    for (let i = 0; i < pixels.length; i++) {
      const at = placeOf(pixels[i], camera);
      wholePlanes.set(planes.subarray(i * 4, i * 4 + 4), at * 4);
      if (costs) wholeCosts[at] = costs[i];
    }
    this.gpu.write(this.planes, wholePlanes);
    this.gpu.write(this.costs, wholeCosts);
  }

  /** The planes and costs as they are now, per entry of `reference.pixels`. */
  async read(): Promise<{ planes: Float32Array; costs: Float32Array }> {
    const { camera, pixels } = this.reference;
    const count = camera.width * camera.height;
    const wholePlanes = await this.gpu.readFloat32(this.planes, count * 4);
    const wholeCosts = await this.gpu.readFloat32(this.costs, count);
    const planes = new Float32Array(pixels.length * 4);
    const costs = new Float32Array(pixels.length);
    for (let i = 0; i < pixels.length; i++) {
      const at = placeOf(pixels[i], camera);
      planes.set(wholePlanes.subarray(at * 4, at * 4 + 4), i * 4);
      costs[i] = wholeCosts[at];
    }
    return { planes, costs };
  }

  /** Finds a first plane for every pixel: the one that was written, or the best of `hypotheses` random ones. */
  async start(hypotheses: number, hooks: PassHooks): Promise<void> {
    const round = { round: 0, reach: 0, consistency: 0, hypotheses };
    await this.each(0, this.reference.pixels.length, hooks, (batch, first, count) =>
      start.dispatch(batch, this.stateArguments(), this.params(first, count, round), [Math.ceil(count / GROUP)]),
    );
  }

  /** Lets the pixels of one colour, then those of the other, take over each other's planes and vary them. */
  async sweep(round: Round, hooks: PassHooks): Promise<void> {
    const { even, pixels } = this.reference;
    for (const [from, to] of [
      [0, even],
      [even, pixels.length],
    ]) {
      await this.each(from, to, hooks, (batch, first, count) =>
        sweep.dispatch(batch, this.stateArguments(), this.params(first, count, round), [Math.ceil(count / GROUP)]),
      );
    }
  }

  /**
   * Four numbers per pixel: depth (0 where no source agrees or as many contradict), accuracy, sources that agree, their
   * error.
   */
  async agree(hooks: PassHooks): Promise<Float32Array> {
    const { pixels } = this.reference;
    const agreed = this.gpu.acquire(pixels.length * 16, 'stereo agreed');
    this.buffers.push(agreed);
    const round = { round: 0, reach: 0, consistency: 0, hypotheses: 0 };
    await this.each(0, pixels.length, hooks, (batch, first, count) =>
      agree.dispatch(
        batch,
        { ...this.commonArguments(), sourceMaps: this.maps, planes: this.planes, agreed },
        this.params(first, count, round),
        [Math.ceil(count / GROUP)],
      ),
    );
    return await this.gpu.readFloat32(agreed, pixels.length * 4);
  }

  /** What every source says of one plane per pixel: 1 − correlation, per entry of `reference.pixels` and source. */
  async score(planes: Float32Array, hooks: PassHooks): Promise<Float32Array> {
    const { pixels } = this.reference;
    const given = this.gpu.acquire(planes.byteLength, 'stereo given');
    const scores = this.gpu.acquire(pixels.length * this.around.length * 4, 'stereo scores');
    this.buffers.push(given, scores);
    this.gpu.write(given, planes);
    const round = { round: 0, reach: 0, consistency: 0, hypotheses: 0 };
    await this.each(0, pixels.length, hooks, (batch, first, count) =>
      score.dispatch(batch, { ...this.commonArguments(), planes: given, scores }, this.params(first, count, round), [
        Math.ceil(count / GROUP),
      ]),
    );
    return await this.gpu.readFloat32(scores, pixels.length * this.around.length);
  }

  dispose(): void {
    this.pictures.destroy();
    this.gpu.release(...this.buffers);
  }

  private params(first: number, count: number, { round, reach, consistency, hypotheses }: Round) {
    const { camera } = this.reference;
    return {
      intrinsics: [camera.fx, camera.fy, camera.cx, camera.cy],
      size: [camera.width, camera.height],
      first,
      count,
      sources: this.around.length,
      side: this.options.window.side,
      step: this.options.window.step,
      nearest: this.options.nearest,
      farthest: this.options.farthest,
      seed: this.options.seed,
      round,
      reach,
      consistency,
      hypotheses,
      texel: this.texel,
    };
  }

  private commonArguments() {
    const { gpu, sources, pixels, pictures } = this;
    const bilinear = gpu.cached(StereoPass, () =>
      gpu.device.createSampler({ label: 'stereo', magFilter: 'linear', minFilter: 'linear' }),
    );
    return { sources, pixels, pictures: pictures.createView({ dimension: '2d-array' }), bilinear };
  }

  private stateArguments() {
    return { ...this.commonArguments(), sourceMaps: this.maps, planes: this.planes, costs: this.costs };
  }

  /** Goes through entries in pieces that are short enough to cancel between. */
  private async each(
    from: number,
    to: number,
    { signal, done }: PassHooks,
    record: (batch: Parameters<Parameters<Gpu['run']>[0]>[0], first: number, count: number) => void,
  ): Promise<void> {
    for (let first = from; first < to; ) {
      await pause(signal);
      const count = Math.min(this.chunk, to - first);
      const begin = performance.now();
      this.gpu.run((batch) => record(batch, first, count), 'stereo');
      await this.gpu.sync();
      const took = performance.now() - begin;
      if (took < CHUNK_MS.least) this.chunk *= 2;
      else if (took > CHUNK_MS.most) this.chunk = Math.max(GROUP, this.chunk >> 1);
      first += count;
      done?.(count);
    }
  }
}

/** Cost of what has no plane. */
const NOTHING = 4;

/** Place of a pixel of a list in a picture. */
export const placeOf = (pixel: number, camera: Camera): number => (pixel >>> 16) * camera.width + (pixel & 0xffff);
