import { Readable } from 'node:stream';
import { ZipArchive } from 'archiver';
import { z } from 'zod';
import { fileName } from '../../api/fileName.js';
import { fileSchema, previewSchema } from '../../api/job.js';
import { PlinthError } from '../../core/errors.js';
import type { JobRecord } from '../../jobs/jobRecord.js';
import { missing } from '../../jobs/storage/artifactStore.js';
import { readResult, statResult } from '../../jobs/storage/checkedRead.js';
import { resultPrefix } from '../../jobs/storage/resultCommit.js';
import { logKey } from '../../jobs/worker/jobLog.js';
import { visibleJob } from '../access/guard.js';
import type { App, Context } from '../context.js';
import { mediaType } from '../mediaType.js';
import { FieldError } from '../problem.js';
import { PICTURE_WIDTHS, PictureScaler } from '../scaledPicture.js';
import { isUnchanged, sendArtifact } from '../sendArtifact.js';
import { jobParams } from './jobs.js';

/** Formats that are compressed already; packing them again costs time and gains nothing. */
const PACKED = /\.(png|jpe?g|webp|usdz|zip|mp4)$/i;

/**
 * How long a signed address of the storage is good: for the start of a download, which may then take as long as it
 * takes.
 */
const DIRECT_SECONDS = 900;

/** What can be sent smaller than it is. */
const SCALABLE = /\.(png|webp|jpe?g)$/i;

