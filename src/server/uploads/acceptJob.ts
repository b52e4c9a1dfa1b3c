import { randomUUID } from 'node:crypto';
import { cp, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type JobRequest, jobRequestSchema, jsonJobSchema, REQUEST_FIELDS } from '../../api/jobRequest.js';
import { PlinthError, toPlinthError } from '../../core/errors.js';
import type { Accepted } from '../../jobs/database/jobStore.js';
import { requireQuotas } from '../../jobs/database/quotas.js';
import { exampleFolder } from '../../jobs/examples.js';
import { inspectInput } from '../../jobs/inspectInput.js';
import type { JobInput, JobRecord } from '../../jobs/jobRecord.js';
import { fewestPhotos, type NamedRun, nameRuns } from '../../jobs/jobRequest.js';
import { installationSecrets } from '../../jobs/webhooks/webhookStore.js';
import { checkWebhook } from '../../jobs/webhooks/webhooks.js';
import { getMethod } from '../../methods/registry.js';
import { ownerOfKey } from '../access/apiKeys.js';
import { isAdmin, quotasOf, visibleJob } from '../access/guard.js';
import { type Context, ownerOf } from '../context.js';
import { refusedMethod } from '../methodAvailability.js';
import { FieldError, fieldErrors } from '../problem.js';
import { requireStorable } from '../storableText.js';
import { DirectUploads } from './directUploads.js';
import { receive, ZIP_TYPES } from './receive.js';
import { inUploadSlot } from './slots.js';
import type { UploadStore } from './uploadStore.js';

/**
 * Fields of a form, and the query of a raw zip: either one JSON text `request`, or the fields of a job, those that hold
 * more than words as JSON.
 */
const formSchema = z.strictObject(
  Object.fromEntries(['request', ...REQUEST_FIELDS].map((name) => [name, z.string().optional()])),
);
/** Fields whose text is JSON, a number, or true or false. */
const JSON_FIELDS = ['methods', 'options', 'scale', 'webhook'];
const NUMBER_FIELDS = ['seed', 'holdout', 'priority'];
const BOOLEAN_FIELDS = ['invertMasks'];

const IDEMPOTENCY_LENGTH = 255;
/** What a repetition is told of an upload that its first request has just taken. */
const GONE = ['UPLOAD_NOT_FOUND', 'UPLOAD_INCOMPLETE'];

