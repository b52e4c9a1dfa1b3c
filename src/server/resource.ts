import { z } from 'zod';
import type { JobProgress } from '../core/context.js';
import { JOB_STATES, type JobRecord } from '../jobs/jobRecord.js';

const time = z.iso.datetime();
export const failureSchema = z
  .object({
    code: z.string().describe('Stable code, as in docs/errors.md.'),
    message: z.string(),
    remedy: z.string().optional(),
  })
  .meta({ id: 'Failure' });

export const warningSchema = z
  .object({ code: z.string(), message: z.string(), subject: z.string().optional(), remedy: z.string().optional() })
  .meta({ id: 'Warning' });

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

export const fileSchema = z
  .object({
    name: z.string().describe('Path within the result; append to `links.files`.'),
    bytes: z.int(),
    mediaType: z.string(),
  })
  .meta({ id: 'File' });

export const jobSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    state: z.enum(JOB_STATES),
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
      self: z.string(),
      events: z.string(),
      log: z.string(),
      files: z.string(),
      previews: z.string(),
      download: z.string(),
      cancel: z.string(),
      retry: z.string(),
    }),
  })
  .meta({ id: 'Job' });

export type JobResource = z.infer<typeof jobSchema>;

export function toResource(job: JobRecord): JobResource {
  const self = `/v1/jobs/${job.id}`;
  const { result } = job;
  return {
    id: job.id,
    name: job.name,
    state: job.state,
    createdAt: job.createdAt.toISOString(),
    queuedAt: job.queuedAt.toISOString(),
    startedAt: job.startedAt?.toISOString() ?? null,
    finishedAt: job.finishedAt?.toISOString() ?? null,
    attempt: job.attempt,
    cancelRequested: job.cancelRequested,
    reduced: job.reduced,
    methods: job.request.runs.map(({ name, method, preset, options }) => ({ name, method, preset, options })),
    input: job.input,
    progress: job.progress,
    failure: job.failure,
    result: result && {
      runs: result.runs,
      best: result.best,
      comparison: result.comparison,
      bytes: job.resultBytes,
      files: result.files.length,
      thumbnail: thumbnail(
        result.files.map((f) => f.name),
        result.best,
      ),
    },
    lastEvent: job.lastEvent,
    links: {
      self,
      events: `${self}/events`,
      log: `${self}/log`,
      files: `${self}/files`,
      previews: `${self}/previews`,
      download: `${self}/download`,
      cancel: `${self}/cancel`,
      retry: `${self}/retry`,
    },
  };
}

/** A small picture of the (best) result. */
function thumbnail(names: string[], best: string | undefined): string | undefined {
  const pictures = names.filter(
    (n) => /(^|\/)previews\/[^/]+\.(png|webp|jpe?g)$/.test(n) && (!best || n.startsWith(`${best}/`)),
  );
  return pictures.find((n) => /\/textured-000/.test(n)) ?? pictures[0];
}

const MEDIA_TYPES: Record<string, string> = {
  glb: 'model/gltf-binary',
  gltf: 'model/gltf+json',
  obj: 'model/obj',
  mtl: 'model/mtl',
  ply: 'application/ply',
  usdz: 'model/vnd.usdz+zip',
  bin: 'application/octet-stream',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  hdr: 'image/vnd.radiance',
  exr: 'image/x-exr',
  mp4: 'video/mp4',
  json: 'application/json',
  html: 'text/html; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  zip: 'application/zip',
};

export const mediaType = (name: string): string =>
  MEDIA_TYPES[name.slice(name.lastIndexOf('.') + 1).toLowerCase()] ?? 'application/octet-stream';
