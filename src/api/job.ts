import { z } from 'zod';
import type { JobProgress } from '../core/context.js';
import { type FailureResource, failureSchema, type WarningResource, warningSchema } from './remedy.js';

export const JOB_STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
/** Where a job stands. The last three are final. */
export type JobState = (typeof JOB_STATES)[number];

const time = z.iso.datetime();

export const progressSchema = z
  .object({
    run: z.string().describe('Name of the run that is at work.'),
    runIndex: z.int(),
    runs: z.int(),
    stage: z.string(),
    title: z.string().describe('Words for people.'),
    fraction: z.number().describe('0…1 within the stage.'),
    overall: z.number().describe('0…1 over the whole job.'),
    detail: z.string().optional(),
    metrics: z.record(z.string(), z.number()).optional().describe('Numbers of the moment, such as loss and psnr.'),
    elapsedSeconds: z.number(),
    remainingSeconds: z.number().optional(),
    preview: z.string().optional().describe('Name of the newest preview image.'),
  } satisfies Record<keyof JobProgress, z.ZodType>)
  .meta({ id: 'Progress' });

export const runResultSchema = z
  .object({
    name: z.string(),
    method: z.string(),
    preset: z.string(),
    seconds: z.number(),
    quality: z
      .object({ status: z.enum(['normal', 'warning', 'failure']), psnr: z.number(), ssim: z.number() })
      .optional()
      .describe('Absent when the run failed.'),
    warnings: z.array(warningSchema),
    failure: failureSchema.optional(),
    stages: z.array(z.object({ stage: z.string(), seconds: z.number() })),
  })
  .meta({ id: 'RunResult' });
/** One method's result within a job. */
export type RunResult = z.infer<typeof runResultSchema>;

export const fileSchema = z
  .object({
    name: z.string().describe('Path within the result; append to `links.files`.'),
    bytes: z.int(),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .describe('SHA-256 of its bytes, as when the job succeeded; absent in results of version 0.1.'),
    mediaType: z.string(),
    url: z.string(),
    direct: z
      .url()
      .optional()
      .describe(
        'Address in the storage itself, good for 15 minutes and without a key; only where it was asked for ' +
          'and there is one. What comes from there passes no check: compare it with `sha256`.',
      ),
  })
  .meta({ id: 'File' });
/** A file of a job's result. */
export type JobFile = z.infer<typeof fileSchema>;

export const previewSchema = z.object({ name: z.string(), stage: z.string(), url: z.string() });
/** A picture of a job in progress. */
export type Preview = z.infer<typeof previewSchema>;

const link = z.string();
export const jobSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    state: z.enum(JOB_STATES),
    key: z.uuid().nullable().describe('API key that made it; null where it was made while keys were off.'),
    createdAt: time,
    queuedAt: time,
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    attempt: z.int().describe('Times a worker began it.'),
    cancelRequested: z.boolean(),
    reduced: z.boolean().describe('Runs at a smaller working size, because the GPU ran out of memory.'),
    methods: z.array(
      z.object({
        name: z.string(),
        method: z.string(),
        preset: z.string(),
        options: z.record(z.string(), z.unknown()),
      }),
    ),
    input: z.object({ kind: z.enum(['files', 'zip', 'example']), name: z.string(), files: z.int(), bytes: z.int() }),
    progress: progressSchema.nullable(),
    failure: failureSchema.nullable(),
    result: z
      .object({
        runs: z.array(runResultSchema),
        best: z.string().optional().describe('Name of the best run, where there are several.'),
        comparison: z.string().optional().describe('One sentence about how the runs compare.'),
        bytes: z.int(),
        files: z.int(),
        thumbnail: z.string().optional().describe('File name of a picture of the result.'),
      })
      .nullable(),
    lastEvent: z.int().describe('Number of the newest event.'),
    links: z.object({
      self: link,
      events: link,
      log: link,
      files: link,
      previews: link,
      download: link,
      cancel: link,
      retry: link,
    }),
  })
  .meta({ id: 'Job' });
/** A job as the service tells it. */
export type Job = z.infer<typeof jobSchema>;

/** One event of a job; `id` is what to resume after. */
export type JobEvent = { id: number; at: string } & (
  | {
      type: 'state';
      state: JobState;
      attempt?: number;
      cause?: string;
      cancelRequested?: boolean;
      failure?: FailureResource;
    }
  | ({ type: 'progress' } & JobProgress)
  | { type: 'preview'; name: string; stage: string; title: string; url: string }
  | ({ type: 'warning'; run: string } & WarningResource)
);
