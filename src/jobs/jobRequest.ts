import { z } from 'zod';
import { ASSET_FORMATS } from '../core/asset.js';
import { PlinthError } from '../core/errors.js';
import { PRESETS } from '../methods/method.js';
import { getMethod, resolveOptions } from '../methods/registry.js';

/** One method of a job. */
export const runRequestSchema = z.strictObject({
  method: z.string().min(1).max(64).describe('Name of a method, as listed by `/v1/methods`.'),
  preset: z.enum(PRESETS).default('standard').describe('Bundle of options: `draft` is the fastest, `high` the best.'),
  options: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("Options that differ from the preset, checked against the method's own schema."),
});

/** What a client asks for, besides the pictures. */
export const jobRequestSchema = z.strictObject({
  name: z.string().trim().min(1).max(200).optional().describe('Words for people. Default: the name of the upload.'),
  methods: z
    .array(runRequestSchema)
    .min(1)
    .max(8)
    .default([{ method: 'fusion', preset: 'standard', options: {} }])
    .describe('Methods that run in turn on the same capture; several are compared.'),
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
});

export type JobRequest = z.infer<typeof jobRequestSchema>;
export type RunRequest = z.infer<typeof runRequestSchema>;

/** A run with its name within the job: the method's, numbered where a method occurs twice. */
export interface NamedRun extends RunRequest {
  name: string;
}

/**
 * Checks methods and options against the methods' own schemas and names the runs.
 * @throws `METHOD_UNKNOWN`, `OPTION_INVALID`, with the field as `subject`
 */
export function nameRuns(request: JobRequest): NamedRun[] {
  const counts = new Map<string, number>();
  return request.methods.map((run, index) => {
    try {
      resolveOptions(getMethod(run.method), run.preset, run.options);
    } catch (error) {
      if (!(error instanceof PlinthError)) throw error;
      const { found, expected, remedy, subject } = error;
      const field = error.code === 'METHOD_UNKNOWN' ? `methods.${index}.method` : `methods.${index}.options.${subject}`;
      throw new PlinthError(error.code, {
        found,
        expected,
        remedy: remedy?.replace(/`plinth methods`/, '`GET /v1/methods`').replace(' with --method', ''),
        subject: field,
      });
    }
    const count = (counts.get(run.method) ?? 0) + 1;
    counts.set(run.method, count);
    return { ...run, name: count === 1 ? run.method : `${run.method}-${count}` };
  });
}