/** Takes a job in whatever form it comes, checks it, and queues it. Everything on disk is gone again after an error. */
export async function acceptJob(request: FastifyRequest, context: Context, uploads: UploadStore): Promise<Accepted> {
  const key = idempotencyKey(request);
  // What was accepted before is answered, however full the queue and the disk are now.
  const known = key !== undefined && (await context.service.store.knows(ownerOf(request), key));
  if (!known) {
    await refuseWhenFull(context);
    // Before a large body is taken; asked again, for all requests at once, when the job is recorded.
    await requireQuotas(context.service.db, request.apiKey?.id ?? null, quotasOf(request, context), 0);
  }
  const type = (request.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
  if (type === 'application/json') return await acceptStored(request, context, uploads, key);
  if (type !== 'multipart/form-data' && !ZIP_TYPES.includes(type)) {
    throw new PlinthError('UPLOAD_TYPE_UNSUPPORTED', {
      found: type ? `The body is ${type}` : 'The request has no Content-Type',
      expected:
        'multipart/form-data with pictures or a zip, application/zip, or application/json with `upload`, `example` ' +
        'or `again`',
      subject: 'Content-Type',
    });
  }
  try {
    const accepted = await inUploadSlot(context, () => acceptUpload(request, context, key, known));
    context.metrics.upload('accepted');
    return accepted;
  } catch (error) {
    context.metrics.upload(toPlinthError(error).code);
    throw error;
  }
}

async function acceptStored(
  request: FastifyRequest,
  context: Context,
  uploads: UploadStore,
  key: string | undefined,
): Promise<Accepted> {
  const { service } = context;
  refuseQuery(request);
  const parsed = jsonJobSchema.safeParse(request.body);
  if (!parsed.success) throw fieldErrors(parsed.error, 'body');
  const { upload, example, again, ...job } = parsed.data;
  // As before there was `again`, so that what was asked then is known now.
  const fingerprint = JSON.stringify(again === undefined ? [upload, example, job] : [upload, example, job, again]);
  const owner = ownerOf(request);
  const earlier = async (): Promise<Accepted | undefined> => {
    const found = key === undefined ? undefined : await service.store.repeated({ owner, key, fingerprint });
    return found && { job: found, repeated: true };
  };
  const before = await earlier();
  if (before) return before;
  const runs = await check(request, context, job);
  const asked = { ...job, runs };
  const idempotency = { key, fingerprint };
  if (upload !== undefined) {
    const stored = new DirectUploads(service.artifacts, context.settings.limits);
    try {
      const direct = await stored.find(upload, owner);
      if (direct) {
        const bring: Bring = (target) => stored.bring(direct, target, fewestPhotos(runs));
        const pictures = { name: direct.name, bring, upload };
        const accepted = await queue(request, context, asked, pictures, 'files', idempotency);
        // The job is safe; what stays of the upload is removed when it expires.
        await stored.drop(direct).catch((error) => request.log.warn({ err: error, upload }, 'an upload stays for now'));
        return accepted;
      }
      return await uploads.lend(
        upload,
        owner,
        // A repetition that waited for the files finds the job that got them.
        async (folder, name) =>
          (await earlier()) ??
          (await queue(
            request,
            context,
            asked,
            { name, bring: fromFolder(context, folder, runs) },
            'files',
            idempotency,
          )),
      );
    } catch (error) {
      const meanwhile = GONE.includes(toPlinthError(error).code) ? await earlier() : undefined;
      if (meanwhile) return meanwhile;
      throw error;
    }
  }
  if (again === undefined) return await acceptExample(request, context, example!, asked, idempotency);
  // What it copies may be as large as an upload is.
  return await inUploadSlot(context, () => acceptAgain(request, context, again, asked, idempotency));
}

async function acceptExample(
  request: FastifyRequest,
  context: Context,
  example: string,
  job: Asked,
  idempotency: Idempotency,
): Promise<Accepted> {
  const source = await exampleFolder(example);
  return await inRoom(context, await folderBytes(source), async (root) => {
    const folder = join(root, 'files');
    await cp(source, folder, { recursive: true });
    const pictures = { name: example, bring: fromFolder(context, folder, job.runs) };
    return await queue(request, context, job, pictures, 'example', idempotency);
  });
}

async function acceptAgain(
  request: FastifyRequest,
  context: Context,
  again: string,
  job: Asked,
  idempotency: Idempotency,
): Promise<Accepted> {
  const earlier = await visibleJob(request, context, again);
  const { bytes, name, kind } = earlier.input;
  // Before all of it is copied.
  await requireQuotas(context.service.db, request.apiKey?.id ?? null, quotasOf(request, context), bytes);
  return await inRoom(context, bytes, async (root) => {
    const folder = await copyInput(context, earlier, root);
    const pictures = { name, bring: fromFolder(context, folder, job.runs) };
    // What was said of the pictures themselves holds for them again.
    const { invertMasks, holdout, scale } = earlier.request;
    const named = { invertMasks, holdout, scale, ...job, name: job.name ?? earlier.name };
    return await queue(request, context, named, pictures, kind, idempotency);
  });
}

/** Works in a folder of its own, for which so many bytes are free, and which is gone after. */
async function inRoom<T>({ service }: Context, bytes: number, work: (root: string) => Promise<T>): Promise<T> {
  const root = join(service.incoming, randomUUID());
  const room = await service.disk.claim(bytes);
  try {
    await mkdir(root, { recursive: true });
    return await work(root);
  } finally {
    room.release();
    await rm(root, { recursive: true, force: true });
  }
}

/**
 * Copies the pictures of a job, all of them, below a folder: whoever deletes one job must not take the other's.
 * @throws `JOB_NOT_FOUND` where it is deleted meanwhile, `RESULT_DAMAGED`
 */
async function copyInput({ service }: Context, { id, input }: JobRecord, root: string): Promise<string> {
  const fetched = join(root, 'input');
  const folder = join(root, 'files');
  try {
    const source = await service.artifacts.local(`jobs/${id}/input`, fetched);
    // A storage elsewhere has made the copy.
    if (source === fetched) await rename(fetched, folder);
    else await cp(source, folder, { recursive: true });
    if ((await folderBytes(folder)) === input.bytes) return folder;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await service.store.get(id);
  throw new PlinthError('RESULT_DAMAGED', {
    found: `Pictures of job ${id} are missing in the storage, or of another size`,
    expected: `the ${input.bytes} bytes that were stored when the job was accepted`,
    remedy: 'Bring them back from a backup, or send the pictures themselves',
    subject: 'again',
  });
}

const isMissing = (error: unknown): boolean =>
  error instanceof PlinthError
    ? error.code === 'FILE_NOT_FOUND'
    : (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';

/** Fields are in the query of a raw zip alone. @throws `REQUEST_INVALID` */
function refuseQuery(request: FastifyRequest): void {
  const [name] = Object.keys(request.query as object);
  if (name !== undefined) throw new FieldError([{ field: name, message: 'belongs into the body, not into the query' }]);
}

async function acceptUpload(
  request: FastifyRequest,
  context: Context,
  key: string | undefined,
  known: boolean,
): Promise<Accepted> {
  const { settings, service } = context;
  const { incoming, disk } = service;
  const only = known ? ('fingerprint' as const) : undefined;
  if (request.isMultipart()) refuseQuery(request);
  const received = await receive(request, { incoming, disk, only }, settings.limits);
  try {
    const { fingerprint } = received;
    if (known) {
      const job = await service.store.repeat({ owner: ownerOf(request), key: key!, fingerprint });
      return { job, repeated: true };
    }
    const job = parseFields(received.fields);
    const runs = await check(request, context, job);
    const pictures = { name: received.name, bring: fromFolder(context, received.folder, runs) };
    return await queue(request, context, { ...job, runs }, pictures, 'files', { key, fingerprint });
  } finally {
    await received.discard();
  }
}

/** What is asked for, its runs named and checked. */
type Asked = JobRequest & { runs: NamedRun[] };
type Idempotency = { key?: string; fingerprint: string };

/** Checks pictures, and puts them where the storage keeps them for the job. */
type Bring = (target: string) => Promise<Pick<JobInput, 'kind' | 'files' | 'bytes'>>;

const fromFolder =
  ({ service, settings }: Context, folder: string, runs: readonly NamedRun[]): Bring =>
  async (target) => {
    const limits = { ...settings.limits, fewestPhotos: fewestPhotos(runs), disk: service.disk };
    const facts = await inspectInput(folder, limits).catch((error) => {
      throw asUpload(error, folder);
    });
    await service.artifacts.adopt(folder, target);
    return facts;
  };

async function queue(
  request: FastifyRequest,
  context: Context,
  job: Asked,
  pictures: { name: string; bring: Bring; upload?: string },
  kind: JobInput['kind'],
  idempotency: Idempotency,
): Promise<Accepted> {
  const { service } = context;
  const { apiKey } = request;
  const id = randomUUID();
  const prefix = `jobs/${id}`;
  try {
    const facts = await pictures.bring(`${prefix}/input`);
    const input: JobInput = { ...facts, kind: kind === 'example' ? kind : facts.kind, name: pictures.name };
    const accepted = await service.store.accept({
      id,
      name: job.name ?? pictures.name.replace(/\.(zip|json)$/i, ''),
      request: job,
      input,
      owner: apiKey ? ownerOfKey(apiKey) : null,
      key: apiKey?.id ?? null,
      quotas: quotasOf(request, context),
      upload: pictures.upload,
      idempotency: idempotency.key
        ? { owner: ownerOf(request), key: idempotency.key, fingerprint: idempotency.fingerprint }
        : undefined,
    });
    if (accepted.repeated) await service.artifacts.remove(prefix);
    return accepted;
  } catch (error) {
    await service.janitor.removeUnaccepted(id);
    throw error;
  }
}

/** Bytes of all files of a folder. */
async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

async function check(request: FastifyRequest, context: Context, job: JobRequest) {
  const {
    settings: { webhooks },
    service,
  } = context;
  const runs = nameRuns(job);
  for (const [index, { method }] of runs.entries()) {
    const refusal = await context.availability.of(getMethod(method));
    if (refusal) throw refusedMethod(refusal, `methods.${index}.method`);
  }
  if (job.priority > 0 && !isAdmin(request, context)) {
    throw new PlinthError('FORBIDDEN', {
      found: `The request asks for priority ${job.priority}`,
      expected: 'priority 0 or less; a higher one needs an API key of scope admin',
      subject: 'priority',
    });
  }
  if (job.webhook) {
    if (!job.webhook.secret && (await installationSecrets(service.db, webhooks.secret)).length === 0) {
      throw new FieldError([
        { field: 'webhook.secret', message: 'needed, since the installation has no webhooks.secret' },
      ]);
    }
    await checkWebhook(job.webhook.url, webhooks);
  }
  return runs;
}

function parseFields(fields: Record<string, string>): JobRequest {
  const form = formSchema.safeParse(fields);
  if (!form.success) throw fieldErrors(form.error, 'form');
  const { request, ...others } = form.data;
  let value: unknown;
  if (request !== undefined) {
    const [other] = Object.keys(fields).filter((field) => field !== 'request');
    if (other !== undefined) throw new FieldError([{ field: other, message: 'not together with `request`' }]);
    value = json('request', request);
  } else value = Object.fromEntries(Object.entries(others).map(([name, text]) => [name, fieldValue(name, text)]));
  const parsed = jobRequestSchema.safeParse(value);
  if (!parsed.success) throw fieldErrors(parsed.error, 'request');
  return parsed.data;
}

/** What the text of a field stands for; an empty one is as good as none. */
function fieldValue(name: string, text: string | undefined): unknown {
  if (!text) return undefined;
  if (JSON_FIELDS.includes(name)) return json(name, text);
  if (NUMBER_FIELDS.includes(name)) return Number(text);
  // Any other text is refused by name.
  if (BOOLEAN_FIELDS.includes(name)) return text === 'true' || (text === 'false' ? false : text);
  return name === 'formats' ? text.split(',') : text;
}

function json(field: string, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FieldError([{ field, message: `no valid JSON: ${(error as Error).message}` }]);
  }
  // An escape in the JSON may stand for what the text itself does not hold.
  requireStorable(value, field);
  return value;
}

function idempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && key.length > 0 && key.length <= IDEMPOTENCY_LENGTH) return key;
  throw new FieldError([{ field: 'Idempotency-Key', message: `must have 1 to ${IDEMPOTENCY_LENGTH} characters` }]);
}

async function refuseWhenFull({ settings, service, stopping }: Context): Promise<void> {
  if (stopping.aborted) {
    throw new PlinthError('SHUTTING_DOWN', {
      found: 'The server is stopping',
      remedy: 'Send the request again in a moment',
    });
  }
  const { queuedJobs } = settings.limits;
  if (!(await service.store.queuedAtLeast(queuedJobs))) return;
  throw new PlinthError('QUEUE_FULL', {
    found: `${queuedJobs} jobs wait or more`,
    expected: `at most ${queuedJobs}`,
    remedy: 'Try again later, or add workers',
  });
}

/** Messages about an upload name its files as the client knows them. */
function asUpload(error: unknown, folder: string): unknown {
  if (!(error instanceof PlinthError)) return error;
  const clean = (text: string | undefined): string | undefined =>
    text
      ?.replaceAll(/\S*-unpacked\/[^/\s]+\//g, '')
      .replaceAll(`${folder}/`, '')
      .replaceAll(folder, 'the upload');
  return new PlinthError(error.code, {
    found: clean(error.found)!,
    expected: clean(error.expected),
    remedy: typeof error.remedy === 'string' ? clean(error.remedy) : error.remedy,
    subject: clean(error.subject),
    cause: error.cause,
  });
}
