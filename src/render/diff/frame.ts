import { PlinthError } from '../../core/errors.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { type Frame, MAX_VIEWS } from './types.js';

/** Edges are numbered by 21 bits in `Frame.outlines`. */
const MAX_TRIANGLES = Math.floor(2 ** 21 / 3);

/** First vec4f of the vertices in `Frame.vertices`. */
export const verticesOffset = (capacity: number): number => capacity * 4;

/** The views' indices as the four uniform fields that kernels take. */
export function viewUniforms(frame: Frame): Record<'views0' | 'views1' | 'views2' | 'views3', number[]> {
  if (frame.views.length > frame.capacity) {
    throw new RangeError(`${frame.views.length} views in a frame for ${frame.capacity}`);
  }
  const at = (i: number) => [0, 1, 2, 3].map((k) => frame.views[i * 4 + k] ?? 0);
  return { views0: at(0), views1: at(1), views2: at(2), views3: at(3) };
}

/**
 * Buffers for rendering up to `capacity` views at once.
 * @throws RangeError for more than 16 views or 699,050 triangles, `GPU_LIMIT_TOO_LOW` where the views stacked exceed
 * the device's texture or buffer size
 */
export function createFrame(
  gpu: Gpu,
  size: { width: number; height: number; capacity: number; positionCount: number; triangleCount: number },
): Frame {
  const { width, height, capacity, positionCount, triangleCount } = size;
  if (capacity < 1 || capacity > MAX_VIEWS) throw new RangeError(`a frame holds 1…${MAX_VIEWS} views, not ${capacity}`);
  if (triangleCount > MAX_TRIANGLES) {
    throw new RangeError(`a frame is for meshes of up to ${MAX_TRIANGLES} triangles, not ${triangleCount}`);
  }
  const rows = capacity * height;
  const limit = gpu.limits.maxTextureDimension2D;
  if (rows > limit || width > limit || rows * width * 16 > gpu.limits.maxStorageBufferBindingSize) {
    throw new PlinthError('GPU_LIMIT_TOO_LOW', {
      found:
        `${capacity} views of ${width} × ${height} pixels in one frame; the device allows ${limit} rows and ` +
        `${gpu.limits.maxStorageBufferBindingSize} bytes`,
      remedy: 'Use fewer views at a time or smaller pictures',
    });
  }
  const pixels = rows * width;
  const image = (label: string) => gpu.createBuffer(pixels * 16, label);
  return {
    width,
    height,
    capacity,
    views: [],
    vertices: gpu.createBuffer((verticesOffset(capacity) + capacity * positionCount * 2) * 16, 'clip vertices'),
    ids: gpu.createBuffer(pixels * 4, 'triangle ids'),
    outlines: gpu.createBuffer(pixels * 8, 'outlines'),
    color: image('color'),
    antialiased: image('antialiased'),
    gradient: image('gradient'),
    colorGradient: image('color gradient'),
    sums: gpu.createBuffer(capacity * 16, 'loss sums'),
  };
}

/** Frees the frame's buffers. */
export function destroyFrame(frame: Frame): void {
  const { vertices, ids, outlines, color, antialiased, gradient, colorGradient, sums } = frame;
  for (const buffer of [vertices, ids, outlines, color, antialiased, gradient, colorGradient, sums]) buffer.destroy();
}
