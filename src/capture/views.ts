import { basename } from 'node:path';
import sharp from 'sharp';
import { PlinthError, throwIfCancelled } from '../core/errors.js';
import type { ColorImage, FloatImage } from '../core/image.js';
import { anyOf, option, step } from '../core/remedy.js';
import { resizeLens, undistortedIntrinsics } from './cameras/lens.js';
import type { LoadOptions, ReadMasks, View, ViewDepth } from './capture.js';
import { mapLimited } from './concurrency.js';
import type { MaskImage } from './images/color.js';
import { areaDownscale, fittedSize, nearestResize, resizeMask } from './images/resample.js';
import { undistortColor, undistortDepth } from './images/undistort.js';
import { isLossyName } from './layout/names.js';
import { maskFromBackground } from './masks/background.js';
import { closeRim } from './masks/rim.js';
import type { ResolvedReadOptions } from './options.js';
import { surveyView, type ViewSurvey } from './survey.js';
import { sourceColor, sourceDepth, sourceMask, type ViewSource } from './viewSource.js';

export interface BuiltViews {
  views: View[];
  /** In the order of `views`. */
  surveys: ViewSurvey[];
}

/** Pixels that may be decoded at the same time: bounds memory to about 1 GB. */
const PIXELS_AT_ONCE = 48e6;

/**
 * Makes views from what a reader learned, and proves each by decoding it once: picture, mask and depth. So a truncated
 * file is found now and not in the middle of a run. Pixels are not kept; only a small survey of each view is.
 */
export async function buildViews(
  sources: readonly ViewSource[],
  masks: ReadMasks,
  options: ResolvedReadOptions,
): Promise<BuiltViews> {
  const largest = Math.max(...sources.map((source) => source.lens.width * source.lens.height));
  const limit = Math.min(4, Math.max(1, Math.floor(PIXELS_AT_ONCE / largest)));
  let done = 0;
  const build = async (source: ViewSource): ReturnType<typeof buildView> => {
    const view = await buildView(source, masks, options);
    options.onProgress?.(++done / sources.length, source.name);
    return view;
  };
  const built = await mapLimited(sources, limit, build, options.signal);
  return { views: built.map((b) => b.view), surveys: built.map((b) => b.survey) };
}

async function buildView(
  source: ViewSource,
  captureMasks: ReadMasks,
  options: ResolvedReadOptions,
): Promise<{ view: View; survey: ViewSurvey }> {
  const { signal } = options;
  const masks = source.masks ?? captureMasks;
  let backgroundMask: Buffer | undefined;

  /** The mask of a plain background is expensive to find: kept as a PNG of some kilobytes. */
  const maskOfBackground = async (image: ColorImage): Promise<Uint8Array> => {
    if (backgroundMask) return sharp(backgroundMask).toColourspace('b-w').raw().toBuffer();
    const { mask } = maskFromBackground(image, { compressed: isLossyName(source.image) });
    const raw = { width: image.width, height: image.height, channels: 1 as const };
    backgroundMask = await sharp(mask, { raw }).png({ compressionLevel: 3 }).toBuffer();
    return mask;
  };

  const rawDepth = source.depth && (() => sourceDepth(source, options));

  const loadColor = async ({ maxSize }: LoadOptions = {}): Promise<ColorImage> => {
    const image = await sourceColor(source, options);
    throwIfCancelled(signal);
    if (masks === 'files') {
      await applyMask(image, await sourceMask(source, options), source, 'lower');
    } else if (masks === 'alpha' && options.invertMasks) {
      for (let p = 3; p < image.data.length; p += 4) image.data[p] = 255 - image.data[p];
    } else if (masks === 'depth') {
      const depth = await rawDepth!();
      const data = depth.data as ArrayLike<number>;
      const mask = Uint8Array.from({ length: data.length }, (_, i) => (data[i] > 0 ? 255 : 0));
      await applyMask(image, { width: depth.width, height: depth.height, data: mask }, source, 'replace');
    } else if (masks === 'background') {
      const { width, height } = closeRim(image);
      await applyMask(image, { width, height, data: await maskOfBackground(image) }, source, 'replace');
    } else if (masks === 'none') {
      for (let p = 3; p < image.data.length; p += 4) image.data[p] = 255;
    }
    const straight = await undistortColor(image, source.lens);
    const size = fittedSize(straight.width, straight.height, maxSize);
    return areaDownscale(straight, size.width, size.height);
  };

  const color = await loadColor();
  const camera = { ...undistortedIntrinsics(source.lens), cameraToWorld: source.cameraToWorld };
  const view: View = { name: source.name, source: source.image, camera, split: source.split, loadColor };

  let depthImage: FloatImage | undefined;
  if (rawDepth) {
    const first = await rawDepth();
    if (!source.depth?.camera) sameShape(first, source.lens, source.depth!.file, source.image);
    const lens = resizeLens(source.lens, first.width, first.height);
    const load = async ({ maxSize }: LoadOptions = {}): Promise<FloatImage> => {
      const straight = await undistortDepth(await rawDepth(), lens);
      const size = fittedSize(straight.width, straight.height, maxSize);
      return nearestResize(straight, size.width, size.height);
    };
    depthImage = await undistortDepth(first, lens);
    const depth: ViewDepth = {
      source: source.depth!.file,
      camera: source.depth?.camera ?? { ...undistortedIntrinsics(lens), cameraToWorld: source.cameraToWorld },
      accuracy: source.depth?.accuracy ?? depthAccuracy(first.data, first.step),
      load,
    };
    view.depth = depth;
  }
  const survey = surveyView(color, depthImage);
  if (masks !== 'none') checkCoverage(survey.coverage, source, masks);
  return { view, survey };
}

