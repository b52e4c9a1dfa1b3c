import { basename } from 'node:path';
import sharp from 'sharp';
import { PlinthError } from '../../core/errors.js';
import type { ColorImage } from '../../core/image.js';
import { pause } from '../../core/pause.js';
import { anyOf, option, step } from '../../core/remedy.js';
import type { LoadOptions } from '../capture.js';
import { decodeColor, decodeMask } from '../images/color.js';
import { areaDownscale, fittedSize, resizeMask } from '../images/resample.js';
import { isLossyName } from '../layout/names.js';
import type { SixViewFile } from '../layout/sixViews.js';
import { BackgroundMasker } from '../masks/background.js';
import { applySoftMask } from '../masks/cleanEdge.js';
import { threshold } from '../masks/morphology.js';
import { turnRound } from '../masks/turnRound.js';
import type { ResolvedReadOptions } from '../options.js';
import { surveyView, type ViewSurvey } from '../survey.js';
import { alignColor, type ColorAlignment, type Region, warpToColor } from './alignColor.js';
import { makeViewGrid, type ViewGrid } from './rig/viewGrid.js';
import { normalisedDepth, readSixDepth, type SixDepth } from './sixDepth.js';

/** Where a view's mask came from. */
export type MaskOrigin = 'alpha' | 'files' | 'depth' | 'background';

export interface PreparedView {
  file: SixViewFile;
  width: number;
  height: number;
  grid: ViewGrid;
  alignment?: ColorAlignment;
  depth?: Pick<SixDepth, 'full' | 'quantised' | 'least' | 'most' | 'specks' | 'flying'> & {
    width: number;
    height: number;
  };
  masks: MaskOrigin;
  survey: ViewSurvey;
  loadColor(options?: LoadOptions): Promise<ColorImage>;
}

/** Cells of the longer side of the grids in which views are compared. */
const GRID = 256;
/** Difference of a channel, of 255, up to which two pixels have the same colour. */
const BLANK = 3;
/** Confidence below which a picture has no plain background. */
const PLAIN = 0.5;

/** Decodes a view, finds its mask and its alignment with its depth map, and keeps what is small. */
export async function prepareView(file: SixViewFile, options: ResolvedReadOptions): Promise<PreparedView> {
  const { maxPixels, signal } = options;
  const image = await decodeColor(file.color, { maxPixels });
  await pause(signal);
  const depth = file.depth === undefined ? undefined : await readSixDepth(file.depth, maxPixels);
  await pause(signal);
  if (depth) sameShape(file, image, depth.values);
  const depthRegion = depth && { inside: depth.inside, width: depth.values.width, height: depth.values.height };
  const found = await findMask(file, image, depthRegion, options);
  const { mask, origin, alignment } = found;
  checkCoverage(mask, file, origin);
  await pause(signal);
  const packed = await sharp(mask, { raw: { width: image.width, height: image.height, channels: 1 } })
    .png({ compressionLevel: 3 })
    .toBuffer();
  const grid = depthRegion
    ? makeViewGrid(file.name, { ...depthRegion, data: depthRegion.inside }, normalisedDepth(depth), GRID)
    : makeViewGrid(
        file.name,
        { width: image.width, height: image.height, data: Float32Array.from(mask, (v) => v / 255) },
        undefined,
        GRID,
      );
  await pause(signal);
  applySoftMask(image, mask);
  await pause(signal);
  if (depth) grid.color = colorAtCells(image, grid, alignment);
  return {
    file,
    width: image.width,
    height: image.height,
    grid,
    alignment,
    depth: depth && {
      full: depth.full,
      quantised: depth.quantised,
      least: depth.least,
      most: depth.most,
      specks: depth.specks,
      flying: depth.flying,
      width: depth.values.width,
      height: depth.values.height,
    },
    masks: origin,
    survey: surveyView(image),
    loadColor: async ({ maxSize }: LoadOptions = {}) => {
      const color = await decodeColor(file.color, { maxPixels });
      applySoftMask(color, await sharp(packed).toColourspace('b-w').raw().toBuffer());
      const size = fittedSize(color.width, color.height, maxSize);
      return areaDownscale(color, size.width, size.height);
    },
  };
}

/** The picture's colours where the depth map's cells are: means of about a cell. */
function colorAtCells(image: ColorImage, grid: ViewGrid, alignment: ColorAlignment | undefined): Float32Array {
  const { scale, shiftX, shiftY } = alignment ?? { scale: 1, shiftX: 0, shiftY: 0 };
  const out = new Float32Array(grid.width * grid.height * 3);
  const reach = Math.max(0, Math.floor(image.width / grid.width / 2 - 0.5));
  const taps = reach > 0 ? [-reach, 0, reach] : [0];
  for (let c = 0; c < grid.inside.length; c++) {
    if (!grid.inside[c]) continue;
    const cx = c % grid.width;
    const x = ((cx + 0.5) / grid.width - 0.5) * scale + shiftX;
    const y = (((c - cx) / grid.width + 0.5 - grid.height / 2) / grid.width) * scale + shiftY;
    for (const dy of taps)
      for (const dx of taps) {
        const u = Math.max(0, Math.min(image.width - 1, Math.floor((x + 0.5) * image.width) + dx));
        const v = Math.max(0, Math.min(image.height - 1, Math.floor(y * image.width + image.height / 2) + dy));
        const o = (v * image.width + u) * 4;
        for (let k = 0; k < 3; k++) out[c * 3 + k] += image.data[o + k] / (255 * taps.length ** 2);
      }
  }
  return out;
}

