import { z } from 'zod';
import { STEREO_CHOICES, STEREO_DETAILS } from './stereo.js';

/** Options of methods that can measure depth by themselves. */
export const stereoOptions = {
  stereo: z
    .enum(STEREO_CHOICES)
    .default('auto')
    .describe(
      'Measure depth from the pictures (multi-view stereo) where the capture has none: hollows come out that no ' +
        'outline shows. auto: in photos whose cameras were found in them, where at least six views lie close enough ' +
        'to two others.',
    ),
  stereoDetail: z
    .enum(STEREO_DETAILS)
    .default('standard')
    .describe(
      'How fine depth is measured, at most: draft 0.3, standard 0.8, high 3 million pixels a picture, with more views ' +
        'and rounds. high is for GPUs.',
    ),
};
