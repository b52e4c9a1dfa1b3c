import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { ASSET_FORMATS } from '../../core/asset.js';
import { examplePicture, listExamples } from '../../jobs/examples.js';
import { PRESETS } from '../../methods/method.js';
import { listMethods, optionsJsonSchema } from '../../methods/registry.js';
import type { App } from '../context.js';
import { mediaType } from '../resource.js';

const methodSchema = z
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
        requirements: [...method.requirements],
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
          200: z.object({
            examples: z.array(
              z.object({
                name: z.string(),
                files: z.int(),
                bytes: z.int(),
                picture: z.string().describe('Address of one of its pictures.'),
              }),
            ),
          }),
        },
      },
    },
    async () => ({
      examples: (await listExamples()).map((e) => ({
        ...e,
        picture: `/v1/examples/${encodeURIComponent(e.name)}/picture`,
      })),
    }),
  );

  app.get(
    '/v1/examples/:name/picture',
    {
      schema: {
        operationId: 'getExamplePicture',
        tags: ['catalogue'],
        summary: 'A picture that stands for an example',
        params: z.object({ name: z.string().max(100) }),
      },
      config: { errors: ['EXAMPLE_NOT_FOUND'] },
    },
    async (request, reply) => {
      const path = await examplePicture(request.params.name);
      return await reply
        .header('cache-control', 'private, max-age=86400')
        .type(mediaType(path))
        .send(createReadStream(path));
    },
  );
}
