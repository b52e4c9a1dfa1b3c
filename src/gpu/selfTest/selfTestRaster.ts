import { PlinthError } from '../../core/errors.js';
import type { Random } from '../../core/random.js';
import { type CheckContext, compare } from './selfTestCheck.js';

type Triangle = [number, number][];

/**
 * Triangles with corners on quarters of a pixel, which every rasteriser holds exactly, and no pixel centre on an edge,
 * where rasterisers may differ.
 */
function triangles(random: Random, count: number, size: number): Triangle[] {
  const result: Triangle[] = [];
  while (result.length < count) {
    const corners = Array.from({ length: 3 }, (): [number, number] => [
      random.integer(size * 4 + 1) / 4,
      random.integer(size * 4 + 1) / 4,
    ]);
    if (Math.abs(edge(corners[0], corners[1], corners[2])) < 16) continue;
    if (!touchesCentre(corners, size)) result.push(corners);
  }
  return result;
}

/** Twice the signed area of the triangle a, b, p. All numbers are multiples of 1/16, so the result is exact. */
const edge = (a: readonly number[], b: readonly number[], p: readonly number[]): number =>
  (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]);

function touchesCentre(corners: Triangle, size: number): boolean {
  for (let i = 0; i < 3; i++) {
    const [a, b] = [corners[i], corners[(i + 1) % 3]];
    const [top, bottom] = [Math.min(a[1], b[1]), Math.max(a[1], b[1])];
    for (let y = Math.floor(top); y < Math.min(size, bottom + 1); y++) {
      if (a[1] === b[1]) {
        if (a[1] === y + 0.5) return true;
        continue;
      }
      const x = a[0] + ((b[0] - a[0]) * (y + 0.5 - a[1])) / (b[1] - a[1]);
      const centre = Math.round(x - 0.5) + 0.5;
      if (edge(a, b, [centre, y + 0.5]) === 0) return true;
    }
  }
  return false;
}

/**
 * Depth of triangle number i of n: different for all, exact in f32 for n up to 2¹⁶, in an order unlike that of drawing.
 */
const depthOf = (i: number, n: number): number => (((i * 37) % n) + 1) / 65536;

/** Draws overlapping triangles with a depth buffer through a render pipeline and checks every pixel. */
export async function checkRasterisation({ gpu, quick, random, read, pause }: CheckContext): Promise<string> {
  const size = quick ? 64 : 512;
  const count = quick ? 40 : 200; // no multiple of 37
  const shapes = triangles(random, count, size);
  const corners = new Float32Array(count * 12);
  shapes.forEach((shape, i) => {
    shape.forEach(([x, y], c) => {
      corners.set([(2 * x) / size - 1, 1 - (2 * y) / size, depthOf(i, count), 1], (i * 3 + c) * 4);
    });
  });

  const { device } = gpu;
  const target = (format: GPUTextureFormat, usage: number): GPUTexture =>
    device.createTexture({ size: [size, size], format, usage: usage | GPUTextureUsage.RENDER_ATTACHMENT });
  const image = target('rgba32uint', GPUTextureUsage.COPY_SRC);
  const depth = target('depth32float', 0);
  const buffer = gpu.upload(corners);
  const pixels = gpu.createBuffer(size * size * 16);
  try {
    const pipeline = gpu.cached('self-test-raster', () => {
      const module = gpu.shaderModule(new URL('./selfTestRaster.wgsl', import.meta.url), 'self-test-raster');
      return device.createRenderPipeline({
        label: 'self-test-raster',
        layout: 'auto',
        vertex: { module, entryPoint: 'corner' },
        fragment: { module, entryPoint: 'pixel', targets: [{ format: 'rgba32uint' }] },
        primitive: { topology: 'triangle-list' },
        depthStencil: { format: 'depth32float', depthCompare: 'less', depthWriteEnabled: true },
      });
    });
    gpu.run((batch) => {
      const pass = batch.renderPass('self-test-raster', {
        colorAttachments: [{ view: image.createView(), loadOp: 'clear', storeOp: 'store' }],
        depthStencilAttachment: {
          view: depth.createView(),
          depthLoadOp: 'clear',
          depthClearValue: 1,
          depthStoreOp: 'discard',
        },
      });
      pass.setPipeline(pipeline);
      pass.setBindGroup(
        0,
        device.createBindGroup({
          layout: pipeline.getBindGroupLayout(0),
          entries: [{ binding: 0, resource: { buffer } }],
        }),
      );
      pass.draw(count * 3);
      pass.end();
      batch.encoder.copyTextureToBuffer({ texture: image }, { buffer: pixels, bytesPerRow: size * 16 }, [size, size]);
    });
    const expected = await nearest(shapes, size, pause);
    const words = await read(pixels, size * size * 4);
    compare(
      expected.map((_, i) => words[i * 4]),
      expected,
      'pixels',
    );
    const depths = new Float32Array(words.buffer);
    for (let i = 0; i < expected.length; i++) {
      const wanted = expected[i] === 0 ? 0 : depthOf(expected[i] - 1, count);
      if (!(Math.abs(depths[i * 4 + 1] - wanted) <= 2 ** -20)) {
        const facts = `The depth of pixel ${i} is ${depths[i * 4 + 1]} instead of ${wanted}`;
        throw new PlinthError('GPU_SELF_TEST_FAILED', facts);
      }
    }
    return `${count} triangles in ${size} × ${size} pixels with depth`;
  } finally {
    image.destroy();
    depth.destroy();
    buffer.destroy();
    pixels.destroy();
  }
}

/** 1 + the number of the nearest triangle at each pixel centre, 0 for none. */
async function nearest(shapes: Triangle[], size: number, pause: () => Promise<void>): Promise<Uint32Array> {
  const winner = new Uint32Array(size * size);
  for (const [i, shape] of shapes.entries()) {
    if (i % 50 === 0) await pause();
    const [a, b, c] = edge(shape[0], shape[1], shape[2]) > 0 ? shape : [shape[0], shape[2], shape[1]];
    const depth = depthOf(i, shapes.length);
    const xs = shape.map((p) => p[0]);
    const ys = shape.map((p) => p[1]);
    const left = Math.floor(Math.min(...xs));
    const right = Math.min(size, Math.max(...xs));
    const sides = [
      [a, b],
      [b, c],
      [c, a],
    ].map(([from, to]) => ({ from, dx: to[0] - from[0], dy: to[1] - from[1] }));
    for (let y = Math.floor(Math.min(...ys)); y < Math.min(size, Math.max(...ys)); y++) {
      // Stepping by one pixel keeps the edge functions exact, since all are multiples of 1/16.
      let [e0, e1, e2] = sides.map(({ from, dx, dy }) => dx * (y + 0.5 - from[1]) - dy * (left + 0.5 - from[0]));
      for (let x = left; x < right; x++) {
        if (e0 > 0 && e1 > 0 && e2 > 0) {
          const before = winner[y * size + x];
          if (before === 0 || depth < depthOf(before - 1, shapes.length)) winner[y * size + x] = i + 1;
        }
        e0 -= sides[0].dy;
        e1 -= sides[1].dy;
        e2 -= sides[2].dy;
      }
    }
  }
  return winner;
}
