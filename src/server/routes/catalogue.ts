import { z } from 'zod';
import { listExamples } from '../../jobs/examples.js';
import { ASSET_FORMATS } from '../../jobs/jobRequest.js';
import { PRESETS } from '../../methods/method.js';
import { listMethods, optionsJsonSchema } from '../../methods/registry.js';
import type { App } from '../context.js';

const methodSchema = z
  .object({
    name: z.string(),
    title: z.string(),
    description: z.string().describe('What it is good at, what it needs, how long it takes.'),
    options: z
      .record(z.string(), z.unknown())
      .describe('JSON schema (2020-12) of the options, with defaults and ranges.'),
    presets: z
      .record(z.enum(PRESETS), z.record(z.string(), z.unknown()))
      .describe('Options that differ from their defaults.'),
    stages: z.array(z.object({ name: z.string(), title: z.string(), weight: z.number() })),
  })
  .meta({ id: 'Method' });

export function catalogueRoutes(app: App): void {
  app.get(
    '/v1/methods',
    {
      schema: {
        operationId: 'listMethods',
        tags: ['catalogue'],
        summary: 'Methods with the schemas of their options',
        response: { 200: z.object({ methods: z.array(methodSchema), formats: z.array(z.enum(ASSET_FORMATS)) }) },
      },
    },
    async () => ({
      methods: listMethods().map((method) => ({
        name: method.name,
        title: method.title,
        description: method.description,
        options: optionsJsonSchema(method),
        presets: method.presets,
        stages: method.stages.map((s) => ({ ...s })),
      })),
      formats: [...ASSET_FORMATS],
    }),
  );

  app.get(
    '/v1/examples',
    {
      schema: {
        operationId: 'listExamples',
        tags: ['catalogue'],
        summary: 'Captures that come with Plinth',
        response: {
          200: z.object({ examples: z.array(z.object({ name: z.string(), files: z.int(), bytes: z.int() })) }),
        },
      },
    },
    async () => ({ examples: await listExamples() }),
  );
}