/**
 * Half a step of quantisation and as much for rounding in the renderer; floats are taken to be good to 10⁻⁴ of the
 * distance.
 */
function depthAccuracy(data: Float32Array, step: number): number {
  let sum = 0;
  let count = 0;
  for (const value of data)
    if (value > 0) {
      sum += value;
      count++;
    }
  return Math.max(step, (1e-4 * sum) / Math.max(1, count));
}

/** Puts a mask into the picture's alpha: instead of it, or where it is lower. */
async function applyMask(
  image: ColorImage,
  mask: MaskImage,
  source: ViewSource,
  how: 'replace' | 'lower',
): Promise<void> {
  sameShape(mask, image, source.mask ?? source.depth?.file ?? source.image, source.image);
  const alpha = resizeMask(mask, image.width, image.height);
  for (let i = 0, p = 3; i < alpha.length; i++, p += 4) {
    image.data[p] = how === 'replace' ? alpha[i] : Math.min(alpha[i], image.data[p]);
  }
}

function sameShape(
  a: { width: number; height: number },
  b: { width: number; height: number },
  file: string,
  picture: string,
): void {
  // One pixel of rounding at the smaller size.
  const slack = Math.max(a.width / b.width, 1) / Math.min(a.width, a.height) + 0.005;
  if (Math.abs(a.width / b.width / (a.height / b.height) - 1) <= slack) return;
  throw new PlinthError('IMAGE_SIZE_MISMATCH', {
    found: `${basename(file)} is ${a.width} × ${a.height} pixels and ${basename(picture)} is ${b.width} × ${b.height}`,
    expected: 'the same shape (width : height)',
    remedy: 'Export both from the same camera',
    subject: file,
  });
}

/** A mask that marks (almost) nothing or (almost) everything cannot be meant. */
function checkCoverage(coverage: number, source: ViewSource, masks: ReadMasks): void {
  if (coverage > 2e-5 && coverage < 0.9999) return;
  const file = masks === 'files' ? source.mask! : masks === 'depth' ? source.depth!.file : source.image;
  const what = { files: 'mask', alpha: 'transparency', depth: 'depth map', background: 'background', none: '' }[masks];
  throw new PlinthError('CAPTURE_MASK_EMPTY', {
    found: `The ${what} of ${basename(file)} marks ${coverage < 0.5 ? 'no object' : 'the whole picture as object'}`,
    expected: 'a mask that separates the object from its background',
    remedy: anyOf(
      step`correct the mask`,
      step`take the view out of the capture`,
      step`choose another source of masks with ${option('masks')}`,
    ),
    subject: file,
  });
}
