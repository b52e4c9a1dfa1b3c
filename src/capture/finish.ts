import { PlinthError } from '../core/errors.js';
import { findBounds } from './bounds/findBounds.js';
import type { Capture } from './capture.js';
import type { ReadSources } from './formats/sources.js';
import { chooseMaskSource } from './masks/chooseSource.js';
import type { ResolvedReadOptions } from './options.js';
import { buildViews } from './views.js';

/** Makes a capture of posed pictures: masks, pixels, bounds. Errors as for `readCapture`. */
export async function finishCapture(
  read: ReadSources,
  name: string,
  source: string,
  options: ResolvedReadOptions,
  dispose: () => Promise<void>,
): Promise<Capture> {
  const { sources, format, inputToWorld, estimated } = read;
  const training = sources.filter((view) => view.split === 'train');
  if (training.length < 2) {
    throw new PlinthError('CAPTURE_VIEWS_MISSING', {
      found: `The capture has ${training.length} picture${training.length === 1 ? '' : 's'} to reconstruct from`,
      expected: 'at least two, and twenty or more for a good result',
      remedy: 'Add pictures from other sides',
      subject: source,
    });
  }
  const masks = await chooseMaskSource(sources, options);
  const { views, surveys } = await buildViews(sources, masks, options);
  const { signal } = options;
  const found = await findBounds({ views, surveys, hasMasks: masks !== 'none', points: read.points, signal });
  const warnings = [...read.warnings, ...found.warnings];
  if (masks === 'none') {
    warnings.push({
      code: 'CAPTURE_NO_MASKS',
      message: 'No masks were found: the pictures are opaque and their background is not plain.',
      remedy: 'Give pictures with transparency, or a masks folder with one picture per view (white = object).',
    });
  }
  const { bounds } = found;
  return { name, source, format, views, bounds, inputToWorld, scaleKnown: true, masks, estimated, warnings, dispose };
}
