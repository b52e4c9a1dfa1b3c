import { basename } from 'node:path';
import { PlinthError } from '../../core/errors.js';
import { anyOf, option, step } from '../../core/remedy.js';
import type { Capture } from '../capture.js';
import { readImageHeader } from '../images/header.js';
import { isLossyName } from '../layout/names.js';
import type { ResolvedReadOptions } from '../options.js';
import { sourceColor, sourceDepth, type ViewSource } from '../viewSource.js';
import { maskFromBackground } from './background.js';

/** Below this confidence a picture is taken to have no plain background. */
export const BACKGROUND_CONFIDENCE = 0.5;

/**
 * Decides where a capture's masks come from: what the user says, else the first of mask files, transparency, gaps in the depth
 * maps, a plain bright or dark background; else `none`. One decision for all views, so that a picture that lost its mask is an
 * error and not a view treated in another way.
 * Throws `CAPTURE_FILE_MISSING` where only some views have a mask file, and where the asked-for source is not there.
 */
export async function chooseMaskSource(
  sources: readonly ViewSource[],
  options: ResolvedReadOptions,
): Promise<Capture['masks']> {
  const withFile = sources.filter((source) => source.mask !== undefined);
  const wanted = options.masks;
  if (wanted === 'none' || wanted === 'background' || wanted === 'alpha') return wanted;
  if (wanted === 'files' || (wanted === 'auto' && withFile.length > 0)) {
    const without = sources.find((source) => source.mask === undefined);
    if (!without) return 'files';
    throw new PlinthError('CAPTURE_FILE_MISSING', {
      found: `${withFile.length} of ${sources.length} pictures have a mask file; ${basename(without.image)} has none`,
      expected: 'a file of the same name in masks/, or a mask_path, for every picture',
      remedy: anyOf(step`add the missing masks`, step`choose another source of masks with ${option('masks')}`),
      subject: without.image,
    });
  }
  const withDepth = sources.every((source) => source.depth !== undefined);
  if (wanted === 'depth') {
    if (withDepth) return 'depth';
    throw new PlinthError('CAPTURE_FILE_MISSING', {
      found: 'Masks were asked to come from depth, but not every picture has a depth map',
      expected: 'a depth map for every picture',
      remedy: anyOf(step`add the depth maps`, step`choose another source of masks with ${option('masks')}`),
    });
  }
  if (await anyTransparent(sources, options)) return 'alpha';
  if (withDepth && (await hasGaps(sources[0], options))) return 'depth';
  return (await plainBackground(sources, options)) ? 'background' : 'none';
}

/** Up to `count` of the items, spread evenly. */
const spread = <T>(items: readonly T[], count: number): T[] =>
  items.filter((_, i) => Math.floor((i * count) / items.length) !== Math.floor(((i - 1) * count) / items.length));

async function anyTransparent(sources: readonly ViewSource[], options: ResolvedReadOptions): Promise<boolean> {
  const candidates: ViewSource[] = [];
  for (const source of sources) {
    const alpha = source.memory?.color || (await readImageHeader(source.image, options.maxPixels)).hasAlpha;
    if (alpha) candidates.push(source);
  }
  for (const source of spread(candidates, 3)) {
    const { data } = await sourceColor(source, options);
    for (let p = 3; p < data.length; p += 4) if (data[p] < 128) return true;
  }
  return false;
}

async function hasGaps(source: ViewSource, options: ResolvedReadOptions): Promise<boolean> {
  if (!source.depth) return false;
  const { data } = await sourceDepth(source, options);
  let none = 0;
  for (const value of data) if (value === 0) none++;
  return none > 0.02 * data.length;
}

async function plainBackground(sources: readonly ViewSource[], options: ResolvedReadOptions): Promise<boolean> {
  for (const source of spread(sources, 4)) {
    const image = await sourceColor(source, options);
    if (maskFromBackground(image, { compressed: isLossyName(source.image) }).confidence < BACKGROUND_CONFIDENCE)
      return false;
  }
  return true;
}
