import type { Bounds } from '../core/bounds.js';
import type { Warning } from '../core/context.js';
import { PlinthError } from '../core/errors.js';
import { anyOf, option, step } from '../core/remedy.js';
import { findBounds } from './bounds/findBounds.js';
import type { Capture } from './capture.js';
import type { ReadSources } from './formats/sources.js';
import { aboutLocalOrigin } from './localOrigin.js';
import { chooseMaskSource } from './masks/chooseSource.js';
import { borderShare, INVERTED_VIEWS, looksInverted } from './masks/polarity.js';
import { demandGivenMasks } from './masks/turnRound.js';
import type { ResolvedReadOptions } from './options.js';
import type { ViewSurvey } from './survey.js';
import { buildViews } from './views.js';

/** The bounds of what nobody knows the size of. */
const UNIT = { min: [-0.5, -0.5, -0.5], max: [0.5, 0.5, 0.5] } satisfies Bounds;

/** Makes a capture of posed pictures: masks, pixels, bounds. Errors as for `readCapture`. */
export async function finishCapture(
  read: ReadSources,
  source: string,
  options: ResolvedReadOptions,
): Promise<Omit<Capture, 'name' | 'source' | 'dispose'>> {
  const { format, estimated } = read;
  const warnings = [...read.warnings];
  const chosen = await chooseMaskSource(read.sources, options, warnings);
  const { sources, inputToWorld, points, leftOut } = aboutLocalOrigin(
    { ...read, sources: chosen.sources, leftOut: [...(read.leftOut ?? []), ...chosen.leftOut] },
    warnings,
  );
  const training = sources.filter((view) => view.split === 'train');
  const { cameras } = read;
  if (training.length < (cameras === 'none' ? 1 : 2)) {
    throw new PlinthError('CAPTURE_VIEWS_MISSING', {
      found: `The capture has ${training.length} picture${training.length === 1 ? '' : 's'} to reconstruct from`,
      expected: 'at least two, and twenty or more for a good result',
      remedy: 'Add pictures from other sides',
      subject: source,
    });
  }
  const { masks } = chosen;
  demandGivenMasks(masks, options.invertMasks);
  const { views, surveys } = await buildViews(sources, masks, options);
  const { signal } = options;
  const found =
    cameras === 'none'
      ? { bounds: UNIT, warnings: [] }
      : await findBounds({ views, surveys, hasMasks: masks !== 'none', points, signal });
  // The likely cause of what is said after it.
  if (masks !== 'none') warnings.push(...invertedMasks(surveys));
  warnings.push(...found.warnings);
  if (masks === 'none') {
    warnings.push({
      code: 'CAPTURE_NO_MASKS',
      message: 'No masks were found: the pictures are opaque and their background is not plain.',
      remedy: 'Give pictures with transparency, or a masks folder with one picture per view (white = object).',
    });
  }
  const { bounds } = found;
  return {
    format,
    views,
    ...(cameras && { cameras }),
    bounds,
    inputToWorld,
    scaleKnown: read.scaleKnown ?? true,
    masks,
    points: points && { positions: points, seen: read.seen },
    estimated,
    warnings,
    leftOut,
  };
}

/**
 * A warning where the masks of most views mark the border of the frame and leave out its middle: told before the long
 * work begins.
 */
function invertedMasks(surveys: readonly ViewSurvey[]): Warning[] {
  const inverted = surveys.filter((s) => looksInverted(borderShare(s.mask, s.width, s.height), s.coverage));
  if (inverted.length < INVERTED_VIEWS * surveys.length) return [];
  return [
    {
      code: 'CAPTURE_MASKS_INVERTED',
      message:
        `The masks look the wrong way round: in ${inverted.length} of ${surveys.length} pictures they mark the ` +
        'border of the frame and leave out its middle.',
      remedy: anyOf(step`turn the masks round (white = object)`, step`use ${option('invertMasks')}`),
    },
  ];
}
