import { z } from 'zod';
import { FIRST_SURFACE_DEFAULTS } from '../shared/firstSurface.js';
import { stereoOptions } from '../shared/stereoOptions.js';
import { surfaceOptions } from '../shared/surfaceOptions.js';

/** Options of method `fusion`. */
export const fusionOptions = z.object({
  resolution: z
    .int()
    .min(32)
    .max(1024)
    .optional()
    .describe(
      'Voxels along the longest side of the object. Default: as fine as the pictures show, at most `maxResolution`.',
    ),
  maxResolution: z.int().min(32).max(1024).default(320).describe('Upper bound of the automatic resolution, in voxels.'),
  ...stereoOptions,
  hollow: z
    .boolean()
    .default(FIRST_SURFACE_DEFAULTS.hollow)
    .describe(
      'With depth maps: make vessels hollow that are seen through their opening only, with the wall ' +
        'thickness seen at the rim; false leaves unseen space solid.',
    ),
  ...surfaceOptions,
  smoothing: z
    .int()
    .min(0)
    .max(100)
    .default(FIRST_SURFACE_DEFAULTS.smoothing)
    .describe('Taubin smoothing passes against stair-steps; 0 = none.'),
  minimumPart: z
    .number()
    .min(0)
    .max(1)
    .default(FIRST_SURFACE_DEFAULTS.minimumPart)
    .describe('Parts whose extent is below this share of the object are removed as specks; 0 keeps all.'),
  fillHoles: z
    .boolean()
    .default(FIRST_SURFACE_DEFAULTS.fillHoles)
    .describe('Close open rims of the surface, where cleaning left any.'),
  evenExposure: z.boolean().default(true).describe('Even out exposure differences between pictures before blending.'),
});

export type FusionOptions = z.infer<typeof fusionOptions>;
