import { type ColorImage, linearToSrgb } from '../../../core/image.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import type { DiffCameras } from '../../../render/diff/types.js';
import type { Optimizer } from './optimizer.js';

/** What the first camera sees now, with alpha, of the size of the optimiser's frame. */
export async function livePicture(gpu: Gpu, optimizer: Optimizer, cameras: DiffCameras): Promise<ColorImage> {
  gpu.run((batch) => optimizer.recordRender(batch, cameras, [0]));
  const { antialiased, width, height } = optimizer.frame!;
  const linear = await gpu.readFloat32(antialiased, width * height * 4);
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = linear[i + 3];
    if (alpha <= 0) continue;
    for (let c = 0; c < 3; c++) data[i + c] = 255 * linearToSrgb(Math.min(1, Math.max(0, linear[i + c] / alpha)));
    data[i + 3] = 255 * alpha;
  }
  return { width, height, data };
}
