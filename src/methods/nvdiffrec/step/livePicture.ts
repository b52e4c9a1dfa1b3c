import { type ColorImage, linearToSrgb } from '../../../core/image.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import type { DiffCameras } from '../../../render/diff/types.js';
import type { OptimizerLevel } from './optimizer/optimizerLevel.js';

/** What the first camera sees now, with alpha, of the level's size. */
export async function livePicture(gpu: Gpu, level: OptimizerLevel, cameras: DiffCameras): Promise<ColorImage> {
  gpu.run((batch) => level.recordRender(batch, cameras, [0]));
  const { antialiased, width, height } = level.frame;
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
