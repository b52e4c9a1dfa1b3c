/** Scores under a light that no method sees: the capture's `relit/` pictures with their `light.exr`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EXRLoader } from 'three/examples/jsm/loaders/EXRLoader.js';
import { readCapture } from '../src/capture/readCapture.js';
import type { Asset } from '../src/core/asset.js';
import type { Camera } from '../src/core/camera.js';
import { type ColorImage, type HdrImage, linearToSrgb, srgbToLinear } from '../src/core/image.js';
import type { Gpu } from '../src/gpu/runtime/gpu.js';
import { AssetRenderer } from '../src/render/forward/assetRenderer.js';

/** three.js’s name for 32-bit floats. */
const FLOAT_TYPE = 1015;

/**
 * An equirectangular EXR as Blender takes it, in the convention of `Asset.environment`. Blender's column is
 * u = ½ − atan2(y, x) / 2π, and its +Y is our −Z: our column is three quarters of a turn behind.
 */
export async function readBlenderLight(path: string): Promise<HdrImage> {
  const bytes = await readFile(path);
  const loader = new EXRLoader();
  loader.setDataType(FLOAT_TYPE);
  const parsed = loader.parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
  const { width, height, data } = parsed as { width: number; height: number; data: Float32Array };
  const channels = data.length / (width * height);
  const out = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // The loader's rows run from the bottom up.
      const from = ((height - 1 - y) * width + ((x + (width * 3) / 4) % width)) * channels;
      for (let c = 0; c < 3; c++) out[(y * width + x) * 3 + c] = data[from + c];
    }
  }
  return { width, height, data: out };
}

export interface RelitScore {
  /** Mean whole-frame PSNR on white, exposure as it is. */
  absolute: number;
  /**
   * The same with one factor per channel on linear colour, found by least squares over all views: light and albedo are
   * known up to such a factor only (Kuang et al. 2023, Stanford-ORB).
   */
  aligned: number;
  factors: number[];
  /** Renders as they are, and the pictures. */
  renders: ColorImage[];
  pictures: ColorImage[];
}

/** Renders the asset under the light of `folder` (a capture's `relit/`) and compares. */
export async function scoreRelit(gpu: Gpu, asset: Asset, folder: string, light?: HdrImage): Promise<RelitScore> {
  const environment = light ?? (await readBlenderLight(join(folder, 'light.exr')));
  const capture = await readCapture(join(folder, 'transforms.json'));
  const renderer = await AssetRenderer.create(gpu, asset);
  try {
    const renders: ColorImage[] = [];
    const pictures: ColorImage[] = [];
    for (const view of capture.views) {
      pictures.push(await view.loadColor());
      renders.push((await renderer.render(view.camera as Camera, { environment, supersample: 2 })).color);
    }
    const factors = channelFactors(renders, pictures);
    return {
      absolute: mean(renders.map((r, i) => psnr(r, pictures[i], [1, 1, 1]))),
      aligned: mean(renders.map((r, i) => psnr(r, pictures[i], factors))),
      factors,
      renders,
      pictures,
    };
  } finally {
    renderer.dispose();
    await capture.dispose();
  }
}

const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;

function channelFactors(renders: readonly ColorImage[], pictures: readonly ColorImage[]): number[] {
  return [0, 1, 2].map((c) => {
    let products = 0;
    let squares = 0;
    renders.forEach(({ data }, n) => {
      const truth = pictures[n].data;
      for (let i = 0; i < data.length; i += 4) {
        // Saturated values say nothing about a factor.
        if (data[i + 3] < 250 || truth[i + 3] < 250 || truth[i + c] > 250 || data[i + c] > 250) continue;
        const a = srgbToLinear(data[i + c] / 255);
        products += a * srgbToLinear(truth[i + c] / 255);
        squares += a * a;
      }
    });
    return squares > 0 ? products / squares : 1;
  });
}

function psnr(render: ColorImage, truth: ColorImage, factors: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < render.data.length; i += 4) {
    const [a, b] = [render.data[i + 3] / 255, truth.data[i + 3] / 255];
    for (let c = 0; c < 3; c++) {
      const shown = linearToSrgb(Math.min(1, srgbToLinear(render.data[i + c] / 255) * factors[c]));
      sum += (shown * a + 1 - a - ((truth.data[i + c] / 255) * b + 1 - b)) ** 2;
    }
  }
  return -10 * Math.log10(sum / ((render.data.length / 4) * 3));
}