export function fileRoutes(app: App, context: Context): void {
  const { artifacts } = context.service;
  const pictures = new PictureScaler();

  app.get(
    '/v1/jobs/:id/files',
    {
      schema: {
        operationId: 'listFiles',
        tags: ['results'],
        summary: 'Files of the result',
        params: jobParams,
        querystring: z.object({
          direct: z
            .enum(['true', 'false'])
            .default('false')
            .describe('Whether each file is to come with `direct`, where the storage can be reached.'),
        }),
        response: { 200: z.object({ files: z.array(fileSchema) }) },
      },
      config: { errors: ['JOB_NOT_FOUND', 'JOB_STATE_CONFLICT'] },
    },
    async (request) => {
      const job = withResult(await visibleJob(request, context, request.params.id));
      const prefix = resultPrefix(job.id, job.resultClaim!);
      const direct = request.query.direct === 'true';
      const files = job.result!.files.map(async ({ name, bytes, sha256 }) => ({
        name,
        bytes,
        sha256,
        mediaType: mediaType(name),
        url: `/v1/jobs/${job.id}/files/${name.split('/').map(encodeURIComponent).join('/')}`,
        direct: direct
          ? await artifacts.address?.(`${prefix}/${name}`, { name, type: mediaType(name), seconds: DIRECT_SECONDS })
          : undefined,
      }));
      return { files: await Promise.all(files) };
    },
  );

  app.get(
    '/v1/jobs/:id/files/*',
    {
      schema: {
        operationId: 'getFile',
        tags: ['results'],
        summary: 'One file of the result',
        description: 'Answers ranges and conditional requests; pictures also come smaller.',
        params: jobParams.extend({ '*': z.string().max(1000).describe('Name of the file; may hold slashes.') }),
        querystring: z.strictObject({
          width: z
            .enum(PICTURE_WIDTHS)
            .optional()
            .describe('Of a PNG, JPEG or WebP: scaled down to so many pixels, as WebP. Default: the file itself.'),
          cutOut: z
            .enum(['true', 'false'])
            .default('true')
            .describe('`false` with `width`: with what lies around the object, where the file still has it.'),
        }),
      },
      config: {
        errors: [
          'JOB_NOT_FOUND',
          'JOB_STATE_CONFLICT',
          'FILE_NOT_FOUND',
          'RESULT_DAMAGED',
          'RANGE_INVALID',
          'PRECONDITION_FAILED',
        ],
      },
    },
    async (request, reply) => {
      const job = withResult(await visibleJob(request, context, request.params.id));
      const name = request.params['*'];
      const file = job.result!.files.find((f) => f.name === name);
      if (!file) throw missing(name);
      const key = `${resultPrefix(job.id, job.resultClaim!)}/${name}`;
      const { width, cutOut } = request.query;
      if (width === undefined && cutOut === 'false')
        throw new FieldError([{ field: 'cutOut', message: 'is for pictures that are scaled; give `width` too' }]);
      if (width === undefined)
        return await sendArtifact(request, reply, artifacts, key, { name, immutable: true, file });
      if (!SCALABLE.test(name))
        throw new FieldError([{ field: 'width', message: 'is for PNG, JPEG and WebP; this file is none of them' }]);
      const facts = await statResult(artifacts, key, file);
      const form = { width: Number(width), cutOut: cutOut === 'true' };
      const etag = `"${facts.etag}-${width}${form.cutOut ? '' : '-whole'}"`;
      const unchanged = isUnchanged(request, name, { etag, modified: facts.modified });
      const picture = unchanged
        ? undefined
        : await pictures.scale(`${key} ${facts.etag}`, form, () => readResult(artifacts, key, file, facts));
      reply.header('etag', etag).header('last-modified', facts.modified.toUTCString());
      reply.header('cache-control', 'private, max-age=31536000, immutable');
      return unchanged ? reply.code(304).send() : reply.type('image/webp').send(picture);
    },
  );

  app.get(
    '/v1/jobs/:id/download',
    {
      schema: {
        operationId: 'downloadResult',
        tags: ['results'],
        summary: 'The whole result as a zip',
        description: 'Packed while it is sent. A part of it, where `part` names one.',
        params: jobParams,
        querystring: z.strictObject({
          part: z
            .enum(['asset', 'obj', 'evidence'])
            .optional()
            .describe(
              '`asset`: the files of the asset in all formats, with its light; `obj`: the OBJ with its material and ' +
                'maps alone; `evidence`: previews, the pictures of the assessment, quality.json and the report. ' +
                'Default: everything.',
            ),
          run: z.string().max(100).optional().describe('Of this run only, where there are several.'),
        }),
      },
      config: { errors: ['JOB_NOT_FOUND', 'JOB_STATE_CONFLICT', 'FILE_NOT_FOUND'] },
    },
    async (request, reply) => {
      const job = withResult(await visibleJob(request, context, request.params.id));
      const { part, run } = request.query;
      const runs = job.result!.runs.map((r) => r.name);
      if (run !== undefined && !runs.includes(run))
        throw new FieldError([{ field: 'run', message: `is none of the runs of this job: ${runs.join(', ')}` }]);
      const files = job.result!.files.filter((file) => isWanted(file.name, runs, part, run));
      if (files.length === 0) throw missing(part ?? run ?? 'result');
      const ofRun = run !== undefined && runs.length > 1 ? ` ${run}` : '';
      const called = `${job.name}${ofRun}${part ? PART_NAMES[part] : ''}`;
      reply
        .header('content-disposition', attachment(fileName(called, 'zip')))
        .header('cache-control', 'private, no-store')
        .type('application/zip');
      // Nothing is packed for whoever wants to know only whether it is there; nor is its length known.
      if (request.method === 'HEAD') return reply.send(Readable.from([]));
      const archive = new ZipArchive({ zlib: { level: 1 } });
      // Every program that unpacks takes these letters; what begins with a dot is hidden, or leads elsewhere.
      const folder =
        job.name
          .replace(/[^\w.-]+/g, '_')
          .replace(/^\.+/, '')
          .slice(0, 80) || 'result';
      const left = new Promise<void>((resolve) => {
        reply.raw.once('close', () => {
          archive.abort();
          resolve();
        });
      });
      // Each file is opened when the one before is packed: at most one is open, whatever their number.
      void (async () => {
        for (const file of files) {
          if (reply.raw.destroyed) return;
          const key = `${resultPrefix(job.id, job.resultClaim!)}/${file.name}`;
          const facts = await statResult(artifacts, key, file);
          const source = facts.bytes > 0 ? await readResult(artifacts, key, file, facts) : Readable.from([]);
          const packed = new Promise<void>((resolve, reject) => {
            archive.once('entry', () => resolve());
            source.once('error', reject);
          });
          archive.append(source, { name: `${folder}/${file.name}`, store: PACKED.test(file.name) });
          await Promise.race([packed, left]);
        }
        await archive.finalize();
      })().catch((error) => {
        request.log.error({ err: error, job: job.id }, 'a download broke off');
        reply.raw.destroy();
      });
      return reply.send(archive);
    },
  );

  app.get(
    '/v1/jobs/:id/previews',
    {
      schema: {
        operationId: 'listPreviews',
        tags: ['results'],
        summary: 'Live preview images of a job, oldest first',
        params: jobParams,
        response: { 200: z.object({ previews: z.array(previewSchema) }) },
      },
      config: { errors: ['JOB_NOT_FOUND'] },
    },
    async (request) => {
      const { id } = await visibleJob(request, context, request.params.id);
      const names = await artifacts.children(`jobs/${id}/previews`);
      return {
        previews: names.map((name) => ({
          name,
          stage: name.replace(/^\d+-/, '').replace(/\.\w+$/, ''),
          url: `/v1/jobs/${id}/previews/${name}`,
        })),
      };
    },
  );

  app.get(
    '/v1/jobs/:id/previews/:name',
    {
      schema: {
        operationId: 'getPreview',
        tags: ['results'],
        summary: 'One preview image',
        params: jobParams.extend({ name: z.string().regex(/^[\w.-]+\.(png|webp|jpe?g)$/) }),
      },
      config: { errors: ['JOB_NOT_FOUND', 'FILE_NOT_FOUND', 'RANGE_INVALID', 'PRECONDITION_FAILED'] },
    },
    async (request, reply) => {
      const { name } = request.params;
      const { id } = await visibleJob(request, context, request.params.id);
      return await sendArtifact(request, reply, artifacts, `jobs/${id}/previews/${name}`, { name, immutable: true });
    },
  );

  app.get(
    '/v1/jobs/:id/log',
    {
      schema: {
        operationId: 'getLog',
        tags: ['results'],
        summary: 'Log of all attempts, as text',
        description: 'A few seconds behind while the job runs. Ranges let a reader fetch only what is new.',
        params: jobParams,
      },
      config: { errors: ['JOB_NOT_FOUND', 'RANGE_INVALID', 'PRECONDITION_FAILED'] },
    },
    async (request, reply) => {
      const { id } = await visibleJob(request, context, request.params.id);
      if (!(await artifacts.stat(logKey(id)))) return reply.type('text/plain; charset=utf-8').send('');
      return await sendArtifact(request, reply, artifacts, logKey(id), { name: 'log.txt', immutable: false });
    },
  );
}

