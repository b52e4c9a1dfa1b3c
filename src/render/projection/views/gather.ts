import { throwIfCancelled } from '../../../core/errors.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import type { GeometryBuffers } from '../../forward/geometryPass.js';
import { loadViewSet, setGains, type TextureView, trilinearSampler, type ViewSet } from './viewSet.js';

/** The uniform struct `Gather` of views.wgsl. */
export const GATHER_UNIFORMS = {
  count: 'u32',
  views: 'u32',
  pitch: 'u32',
  layer: 'u32',
  slack: 'f32',
  minimumCosine: 'f32',
  texel: 'f32',
  footprint: 'f32',
  anglePower: 'f32',
  resolutionPower: 'f32',
  highlights: 'f32',
  facing: 'f32',
  strength: 'f32',
} as const;

const SOURCES = {
  gather: 'uniform',
  views: 'read',
  depths: 'read',
  colors: 'texture-array',
  trilinear: 'sampler',
  points: 'read',
  sums: 'read_write',
} as const;

const shader = new URL('./blend.wgsl', import.meta.url);
const blend = defineKernel({
  name: 'blend',
  shader,
  bindings: { ...SOURCES, support: 'read_write' },
  uniforms: GATHER_UNIFORMS,
});
const collect = defineKernel({
  name: 'collect',
  shader,
  entryPoint: 'collect',
  bindings: SOURCES,
  uniforms: GATHER_UNIFORMS,
});
/** How views are weighed. */
export interface GatherSettings {
  /** Scene units by which depth may differ beyond pixel size and slope. */
  slack: number;
  minimumCosine: number;
  /** Smallest pixel footprint of all views at the object, in scene units. */
  footprint: number;
  anglePower: number;
  resolutionPower: number;
  /** Strength of the preference for darker colours: weights fall by exp(−strength · mean of square-root colour). */
  highlights: number;
  /** Strength of the preference for the view that faces a point best: weights fall by this power of the cosine more. */
  facing: number;
}

/** The views in sets that fit the device. A single set stays loaded; several are loaded anew for each pass. */
export class ViewSource {
  gains: number[][];
  private kept: ViewSet | undefined;
  private readonly gpu: Gpu;
  private readonly geometry: GeometryBuffers;
  private readonly views: readonly TextureView[];
  private readonly erosionPixels: number;
  private readonly budget: number;
  private readonly signal?: AbortSignal;

  /** @param erosionPixels width over which a view's weight fades towards its mask's border and depth edges */
  constructor(
    gpu: Gpu,
    geometry: GeometryBuffers,
    views: readonly TextureView[],
    erosionPixels: number,
    budget: number,
    signal?: AbortSignal,
  ) {
    this.gpu = gpu;
    this.geometry = geometry;
    this.views = views;
    this.erosionPixels = erosionPixels;
    this.budget = budget;
    this.signal = signal;
    this.gains = views.map(() => [1, 1, 1]);
  }

  get count(): number {
    return this.views.length;
  }

  /** Each set in turn with the present gains; a set is valid until the next is asked for. */
  async *sets(): AsyncGenerator<ViewSet> {
    for (let first = 0; first < this.views.length; ) {
      let set = this.kept;
      if (!set) {
        set = await loadViewSet(
          this.gpu,
          this.geometry,
          this.views,
          first,
          this.erosionPixels,
          this.budget,
          this.signal,
        );
        if (set.count === this.views.length) this.kept = set;
      }
      setGains(this.gpu, set, this.gains);
      const next = first + set.count;
      try {
        yield set;
      } finally {
        if (set !== this.kept) {
          await this.gpu.sync();
          set.destroy();
        }
      }
      first = next;
    }
  }

  dispose(): void {
    this.kept?.destroy();
    this.kept = undefined;
  }
}

/** The uniform block of kernels that gather from a set. */
export function gatherUniforms(set: ViewSet, settings: GatherSettings, count: number, texel: number, strength = 0) {
  return {
    count,
    views: set.count,
    pitch: set.pitch,
    layer: set.layer,
    slack: settings.slack,
    minimumCosine: settings.minimumCosine,
    texel,
    footprint: settings.footprint,
    anglePower: settings.anglePower,
    resolutionPower: settings.resolutionPower,
    highlights: settings.highlights,
    facing: settings.facing,
    strength,
  };
}

/** Items of work in one submission, so that a cancel takes effect soon and the event loop runs. */
const VISITS_PER_SUBMISSION = 3e7;

/**
 * Gathers the colours of surface points from all views. `sums` holds per point the weighted sum of colours (square root
 * of linear light) and the sum of weights, `support` the sum of weights regardless of brightness and the number of
 * views. Give both back to the pool.
 */
export async function gatherColors(
  gpu: Gpu,
  source: ViewSource,
  points: GPUBuffer,
  count: number,
  texel: number,
  settings: GatherSettings,
  signal?: AbortSignal,
): Promise<{ sums: GPUBuffer; support: GPUBuffer }> {
  const sums = gpu.acquire(count * 16, 'sums');
  const support = gpu.acquire(count * 8, 'support');
  gpu.run((batch) => {
    batch.clear(sums);
    batch.clear(support);
  });
  for await (const set of source.sets()) {
    const parts = Math.max(1, Math.ceil((count * set.count) / VISITS_PER_SUBMISSION));
    const partSize = Math.ceil(count / parts / 64) * 64;
    for (let from = 0; from < count; from += partSize) {
      throwIfCancelled(signal);
      const size = Math.min(partSize, count - from);
      const part = (buffer: GPUBuffer, bytes: number) => ({ buffer, offset: from * bytes, size: size * bytes });
      gpu.run((batch) => {
        blend.dispatch(
          batch,
          {
            views: set.data,
            depths: set.depths,
            colors: set.color.createView({ dimension: '2d-array' }),
            trilinear: trilinearSampler(gpu),
            points: part(points, 16),
            sums: part(sums, 16),
            support: part(support, 8),
          },
          gatherUniforms(set, settings, size, texel),
          linear(size, 64),
        );
      }, 'gather');
      await gpu.sync();
    }
  }
  return { sums, support };
}

/**
 * Colour (square root of linear light) and weight of each point in each view: 4 floats, view by view, point by point.
 * @param texel length over which colours are averaged, in scene units; 0: the finest that a picture shows
 */
export async function collectSamples(
  gpu: Gpu,
  source: ViewSource,
  points: GPUBuffer,
  count: number,
  texel: number,
  settings: GatherSettings,
): Promise<Float32Array> {
  const out = new Float32Array(count * source.count * 4);
  for await (const set of source.sets()) {
    const sums = gpu.createBuffer(count * set.count * 16, 'samples');
    gpu.run((batch) =>
      collect.dispatch(
        batch,
        {
          views: set.data,
          depths: set.depths,
          colors: set.color.createView({ dimension: '2d-array' }),
          trilinear: trilinearSampler(gpu),
          points,
          sums,
        },
        gatherUniforms(set, settings, count, texel),
        linear(count, 64),
      ),
    );
    const samples = await gpu.readFloat32(sums, count * set.count * 4);
    sums.destroy();
    for (let i = 0; i < count; i++) {
      const row = samples.subarray(i * set.count * 4, (i + 1) * set.count * 4);
      out.set(row, (i * source.count + set.first) * 4);
    }
  }
  return out;
}
