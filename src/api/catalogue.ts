import { z } from 'zod';
import { ASSET_FORMATS } from '../core/asset.js';
import { PRESETS } from '../core/presets.js';
import { failureSchema } from './remedy.js';

export const methodSchema = z
  .object({
    name: z.string(),
    title: z.string(),
    description: z.string().describe('What it is good at, what it needs, how long it takes.'),
    requirements: z.array(z.string()).describe('What a capture must have.'),
    options: z
      .record(z.string(), z.unknown())
      .describe('JSON schema (2020-12) of the options, with defaults and ranges.'),
    presets: z
      .record(z.enum(PRESETS), z.record(z.string(), z.unknown()))
      .describe('Options that differ from their defaults.'),
    withoutCameras: z.boolean().describe('Takes one photo or more without cameras, where the object is cut out.'),
    unavailable: failureSchema
      .optional()
      .describe('Why it cannot run on this installation now; a job with it is refused. Absent: it can.'),
    stages: z.array(z.object({ name: z.string(), title: z.string(), weight: z.number() })),
  })
  .meta({ id: 'Method' });
/** A method with its presets and options. */
export type MethodFacts = z.infer<typeof methodSchema>;

export const methodsSchema = z.object({ methods: z.array(methodSchema), formats: z.array(z.enum(ASSET_FORMATS)) });

export const exampleSchema = z.object({
  name: z.string(),
  files: z.int(),
  bytes: z.int(),
  picture: z.string().describe('Address of one of its pictures.'),
});
/** A capture that comes with the service. */
export type Example = z.infer<typeof exampleSchema>;
