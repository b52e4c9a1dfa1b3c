import { basename } from 'node:path';
import type { Warning } from '../../core/context.js';
import { PlinthError } from '../../core/errors.js';
import { anyOf, option, step } from '../../core/remedy.js';
import type { LeftOutPart, ReadMasks } from '../capture.js';
import { readImageHeader } from '../images/header.js';
import { isLossyName } from '../layout/names.js';
import type { ResolvedReadOptions } from '../options.js';
import { sourceColor, sourceDepth, type ViewSource } from '../viewSource.js';
import { maskFromBackground } from './background.js';
import { closeRim, hasOutline } from './rim.js';

/** Below this confidence a picture is taken to have no plain background. */
export const BACKGROUND_CONFIDENCE = 0.5;

export interface ChosenMasks {
  masks: ReadMasks;
  /** The views to make, each with where its own mask comes from where that is not `masks`. */
  sources: ViewSource[];
  /** Views that were left out for want of a mask. */
  leftOut: LeftOutPart[];
}

/**
 * Decides where a capture's masks come from: what the user says, else the first of mask files, transparency, gaps in
 * the depth maps, a plain bright or dark background; else `none`. One decision for all views, but for those without a
 * mask file where others have one: theirs come from what would come next, and views for which nothing does are left out
 * with a count.
 *
 * Throws `CAPTURE_FILE_MISSING` where the asked-for source is not there.
 */
export async function chooseMaskSource(
  sources: readonly ViewSource[],
  options: ResolvedReadOptions,
  warnings: Warning[],
): Promise<ChosenMasks> {
  const all = (masks: ReadMasks): ChosenMasks => ({ masks, sources: [...sources], leftOut: [] });
  const withFile = sources.filter((source) => source.mask !== undefined);
  const wanted = options.masks;
  if (wanted === 'none' || wanted === 'background' || wanted === 'alpha') return all(wanted);
  if (wanted === 'files' || (wanted === 'auto' && withFile.length > 0)) {
    if (withFile.length === sources.length) return all('files');
    if (withFile.length > 0) return someFiles(sources, options, warnings);
    throw new PlinthError('CAPTURE_FILE_MISSING', {
      found: `0 of ${sources.length} pictures have a mask file; ${basename(sources[0].image)} has none`,
      expected: 'a file of the same name in masks/, or a mask_path, for every picture',
      remedy: anyOf(step`add the missing masks`, step`choose another source of masks with ${option('masks')}`),
      subject: sources[0].image,
    });
  }
  if (wanted === 'depth') {
    if (sources.every((source) => source.depth !== undefined)) return all('depth');
    throw new PlinthError('CAPTURE_FILE_MISSING', {
      found: 'Masks were asked to come from depth, but not every picture has a depth map',
      expected: 'a depth map for every picture',
      remedy: anyOf(step`add the depth maps`, step`choose another source of masks with ${option('masks')}`),
    });
  }
  return all(await withoutFiles(sources, options));
}

/** Where masks come from without files. */
async function withoutFiles(
  sources: readonly ViewSource[],
  options: ResolvedReadOptions,
): Promise<Exclude<ReadMasks, 'files'>> {
  if (await anyTransparent(sources, options)) return 'alpha';
  const withDepth = sources.every((source) => source.depth !== undefined);
  if (withDepth && (await hasGaps(sources[0], options))) return 'depth';
  return (await plainBackground(sources, options)) ? 'background' : 'none';
}

/** Fewest views with a mask of their own that are worth leaving all others out. */
const FEWEST_MASKED = 3;

async function someFiles(
  sources: readonly ViewSource[],
  options: ResolvedReadOptions,
  warnings: Warning[],
): Promise<ChosenMasks> {
  const without = sources.filter((source) => source.mask === undefined);
  const withFile = sources.length - without.length;
  const names = without.slice(0, 3).map(({ image }) => basename(image));
  const list = names.join(', ') + (without.length > 3 ? ', …' : '');
  const warn = (what: string): void => {
    warnings.push({
      code: 'CAPTURE_MASKS_PARTIAL',
      message: `${withFile} of ${sources.length} pictures have a mask file; ${what}: ${list}.`,
      subject: without[0].image,
      remedy: 'Add the missing masks.',
    });
  };
  const other = await withoutFiles(without, options);
  if (other !== 'none') {
    const from = { alpha: 'transparency', depth: 'gaps in their depth maps', background: 'a plain background' }[other];
    warn(`the masks of the others come from ${from}`);
    return {
      masks: 'files',
      sources: sources.map((source) => (source.mask === undefined ? { ...source, masks: other } : source)),
      leftOut: [],
    };
  }
  if (withFile >= FEWEST_MASKED) {
    warn('the others show no plain background and were left out');
    return {
      masks: 'files',
      sources: sources.filter((source) => source.mask !== undefined),
      leftOut: without.map(({ image, cameraToWorld }) => ({
        kind: 'picture',
        name: basename(image),
        reason: 'no-mask',
        file: image,
        cameraToWorld,
      })),
    };
  }
  warn('too few to go by, so masks were not used; none are known for the others');
  return { masks: 'none', sources: [...sources], leftOut: [] };
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
    const image = await sourceColor(source, options);
    if (hasOutline(image)) return true;
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
    const image = closeRim(await sourceColor(source, options));
    if (maskFromBackground(image, { compressed: isLossyName(source.image) }).confidence < BACKGROUND_CONFIDENCE)
      return false;
  }
  return true;
}