/** What the names of downloads say of their part, as the page has it. */
const PART_NAMES = { asset: '', obj: ' OBJ', evidence: ' evidence' };

/** The header for a file to be saved (RFC 6266): for old clients in ASCII, for others in full. */
function attachment(name: string): string {
  const full = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${name.replace(/[^\w.-]+/g, '_')}"; filename*=UTF-8''${full}`;
}

const EVIDENCE = /^(previews\/|assessment\/|quality\.json$|report\.html$)/;
const OBJ = /^mesh(\.obj|\.mtl|_\w+\.png)$/;

/** Whether a file of a result belongs to the part of it, and to the run, that is asked for. */
function isWanted(name: string, runs: string[], part: string | undefined, run: string | undefined): boolean {
  const [first, ...rest] = name.split('/');
  const inRun = rest.length > 0 && runs.includes(first);
  if (run !== undefined && runs.length > 1 && first !== run) return false;
  const own = inRun ? rest.join('/') : name;
  if (part === 'obj') return OBJ.test(own);
  if (part === 'evidence') return EVIDENCE.test(own);
  return part === undefined || !EVIDENCE.test(own);
}

function withResult(job: JobRecord): JobRecord {
  if (job.result) return job;
  throw new PlinthError('JOB_STATE_CONFLICT', {
    found: `Job ${job.id} is ${job.state} and has no result`,
    remedy: job.state === 'failed' || job.state === 'cancelled' ? 'Retry it first' : 'Wait until it has succeeded',
    subject: job.id,
  });
}
