import { z } from 'zod';
import { surfaceOptions } from '../shared/surfaceOptions.js';

/** Options of method `reconviagen`. */
export const reconviagenOptions = z.object({
  structureSteps: z
    .int()
    .min(1)
    .max(100)
    .default(30)
    .describe('Steps in which the coarse shape is sampled. Time grows with them.'),
  latentSteps: z
    .int()
    .min(1)
    .max(100)
    .default(12)
    .describe('Steps in which surface and colours are sampled. Time grows with them.'),
  guidance: z
    .number()
    .min(1)
    .max(20)
    .default(7.5)
    .describe('How strongly the photos hold the early steps; 1 = only as the networks do by themselves.'),
  texture: z
    .enum(['auto', 'generated', 'photos'])
    .default('auto')
    .describe(
      '`generated`: the colours that the networks gave; `photos`: those of the photos where one shows the surface, ' +
        'generated ones elsewhere; `auto`: `photos` where enough of them were found to fit the model.',
    ),
  ...surfaceOptions,
  front: z
    .enum(['first-photo', 'model'])
    .default('first-photo')
    .describe('Which way the model faces: the first photo shows its front, or as the networks made it.'),
});

/** Options of method `reconviagen`. */
export type ReconviagenOptions = z.infer<typeof reconviagenOptions>;
