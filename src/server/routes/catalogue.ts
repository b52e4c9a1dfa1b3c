import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { exampleSchema, methodsSchema } from '../../api/catalogue.js';
import { toFailureResource } from '../../api/remedy.js';
import { ASSET_FORMATS } from '../../core/asset.js';
import { toFailure } from '../../core/errors.js';
import { examplePicture, listExamples } from '../../jobs/examples.js';
import { listMethods, optionsJsonSchema } from '../../methods/registry.js';
import type { App, Context } from '../context.js';
import { mediaType } from '../mediaType.js';
import { PICTURE_WIDTHS, PictureScaler } from '../scaledPicture.js';

export function catalogueRoutes(app: App, { availability }: Context): void {
  const pictures = new PictureScaler();
  app.get(
    '/v1/methods',
    {
      schema: {
        operationId: 'listMethods',
        tags: ['catalogue'],
        summary: 'Methods with the schemas of their options',
        response: { 200: methodsSchema },
      },
    },
    async () => ({
      methods: await Promise.all(
        listMethods().map(async (method) => {
          const refusal = await availability.of(method);
          return {
            name: method.name,
            title: method.title,
            description: method.description,
            requirements: [...method.requirements],
            withoutCameras: method.withoutCameras ?? false,
            options: optionsJsonSchema(method),
            presets: method.presets,
            stages: method.stages.map((s) => ({ ...s })),
            ...(refusal && { unavailable: toFailureResource(toFailure(refusal)) }),
          };
        }),
      ),
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
        response: { 200: z.object({ examples: z.array(exampleSchema) }) },
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
        querystring: z.object({
          width: z
            .enum(PICTURE_WIDTHS)
            .optional()
            .describe('Scaled down to so many pixels, as WebP. Default: the picture as it is.'),
        }),
      },
      config: { errors: ['EXAMPLE_NOT_FOUND'] },
    },
    async (request, reply) => {
      const path = await examplePicture(request.params.name);
      const { width } = request.query;
      if (width !== undefined) {
        const form = { width: Number(width), cutOut: true };
        const small = await pictures.scale(path, form, async () => createReadStream(path));
        return await reply.header('cache-control', 'private, max-age=86400').type('image/webp').send(small);
      }
      return await reply
        .header('cache-control', 'private, max-age=86400')
        .type(mediaType(path))
        .send(createReadStream(path));
    },
  );
}
