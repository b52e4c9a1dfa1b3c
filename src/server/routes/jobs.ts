import { z } from 'zod';
import { JOB_STATES, jobSchema } from '../../api/job.js';
import { jobChangeSchema } from '../../api/jobRequest.js';
import { storedText } from '../../api/text.js';
import type { ErrorCode } from '../../core/errors.js';
import { ownerFilter, quotasOf, visibleJob } from '../access/guard.js';
import type { App, Context } from '../context.js';
import { FieldError } from '../problem.js';
import { toResource } from '../resource.js';
import { acceptJob } from '../uploads/acceptJob.js';
import type { UploadStore } from '../uploads/uploadStore.js';

export const jobParams = z.object({ id: z.uuid().describe('Id of the job.') });

const listQuery = z.strictObject({
  state: z
    .string()
    .optional()
    .transform((text) => text?.split(','))
    .pipe(z.array(z.enum(JOB_STATES)).optional())
    .describe('States to list, separated by commas. Default: all.'),
  search: storedText(200).optional().describe('Part of the name.'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z
    .string()
    .regex(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      'is not the `next` of a page',
    )
    .optional()
    .describe('`next` of the page before.'),
});

const QUOTAS: ErrorCode[] = ['QUOTA_JOBS', 'QUOTA_GPU_TIME', 'QUOTA_STORAGE'];
const SUBMIT_ERRORS: ErrorCode[] = [
  'UPLOAD_TYPE_UNSUPPORTED',
  'UPLOAD_EMPTY',
  'UPLOAD_TOO_LARGE',
  'UPLOAD_TOO_MANY_FILES',
  'UPLOAD_TOO_SLOW',
  'UPLOAD_TRUNCATED',
  'UPLOAD_NOT_FOUND',
  'UPLOAD_INCOMPLETE',
  'TOO_MANY_UPLOADS',
  'EXAMPLE_NOT_FOUND',
  'JOB_NOT_FOUND',
  'RESULT_DAMAGED',
  'ARCHIVE_INVALID',
  'ARCHIVE_TOO_LARGE',
  'ARCHIVE_UNSAFE_PATH',
  'CAPTURE_UNRECOGNISED',
  'CAPTURE_NO_CAMERAS',
  'IMAGE_UNREADABLE',
  'IMAGE_TOO_LARGE',
  'METHOD_UNKNOWN',
  'METHOD_DEVICE_TOO_SMALL',
  'WEIGHTS_MISSING',
  'WEIGHTS_LICENCE',
  'WEIGHTS_INVALID',
  'WEIGHTS_UNSUPPORTED',
  'OPTION_INVALID',
  'WEBHOOK_URL_REFUSED',
  'IDEMPOTENCY_KEY_REUSED',
  'QUEUE_FULL',
  'DISK_LOW',
  'SHUTTING_DOWN',
  'STORAGE_UNAVAILABLE',
  ...QUOTAS,
];

export function jobRoutes(app: App, context: Context, uploads: UploadStore): void {
  const { service } = context;
  const { store } = service;

  app.post(
    '/v1/jobs',
    {
      schema: {
        operationId: 'submitJob',
        tags: ['jobs'],
        summary: 'Submit a job',
        description:
          'Takes pictures as a form (`multipart/form-data`: files, or one zip, and fields), a zip as the raw ' +
          'body (fields in the query), or JSON that names a complete upload, a bundled example, or a job whose ' +
          'pictures are used once more, with what was said of them (`holdout`, `invertMasks`, `scale`) where ' +
          'nothing else is. Streamed to disk and checked before it is accepted. With `Idempotency-Key`, the same ' +
          'request makes one job however often it is sent.',
        headers: z.object({ 'idempotency-key': z.string().min(1).max(255).optional() }),
        response: { 202: jobSchema.describe('Accepted and safe: it runs even if the server is killed now.') },
      },
      config: { scope: 'submit', errors: SUBMIT_ERRORS },
    },
    async (request, reply) => {
      const { job, repeated } = await acceptJob(request, context, uploads);
      request.log.info({ job: job.id, repeated }, 'a job was accepted');
      if (repeated) reply.header('idempotent-replayed', 'true');
      return reply.code(202).header('location', `/v1/jobs/${job.id}`).send(toResource(job));
    },
  );

  app.get(
    '/v1/jobs',
    {
      schema: {
        operationId: 'listJobs',
        tags: ['jobs'],
        summary: 'List jobs, newest first',
        querystring: listQuery,
        response: {
          200: z.object({
            jobs: z.array(jobSchema),
            next: z.string().nullable().describe('`cursor` of the next page; null on the last.'),
          }),
        },
      },
    },
    async (request) => {
      const { state, search, limit, cursor } = request.query;
      const jobs = await store.list({
        state,
        search,
        owner: ownerFilter(request, context),
        limit: limit + 1,
        cursor: parseCursor(cursor),
      });
      const page = jobs.slice(0, limit);
      const last = page.at(-1);
      return {
        jobs: page.map(toResource),
        next: jobs.length > limit && last ? `${last.createdAt.toISOString()}_${last.id}` : null,
      };
    },
  );

  app.get(
    '/v1/jobs/:id',
    {
      schema: {
        operationId: 'getJob',
        tags: ['jobs'],
        summary: 'One job',
        params: jobParams,
        response: { 200: jobSchema },
      },
      config: { errors: ['JOB_NOT_FOUND'] },
    },
    async (request) => toResource(await visibleJob(request, context, request.params.id)),
  );

  app.patch(
    '/v1/jobs/:id',
    {
      schema: {
        operationId: 'renameJob',
        tags: ['jobs'],
        summary: 'Give a job another name',
        params: jobParams,
        body: jobChangeSchema,
        response: { 200: jobSchema },
      },
      config: { scope: 'submit', errors: ['JOB_NOT_FOUND'] },
    },
    async (request) => {
      const { id } = await visibleJob(request, context, request.params.id);
      return toResource(await store.rename(id, request.body.name));
    },
  );

  app.post(
    '/v1/jobs/:id/cancel',
    {
      schema: {
        operationId: 'cancelJob',
        tags: ['jobs'],
        summary: 'Cancel a queued or running job',
        description:
          'A queued job is cancelled at once; a running one stops within seconds (`cancelRequested` until then).',
        params: jobParams,
        response: { 202: jobSchema },
      },
      config: { scope: 'submit', errors: ['JOB_NOT_FOUND', 'JOB_STATE_CONFLICT'] },
    },
    async (request, reply) => {
      const { id } = await visibleJob(request, context, request.params.id);
      return reply.code(202).send(toResource(await store.cancel(id)));
    },
  );

  app.post(
    '/v1/jobs/:id/retry',
    {
      schema: {
        operationId: 'retryJob',
        tags: ['jobs'],
        summary: 'Queue a failed or cancelled job again',
        params: jobParams,
        response: { 202: jobSchema },
      },
      config: { scope: 'submit', errors: ['JOB_NOT_FOUND', 'JOB_STATE_CONFLICT', 'DISK_LOW', ...QUOTAS] },
    },
    async (request, reply) => {
      const { id } = await visibleJob(request, context, request.params.id);
      const shortage = await service.disk.shortage();
      if (shortage) throw shortage;
      return reply.code(202).send(toResource(await store.retry(id, quotasOf(request, context))));
    },
  );

  app.delete(
    '/v1/jobs/:id',
    {
      schema: {
        operationId: 'deleteJob',
        tags: ['jobs'],
        summary: 'Delete a finished job with its input and result',
        params: jobParams,
        response: { 204: z.undefined().describe('Deleted.') },
      },
      config: { scope: 'submit', errors: ['JOB_NOT_FOUND', 'JOB_STATE_CONFLICT'] },
    },
    async (request, reply) => {
      const { id } = await visibleJob(request, context, request.params.id);
      await service.janitor.removeJob(id);
      return reply.code(204).send();
    },
  );
}

/** PostgreSQL knows no year 0. */
const cursorSchema = z.tuple([z.iso.datetime({ precision: 3 }).refine((at) => !at.startsWith('0000')), z.uuid()]);

function parseCursor(cursor: string | undefined): { at: string; id: string } | undefined {
  if (cursor === undefined) return undefined;
  const parsed = cursorSchema.safeParse(cursor.split('_'));
  if (!parsed.success) throw new FieldError([{ field: 'cursor', message: 'is not the `next` of a page' }]);
  const [at, id] = parsed.data;
  return { at, id };
}