interface FoundMask {
  mask: Uint8Array;
  origin: MaskOrigin;
  alignment?: ColorAlignment;
}

/** In the order files, transparency, plain background together with depth, depth alone; or what the options ask for. */
async function findMask(
  file: SixViewFile,
  image: ColorImage,
  depth: Region | undefined,
  options: ResolvedReadOptions,
): Promise<FoundMask> {
  const wanted = options.masks;
  const given = await givenMask(file, image, options);
  if (given) {
    const region = {
      inside: threshold(given.mask, 128),
      width: image.width,
      height: image.height,
    };
    return { ...given, alignment: depth && alignColor(region, depth) };
  }
  if (wanted !== 'depth') {
    checkNotBlank(image, file);
    const masker = new BackgroundMasker(image, isLossyName(file.color));
    await pause(options.signal);
    const rough = depth && masker.region();
    await pause(options.signal);
    const alignment = depth && rough && alignColor(rough, depth);
    await pause(options.signal);
    const size = fittedSize(image.width, image.height, 1024);
    const prior = depth && alignment && warpToColor(depth, alignment, size.width, size.height);
    const { mask, confidence } = masker.mask({ prior });
    if (confidence >= PLAIN || wanted === 'background') return { mask, origin: 'background', alignment };
  }
  if (!depth) {
    throw new PlinthError('CAPTURE_MASK_EMPTY', {
      found: `${basename(file.color)} has no transparency and its background is not plain`,
      expected: 'a plain bright or dark background, transparency, depth_renders/ or masks/',
      remedy: 'Cut the object out, or add a folder masks/ with a picture per view (white = object)',
      subject: file.color,
    });
  }
  const region = warpToColor(
    depth,
    { scale: 1, shiftX: 0, shiftY: 0, residual: 0, support: 0 },
    depth.width,
    depth.height,
  );
  const spread = { width: depth.width, height: depth.height, data: region.inside.map((v) => v * 255) };
  return { mask: resizeMask(spread, image.width, image.height), origin: 'depth' };
}

async function givenMask(
  file: SixViewFile,
  image: ColorImage,
  options: ResolvedReadOptions,
): Promise<{ mask: Uint8Array; origin: MaskOrigin } | undefined> {
  const wanted = options.masks;
  if (file.mask !== undefined && (wanted === 'auto' || wanted === 'files')) {
    const mask = await decodeMask(file.mask, { maxPixels: options.maxPixels });
    const fitting = Uint8Array.from(resizeMask(mask, image.width, image.height));
    return { mask: options.invertMasks ? turnRound(fitting) : fitting, origin: 'files' };
  }
  if (wanted === 'files') {
    throw new PlinthError('CAPTURE_FILE_MISSING', {
      found: `There is no mask file for the view ${file.name}`,
      expected: `masks/${file.name}.png`,
      remedy: anyOf(step`add the masks`, step`choose another source of masks with ${option('masks')}`),
      subject: file.color,
    });
  }
  if (wanted !== 'auto' && wanted !== 'alpha') return undefined;
  let clear = 0;
  for (let p = 3; p < image.data.length; p += 4) if (image.data[p] < 128) clear++;
  if (clear < 0.001 * image.width * image.height && wanted === 'auto') return undefined;
  const mask = new Uint8Array(image.width * image.height);
  for (let i = 0; i < mask.length; i++) mask[i] = image.data[i * 4 + 3];
  return { mask: options.invertMasks ? turnRound(mask) : mask, origin: 'alpha' };
}

function sameShape(
  file: SixViewFile,
  a: { width: number; height: number },
  b: { width: number; height: number },
): void {
  if (Math.abs(a.width / b.width / (a.height / b.height) - 1) < 0.01) return;
  throw new PlinthError('IMAGE_SIZE_MISMATCH', {
    found:
      `${basename(file.depth ?? '')} of the view ${file.name} is ${b.width} × ${b.height} pixels, its picture ` +
      `${a.width} × ${a.height}`,
    expected: 'the same shape (width : height)',
    remedy: 'Export both from the same camera',
    subject: file.depth,
  });
}

/** A picture of one colour shows no object, whatever its depth map says. */
function checkNotBlank({ data }: ColorImage, file: SixViewFile): void {
  for (let p = 4; p < data.length; p += 4) {
    for (let k = 0; k < 3; k++) if (Math.abs(data[p + k] - data[k]) > BLANK) return;
  }
  throw new PlinthError('CAPTURE_MASK_EMPTY', {
    found: `${basename(file.color)} is blank: all of it has one colour`,
    expected: 'a picture of the object',
    remedy: 'Export the picture again',
    subject: file.color,
  });
}

function checkCoverage(mask: Uint8Array, file: SixViewFile, origin: MaskOrigin): void {
  let inside = 0;
  for (const v of mask) if (v > 127) inside++;
  const share = inside / mask.length;
  if (share > 2e-4 && share < 0.995) return;
  throw new PlinthError('CAPTURE_MASK_EMPTY', {
    found:
      `The ${origin === 'files' ? 'mask' : origin} of ${basename(file.color)} marks ` +
      `${share < 0.5 ? 'no object' : 'the whole picture as object'}`,
    expected: 'an object in front of a background that can be told from it',
    remedy: 'Use a plain white or black background or transparency, or add a folder masks/',
    subject: file.color,
  });
}
