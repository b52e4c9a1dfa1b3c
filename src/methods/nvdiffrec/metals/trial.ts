import type { Capture } from '../../../capture/capture.js';
import type { MethodContext } from '../../method.js';
import { trainingViews } from '../../shared/trainingViews.js';
import type { NvdiffrecOptions } from '../options.js';
import { TEXEL_FLOATS } from '../start/spreadTexels.js';
import type { Start } from '../start/start.js';
import { optimize } from '../step/optimize.js';
import { Optimizer } from '../step/optimizer/optimizer.js';
import { loadWindows, WINDOW_MULTIPLE } from '../step/windows.js';

/** Pictures of a trial, on the longer side. */
const TRIAL_SIZE = 128;
/** Texture of a trial, in texels. */
const TRIAL_TEXTURE = 256;
/** Face of the light's cube map in a trial, in texels. */
const TRIAL_LIGHT = 16;
/** Reports at the end of a trial whose loss counts; there is one every ten steps. */
const LAST_REPORTS = 2;

/** A small optimisation that is run again and again from states that it is given. */
export interface Trial {
  optimizer: Optimizer;
  /** Options that it was made with; `lossAfter` takes changed ones. */
  options: NvdiffrecOptions;
  /** The texture is smaller than that of the start by this factor. */
  factor: number;
  /**
   * Runs so many steps, always with the same pictures in the same order.
   * @param report share of these steps that is done
   * @returns mean loss of the last reports
   */
  lossAfter(iterations: number, options: NvdiffrecOptions, report: (fraction: number) => void): Promise<number>;
  dispose(): void;
}

/** Brings pictures and start onto the device, both small. Surface and cameras stand still. */
export async function createTrial(
  capture: Capture,
  start: Start,
  given: NvdiffrecOptions,
  seed: number,
  context: MethodContext,
): Promise<Trial> {
  const windows = await loadWindows(
    trainingViews(capture),
    { maxSize: Math.min(TRIAL_SIZE, given.imageSize), multiple: WINDOW_MULTIPLE },
    { signal: context.signal },
  );
  const options: NvdiffrecOptions = {
    ...given,
    textureSize: Math.min(TRIAL_TEXTURE, given.textureSize) as NvdiffrecOptions['textureSize'],
    lightSize: TRIAL_LIGHT,
    geometry: false,
    refineCameras: false,
    glossRate: Math.max(given.glossRate, 0.03),
  };
  const factor = given.textureSize / options.textureSize;
  const small = { ...start, texels: shrunk(start.texels, given.textureSize, factor) };
  const optimizer = await Optimizer.create(context.gpu, small, options);
  return {
    optimizer,
    options,
    factor,
    async lossAfter(iterations, changed, report) {
      const { loss } = await optimize(
        optimizer,
        windows,
        { ...changed, iterations },
        seed,
        { iteration: 0, curves: { loss: [], psnr: [] } },
        { context: { ...context, showPreview: undefined, stopping: undefined }, report },
      );
      return loss.slice(-LAST_REPORTS).reduce((sum, [, v]) => sum + v / LAST_REPORTS, 0);
    },
    dispose: () => optimizer.dispose(),
  };
}

/** Texels of a texture a few times smaller on either side, each the mean of those it stands for. */
function shrunk(texels: Float32Array, size: number, factor: number): Float32Array {
  const small = size / factor;
  const out = new Float32Array(small * small * TEXEL_FLOATS);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const to = (Math.floor(y / factor) * small + Math.floor(x / factor)) * TEXEL_FLOATS;
      const from = (y * size + x) * TEXEL_FLOATS;
      for (let c = 0; c < TEXEL_FLOATS; c++) out[to + c] += texels[from + c] / (factor * factor);
    }
  }
  return out;
}
