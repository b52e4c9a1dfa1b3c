import { z } from 'zod';
import { ASSET_FORMATS } from '../core/asset.js';
import { PRESETS } from '../core/presets.js';
import { storedText } from './text.js';

const run = {
  method: z.string().min(1).max(64).describe('Name of a method, as listed by `/v1/methods`.'),
  preset: z.enum(PRESETS).default('standard').describe('Bundle of options: `draft` is the fastest, `high` the best.'),
  options: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("Options that differ from the preset, checked against the method's own schema."),
};

/** One method of a job. */
export const runRequestSchema = z.strictObject(run);
export type RunRequest = z.infer<typeof runRequestSchema>;

/** The range is that of the readers. */
const length = z.number().min(1e-6).max(1e6);

/** Spaces and marks alone would name nothing that anybody could see or choose. */
const jobName = storedText(200)
  .trim()
  .min(1)
  .refine((name) => /[^\p{C}\p{Z}]/u.test(name), 'has nothing that can be seen');

const fields = {
  name: jobName.optional().describe('Words for people. Default: the name of the upload.'),
  methods: z
    .array(runRequestSchema)
    .min(1)
    .max(8)
    .optional()
    .describe('Methods that run in turn on the same capture; several are compared. Default: fusion alone.'),
  method: run.method.optional().describe('For one method: its name, in the place of `methods`.'),
  preset: z.enum(PRESETS).optional().describe('For one method: its preset.'),
  options: z.record(z.string(), z.unknown()).optional().describe('For one method: its options.'),
  formats: z
    .array(z.enum(ASSET_FORMATS))
    .min(1)
    .default([...ASSET_FORMATS])
    .describe('Asset files to write.'),
  seed: z.int().min(0).max(0xffffffff).default(0).describe('Seed of every random choice.'),
  holdout: z
    .int()
    .min(0)
    .max(1000)
    .optional()
    .describe(
      'Hold every n-th view out of geometry and texture to measure quality on; 0 = none. Default: by number of views.',
    ),
  invertMasks: z
    .boolean()
    .optional()
    .describe('Exchange object and background in masks that are the wrong way round. Default: false.'),
  scale: z
    .union([
      z.strictObject({ meanDistance: length.describe("The cameras' mean distance from the object.") }),
      z.strictObject({
        between: z
          .tuple([z.string().max(300), z.string().max(300)])
          .refine(([a, b]) => a !== b, 'names one photo twice')
          .describe('File names of two photos.'),
        distance: length.describe('How far their cameras stood apart.'),
      }),
    ])
    .optional()
    .describe(
      'A length of photos without cameras, in any unit, which becomes the unit of the asset. Default: unknown.',
    ),
  priority: z.int().min(-100).max(100).default(0).describe('Jobs of higher priority run first.'),
  webhook: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/ })
        .max(2000)
        .describe('Receives a signed POST when the job ends.'),
      secret: z
        .string()
        .regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'must be `whsec_` followed by at least 24 bytes in base64')
        .optional()
        .describe('Secret of the Standard Webhooks signature. Default: the secret of the installation.'),
    })
    .optional(),
};

/** What can be changed of a job that is there. */
export const jobChangeSchema = z.strictObject({
  name: jobName.describe('Words for people.'),
});

/** Names of the fields of a job, whichever way it comes. */
export const REQUEST_FIELDS = Object.keys(fields) as (keyof typeof fields)[];

type Fields = z.infer<z.ZodObject<typeof fields>>;

const ONE_METHOD = { message: 'give `methods`, or one `method` with its preset and options', path: ['methods'] };
const isOneWay = (body: Pick<Fields, 'methods' | 'method' | 'preset' | 'options'>): boolean =>
  body.methods === undefined || (body.method ?? body.preset ?? body.options) === undefined;

/** Both ways to say which methods become one. */
function withMethods<Body extends Pick<Fields, 'methods' | 'method' | 'preset' | 'options'>>(
  body: Body,
): Omit<Body, 'methods' | 'method' | 'preset' | 'options'> & { methods: RunRequest[] } {
  const { methods, method = 'fusion', preset = 'standard', options = {}, ...rest } = body;
  return { ...rest, methods: methods ?? [{ method, preset, options }] };
}

/** What a client asks for, besides the pictures. */
export const jobRequestSchema = z.strictObject(fields).refine(isOneWay, ONE_METHOD).transform(withMethods);
export type JobRequest = z.infer<typeof jobRequestSchema>;
/** As clients write it: what has a default may be left out. */
export type JobRequestInput = z.input<typeof jobRequestSchema>;

/** A JSON body names pictures that are already here. */
export const jsonJobSchema = z
  .strictObject({
    ...fields,
    upload: z.uuid().optional().describe('Id of a complete upload (`POST /v1/uploads`).'),
    example: z.string().max(100).optional().describe('Name of a bundled capture (`GET /v1/examples`).'),
    again: z.uuid().optional().describe('Id of a job whose pictures are used once more; it is left as it is.'),
  })
  .refine(({ upload, example, again }) => [upload, example, again].filter((s) => s !== undefined).length === 1, {
    message: 'give one of `upload`, `example` and `again`',
    path: ['upload'],
  })
  .refine(isOneWay, ONE_METHOD)
  .transform(withMethods);
