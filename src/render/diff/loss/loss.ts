import type { ColorImage } from '../../../core/image.js';
import type { Batch } from '../../../gpu/runtime/batch.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import { viewUniforms } from '../frame.js';
import type { Frame, LossOptions, TargetImages, ViewLoss } from '../types.js';

const RUN = 16;
const SPACES = { linear: 0, srgb: 1, 'log-srgb': 2 };

const loss = defineKernel({
  name: 'loss',
  shader: new URL('./loss.wgsl', import.meta.url),
  bindings: {
    params: 'uniform',
    antialiased: 'read',
    targets: 'read',
    gradient: 'read_write',
    sums: 'read_write',
  },
  uniforms: {
    width: 'u32',
    height: 'u32',
    views: 'u32',
    squared: 'u32',
    space: 'u32',
    image: 'f32',
    silhouette: 'f32',
    minimumAlpha: 'f32',
    background: 'f32',
    sumScale: 'f32',
    views0: 'vec4u',
    views1: 'vec4u',
    views2: 'vec4u',
    views3: 'vec4u',
  },
});

/** Uploads target pictures, all of one size. @throws RangeError where sizes differ */
export function createTargets(gpu: Gpu, images: readonly ColorImage[]): TargetImages {
  const { width, height } = images[0];
  const bytes = width * height * 4;
  const buffer = gpu.createBuffer(bytes * images.length, 'targets');
  images.forEach((image, i) => {
    if (image.width !== width || image.height !== height) {
      throw new RangeError(`targets of ${image.width} × ${image.height} and ${width} × ${height}`);
    }
    gpu.write(buffer, image.data, i * bytes);
  });
  return { buffer, width, height, count: images.length };
}

/** Units of the sums: no view of this size can leave the range of i32 with image factors up to 1. */
const sumScale = (frame: Frame): number => 2 ** Math.floor(Math.log2(2 ** 30 / (frame.width * frame.height * 4)));

/** The same for depth, whose term may be larger. */
export const depthSumScale = (frame: Frame): number => sumScale(frame) / 16;

/**
 * Records `frame.antialiased` and the targets of the frame's views → `frame.gradient` (overwritten) and `frame.sums`
 * (overwritten). Both are compared as they look over a background, by encoded values: curve(colour) × alpha +
 * background × (1 − alpha).
 */
export function recordLoss(batch: Batch, frame: Frame, targets: TargetImages, options: LossOptions = {}): void {
  if (targets.width !== frame.width || targets.height !== frame.height) {
    throw new RangeError(
      `targets of ${targets.width} × ${targets.height} for a frame of ${frame.width} × ${frame.height}`,
    );
  }
  batch.clear(frame.sums);
  const runs = Math.ceil((frame.width * frame.height) / (64 * RUN));
  loss.dispatch(
    batch,
    { antialiased: frame.antialiased, targets: targets.buffer, gradient: frame.gradient, sums: frame.sums },
    {
      width: frame.width,
      height: frame.height,
      views: frame.views.length,
      squared: options.kind === 'mse' ? 1 : 0,
      space: SPACES[options.space ?? 'log-srgb'],
      image: options.image ?? 1,
      silhouette: options.silhouette ?? 1,
      minimumAlpha: options.minimumAlpha ?? -1,
      background: options.background ?? 0,
      sumScale: sumScale(frame),
      ...viewUniforms(frame),
    },
    linear(runs * frame.views.length, 1),
  );
}

/** Reads the sums of the last loss back (waits for the queue), one entry per view of the frame. */
export async function readLoss(gpu: Gpu, frame: Frame): Promise<ViewLoss[]> {
  const sums = await gpu.readInt32(frame.sums, frame.views.length * 4);
  const scale = sumScale(frame);
  return frame.views.map((_, n) => ({
    image: sums[n * 4] / scale,
    silhouette: sums[n * 4 + 1] / scale,
    meanSquaredError: sums[n * 4 + 2] / scale / (frame.width * frame.height * 3),
    depth: sums[n * 4 + 3] / depthSumScale(frame),
  }));
}
