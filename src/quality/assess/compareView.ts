import { borderShare } from '../../capture/masks/polarity.js';
import { type ColorImage, srgbToLinear } from '../../core/image.js';
import { pause } from '../../core/pause.js';
import { errorImage } from '../metrics/errorImage.js';
import { explainedVariation } from '../metrics/likeness.js';
import { maskAgreement } from '../metrics/maskIou.js';
import { alphaMask, compositeOnWhite, cutImage, type ImagePlanes, occupiedCut } from '../metrics/planes.js';
import { psnr } from '../metrics/psnr.js';
import { SSIM_MARGIN, type SsimResult, type SsimSums, ssimChannel, ssimOfSums } from '../metrics/ssim.js';
import { strayColour } from '../metrics/strayColour.js';
import type { ViewQuality } from '../schema.js';

export type PictureMeasures = Pick<ViewQuality, 'psnr' | 'ssim' | 'inMask' | 'mask' | 'colour'>;

/** A picture and the render that is held against it; both of one size. */
export interface ViewPair {
  picture: ColorImage;
  render: ColorImage;
  /** False where the picture's alpha says nothing about the object. */
  hasMasks: boolean;
  /** Whether a map of the errors is wanted. */
  errorMap: boolean;
}

export interface ViewComparison {
  measures: PictureMeasures;
  /** As `errorImage` makes it, where it was wanted. */
  error?: ColorImage;
}

/**
 * Holds a render against the picture of the same camera and size. Both are composited on white. "In the mask" is where
 * the picture's alpha is over 0.5. Without masks it is where the render's is, and both are cut out by the render's alpha
 * first, so that the windows of SSIM do not see background that no asset can show. Lets other work run between channels.
 *
 * Work goes with what the object covers: where both are clear both are white, which adds nothing to any sum.
 */
export async function compareView({ picture, render, hasMasks, errorMap }: ViewPair): Promise<ViewComparison> {
  const { width, height } = picture;
  const inPicture = alphaMask(picture);
  const agreement = hasMasks
    ? { ...maskAgreement(inPicture, alphaMask(render), width), border: borderShare(inPicture, width, height) }
    : null;

  const cut = occupiedCut(picture, render, SSIM_MARGIN);
  const [p, r] = [cutImage(picture, cut), cutImage(render, cut)];
  const onWhite = (image: ColorImage): ImagePlanes => ({ ...compositeOnWhite(image), frame: { width, height } });
  const [a, b] = [onWhite(p), onWhite(r)];
  const region = alphaMask(hasMasks ? p : r);
  const whole = await similarity(a, b, region);
  const cutOut = hasMasks ? a : onWhite(withAlphaOf(r, p));
  const psnrInMask = psnr(cutOut, b, region);
  const ssimInMask = hasMasks ? whole.masked : (await similarity(cutOut, b, region)).masked;
  const measures: PictureMeasures = {
    psnr: psnr(a, b)!,
    ssim: whole.mean,
    inMask: psnrInMask === null ? null : { psnr: psnrInMask, ssim: ssimInMask, pixels: count(region) },
    mask: agreement,
    colour: compareColour(a, b, opaqueInBoth(p, r)),
  };
  return { measures, ...(errorMap && { error: errorImage(a, b, cut) }) };
}

function count(mask: Uint8Array): number {
  let n = 0;
  for (let i = 0; i < mask.length; i++) n += mask[i];
  return n;
}

async function similarity(a: ImagePlanes, b: ImagePlanes, region: Uint8Array): Promise<SsimResult> {
  const channels: SsimSums[] = [];
  for (let channel = 0; channel < a.planes.length; channel++) {
    channels.push(ssimChannel(a, b, channel, region));
    await pause();
  }
  return ssimOfSums(channels);
}

function withAlphaOf(source: ColorImage, image: ColorImage): ColorImage {
  const data = Uint8Array.from(image.data);
  for (let i = 3; i < data.length; i += 4) data[i] = source.data[i];
  return { ...image, data };
}

const BRIGHT = 0.8;
const DARKER = 0.15;
const LINEAR = Float32Array.from({ length: 1024 }, (_, i) => srgbToLinear(i / 1023));
const linear = (v: number): number => LINEAR[Math.round(v * 1023)];

/** sRGB-encoded luminance where `inside` is not 0. */
function luminance({ planes: [r, g, b] }: ImagePlanes, inside: Uint8Array): Float32Array {
  const out = new Float32Array(r.length);
  for (let i = 0; i < out.length; i++) if (inside[i] !== 0) out[i] = 0.2126 * r[i] + 0.7152 * g[i] + 0.0722 * b[i];
  return out;
}

const MEDIAN_SAMPLES = 65536;

/**
 * Median ratio of linear luminance over evenly spread pixels of `both`: highlights that move with the camera do not
 * count.
 */
function medianGain(a: ImagePlanes, b: ImagePlanes, both: Uint8Array, n: number): number {
  const step = Math.max(1, Math.ceil(n / MEDIAN_SAMPLES));
  const ratios: number[] = [];
  const light = ([r, g, b]: Float32Array[], i: number) =>
    0.2126 * linear(r[i]) + 0.7152 * linear(g[i]) + 0.0722 * linear(b[i]);
  for (let i = 0, k = 0; i < both.length; i++) {
    if (both[i] === 0 || k++ % step !== 0) continue;
    // A thousandth of full light keeps black pixels from making ratios without meaning.
    ratios.push((light(a.planes, i) + 1e-3) / (light(b.planes, i) + 1e-3));
  }
  return Float64Array.from(ratios).sort()[ratios.length >> 1];
}

/** Pixels of the outline hold white of the background, which would count as brightness, so they are left out. */
function opaqueInBoth(a: ColorImage, b: ColorImage): Uint8Array {
  const both = new Uint8Array(a.width * a.height);
  for (let i = 0; i < both.length; i++) both[i] = a.data[i * 4 + 3] > 250 && b.data[i * 4 + 3] > 250 ? 1 : 0;
  return both;
}

/** Brightness, sharpness and highlights where `both` is 1. Luminance with the weights of Rec. 709. */
function compareColour(a: ImagePlanes, b: ImagePlanes, both: Uint8Array): PictureMeasures['colour'] {
  const ya = luminance(a, both);
  const yb = luminance(b, both);
  let n = 0;
  let lost = 0;
  let baked = 0;
  let stepsA = 0;
  let stepsB = 0;
  const { width } = a;
  for (let i = 0; i < both.length; i++) {
    if (both[i] === 0) continue;
    n++;
    if (ya[i] > BRIGHT && yb[i] < ya[i] - DARKER) lost++;
    else if (yb[i] > BRIGHT && ya[i] < yb[i] - DARKER) baked++;
    // Steps within the object only: its outline is sharp in any render.
    if (!(both[i - 2] && both[i + 2] && both[i - 2 * width] && both[i + 2 * width])) continue;
    stepsA += (ya[i + 1] - ya[i - 1]) ** 2 + (ya[i + width] - ya[i - width]) ** 2;
    stepsB += (yb[i + 1] - yb[i - 1]) ** 2 + (yb[i + width] - yb[i - width]) ** 2;
  }
  if (n === 0) return null;
  // A thousandth of brightness per step keeps plain objects from making ratios without meaning.
  const plain = n * 1e-6;
  return {
    gain: medianGain(a, b, both, n),
    sharpness: Math.sqrt((stepsB + plain) / (stepsA + plain)),
    lostHighlights: lost / n,
    bakedHighlights: baked / n,
    explained: explainedVariation(a, b, both),
    stray: strayColour(a, b, both),
  };
}
