import type { Capture } from '../../capture/capture.js';
import { drawViews } from '../../capture/draw/drawViews.js';
import type { Warning } from '../../core/context.js';
import type { ObjectHints } from '../../object/hints.js';
import { keptObject } from '../../object/keepObject.js';
import { objectCapture } from '../../object/objectCapture.js';
import type { CompletionContext, CompletionOptions, CompletionStage } from './stage.js';

/** Sparse points below which nothing can be told of the scene. */
const LEAST_POINTS = 50;

/** Finds the object in pictures without masks and cuts it out. */
export const masksStage: CompletionStage = {
  name: 'masks',
  title: 'Finding the object',
  wanted: (capture, { object }) =>
    object !== 'none' &&
    capture.masks === 'none' &&
    (capture.points?.positions.length ?? 0) >= 3 * LEAST_POINTS &&
    !capture.views.some(({ depth }) => depth),
  expectedSeconds: ({ views }) => 2 * views.length,
  run: (capture, { hints }, context) => cutOut(capture, hints, context),
};

/** What is told where a user says where the object is, and nothing is to be cut out. */
export function unusedHints(capture: Capture, options: CompletionOptions): Warning[] {
  const { box, rectangles } = options.hints ?? {};
  if ((!box && !rectangles) || masksStage.wanted(capture, options)) return [];
  return [
    {
      code: 'OBJECT_HINTS_UNUSED',
      message:
        'Where the object is was said and not used: it is looked for only in pictures that have neither masks nor ' +
        'depth maps, with points that the pictures show.',
      subject: 'object',
      remedy: 'Leave the box and the rectangles out, or the masks.',
    },
  ];
}

/** Finds the object of a capture without masks, and cuts it out of every picture. */
export async function cutOut(
  capture: Capture,
  hints: ObjectHints | undefined,
  context: Omit<CompletionContext, 'gpu' | 'warn'>,
): Promise<Capture> {
  const { signal, seed, progress, checkpoints, showPreview } = context;
  const { name: stage, title } = masksStage;
  const found = await keptObject(checkpoints, capture, {
    seed,
    // Which way is up in photos is a guess from how the cameras were held.
    level: capture.format === 'photos',
    hints,
    signal,
    onProgress: (fraction, detail) => progress({ stage, title, fraction, detail }),
  });
  const masked = await objectCapture(capture, found, signal);
  const preview = showPreview && (await showPreview('cutouts', await drawViews(masked, { tile: 192 })));
  progress({ stage, title, fraction: 1, preview });
  return masked;
}
