/**
 * A typed client of the service's HTTP API, for browsers and Node: `import { PlinthClient } from 'plinth/client'`. It
 * uses `fetch` alone. The tests check it against the OpenAPI document.
 */
import type { AssetFormat } from '../core/asset.js';
import { sha256 } from '../core/digest.js';
import type { AuditEntry } from './audit.js';
import type { Example, MethodFacts } from './catalogue.js';
import type { Health } from './health.js';
import type { Job, JobEvent, JobFile, JobState, Preview } from './job.js';
import type { JobRequestInput as JobRequest } from './jobRequest.js';
import type { KeyFacts, MadeKey, NewKey, OwnKey } from './key.js';
import type { Problem } from './problem.js';
import type { Scope } from './scopes.js';
import type { DirectUpload, Upload } from './upload.js';
import type { DeliveryFacts, RotatedSecret } from './webhook.js';

export type { AssetFormat } from '../core/asset.js';
export type { JobProgress } from '../core/context.js';
export type { Preset } from '../core/presets.js';
export type { RemedyTerm, RemedyWords } from '../core/remedy.js';
export { wordRemedy } from '../core/remedy.js';
export type { AuditEntry } from './audit.js';
export type { Example, MethodFacts } from './catalogue.js';
export type { Gpu, Health } from './health.js';
export type { Job, JobEvent, JobFile, JobState, Preview, RunResult } from './job.js';
export type { JobRequestInput as JobRequest } from './jobRequest.js';
export type { KeyFacts, MadeKey, NewKey, OwnKey } from './key.js';
export type { Problem } from './problem.js';
export type { FailureResource as Failure, WarningResource as Warning } from './remedy.js';
export type { Scope } from './scopes.js';
export type { DirectUpload, Upload } from './upload.js';
export type { DeliveryFacts, RotatedSecret } from './webhook.js';

/** An answer that is no success, with the code and the field of the problem. */
export class ApiError extends Error {
  readonly code: string;
  readonly remedy?: string;
  readonly field?: string;
  /** Id of the request, as in the server's log. */
  readonly instance?: string;

  constructor(
    readonly status: number,
    /** What the service said; empty where the answer was none of its own. */
    readonly problem: Partial<Problem>,
    fallback = `The answer has status ${status}`,
    /** Seconds after which the service wants to be asked again. */
    readonly retryAfter?: number,
  ) {
    super(problem.detail ?? fallback);
    this.name = 'ApiError';
    this.code = problem.code ?? `HTTP_${status}`;
    this.remedy = problem.remedy;
    this.field = problem.field;
    this.instance = problem.instance;
  }
}

/** Where the service is, and the key. */
export interface ClientOptions {
  /** Where the service is. Default: the page's own origin. */
  url?: string;
  /** API key, where the service asks for one. */
  key?: string;
  /** Default: the global `fetch`. */
  fetch?: typeof fetch;
}

/** A file with its path within the capture. */
export interface NamedFile {
  name: string;
  data: Blob;
}

/** How files are sent. */
export interface UploadOptions {
  name?: string;
  /** Goes on with an upload that was begun before. */
  resume?: string;
  /** Bytes of one request. Default 8 MiB. */
  partBytes?: number;
  signal?: AbortSignal;
  /** Told after every part that the service has. */
  onProgress?: (upload: { id: string; received: number; bytes: number }) => void;
}

/**
 * What operation each method of the client calls, by the OpenAPI document's `operationId`; the tests hold the two
 * together.
 */
export const OPERATIONS = {
  submitJob: 'POST /v1/jobs',
  listJobs: 'GET /v1/jobs',
  getJob: 'GET /v1/jobs/{id}',
  renameJob: 'PATCH /v1/jobs/{id}',
  cancelJob: 'POST /v1/jobs/{id}/cancel',
  retryJob: 'POST /v1/jobs/{id}/retry',
  deleteJob: 'DELETE /v1/jobs/{id}',
  watchJob: 'GET /v1/jobs/{id}/events',
  listFiles: 'GET /v1/jobs/{id}/files',
  getFile: 'GET /v1/jobs/{id}/files/{name}',
  downloadResult: 'GET /v1/jobs/{id}/download',
  listPreviews: 'GET /v1/jobs/{id}/previews',
  getPreview: 'GET /v1/jobs/{id}/previews/{name}',
  getLog: 'GET /v1/jobs/{id}/log',
  beginUpload: 'POST /v1/uploads',
  beginDirectUpload: 'POST /v1/uploads/direct',
  getUpload: 'GET /v1/uploads/{id}',
  createTusUpload: 'POST /v1/tus',
  appendToUpload: 'PATCH /v1/uploads/{id}/files/{name}',
  abandonUploadFile: 'DELETE /v1/uploads/{id}/files/{name}',
  abandonUpload: 'DELETE /v1/uploads/{id}',
  listMethods: 'GET /v1/methods',
  listExamples: 'GET /v1/examples',
  getExamplePicture: 'GET /v1/examples/{name}/picture',
  listDeliveries: 'GET /v1/jobs/{id}/deliveries',
  redeliver: 'POST /v1/jobs/{id}/deliveries/{delivery}/redeliver',
  rotateWebhookSecret: 'POST /v1/webhooks/secret',
  getOwnKey: 'GET /v1/key',
  listKeys: 'GET /v1/keys',
  createKey: 'POST /v1/keys',
  revokeKey: 'DELETE /v1/keys/{id}',
  listAudit: 'GET /v1/audit',
  getHealth: 'GET /health',
  getLiveness: 'GET /health/live',
  getReadiness: 'GET /health/ready',
  getMetrics: 'GET /metrics',
} as const;
/** Names of the operations in the OpenAPI document. */
export type OperationId = keyof typeof OPERATIONS;

interface CallOptions {
  id?: string;
  name?: string;
  delivery?: string;
  query?: Record<string, string | number | undefined>;
  json?: unknown;
  body?: FormData | Blob;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Statuses besides 2xx that are answers, not errors. */
  allow?: number[];
}

/** The service's operations, typed. All throw `ApiError` where the service refuses. */
export class PlinthClient {
  private readonly base: string;
  private readonly ask: typeof fetch;

  constructor(private readonly options: ClientOptions = {}) {
    this.base = (options.url ?? '').replace(/\/$/, '');
    this.ask = options.fetch ?? globalThis.fetch.bind(globalThis);
  }

  /** Submits loose files or one zip in a single request. For large captures `upload` can be interrupted. */
  async submit(
    files: NamedFile[],
    request: JobRequest = {},
    options: { idempotencyKey?: string; signal?: AbortSignal } = {},
  ): Promise<Job> {
    const form = new FormData();
    form.set('request', JSON.stringify(request));
    for (const file of files) form.append('files', file.data, file.name);
    return await this.json('submitJob', {
      body: form,
      headers: idempotency(options.idempotencyKey),
      signal: options.signal,
    });
  }

  /** Submits a complete upload, a bundled example, or once more the pictures of a job. */
  async submitStored(
    source: { upload: string } | { example: string } | { again: string },
    request: JobRequest = {},
    idempotencyKey?: string,
  ): Promise<Job> {
    return await this.json('submitJob', { json: { ...request, ...source }, headers: idempotency(idempotencyKey) });
  }

  /** Sends files in parts; after an error call it again with `resume` and the same files. */
  async upload(files: NamedFile[], options: UploadOptions = {}): Promise<Upload> {
    const { partBytes = 8 * 2 ** 20, signal, onProgress } = options;
    const list = files.map((f) => ({ name: f.name, bytes: f.data.size }));
    const upload = options.resume
      ? await this.getUpload(options.resume)
      : await patiently(
          () => this.json<Upload>('beginUpload', { json: { name: options.name, files: list }, signal }),
          signal,
        );
    const tell = (): void =>
      onProgress?.({
        id: upload.id,
        bytes: upload.bytes,
        received: upload.files.reduce((sum, f) => sum + f.received, 0),
      });
    tell();
    for (const file of upload.files) {
      const { data } = files.find((f) => f.name === file.name) ?? {};
      if (!data) throw new Error(`the upload has a file "${file.name}" that is not given`);
      while (file.received < file.bytes) {
        const part = data.slice(file.received, file.received + partBytes);
        const headers: Record<string, string> = {
          'tus-resumable': '1.0.0',
          'content-type': 'application/offset+octet-stream',
          'upload-offset': String(file.received),
          ...(await checksum(part)),
        };
        const answer = await patiently(
          () => this.call('appendToUpload', { id: upload.id, name: file.name, body: part, headers, signal }),
          signal,
        );
        file.received = Number(answer.headers.get('upload-offset'));
        tell();
      }
    }
    return await this.getUpload(upload.id);
  }

  /**
   * Sends one zip to the storage itself, so that its bytes do not pass the service; `submitStored` then takes its id.
   * Where clients do not reach the storage, the service refuses with `UPLOAD_DIRECT_OFF`: use `upload` there.
   */
  async uploadDirect(file: NamedFile, options: { signal?: AbortSignal } = {}): Promise<DirectUpload> {
    const { signal } = options;
    const json = { name: file.name, bytes: file.data.size };
    const upload = await this.json<DirectUpload>('beginDirectUpload', { json, signal });
    // Without the key: the address says all, and the storage is not to learn it.
    const answer = await this.ask(upload.url, { method: 'PUT', body: file.data, signal });
    if (!answer.ok) throw new ApiError(answer.status, {}, `The storage answers with status ${answer.status}`);
    return upload;
  }

  /** How much of an upload the service has. */
  getUpload = (id: string): Promise<Upload> => this.json('getUpload', { id });

  /** Removes an upload that no job uses. */
  async abandonUpload(id: string): Promise<void> {
    await this.call('abandonUpload', { id });
  }

  /** A page of jobs, newest first. */
  list(
    query: { state?: JobState[]; search?: string; limit?: number; cursor?: string } = {},
  ): Promise<{ jobs: Job[]; next: string | null }> {
    return this.json('listJobs', { query: { ...query, state: query.state?.join(',') } });
  }

  /** A job's present state. */
  get = (id: string): Promise<Job> => this.json('getJob', { id });
  /** Gives a job another name. */
  rename = (id: string, name: string): Promise<Job> => this.json('renameJob', { id, json: { name } });
  /** Asks for the end of a queued or running job; a running one ends at its next pause. */
  cancel = (id: string): Promise<Job> => this.json('cancelJob', { id });
  /** Queues a failed or cancelled job again. */
  retry = (id: string): Promise<Job> => this.json('retryJob', { id });

  /** Removes a finished job with its files. */
  async delete(id: string): Promise<void> {
    await this.call('deleteJob', { id });
  }

  /**
   * Events of a job from `after` on, until it ends. Connections that break are opened again where they broke, so a
   * restart of the server goes unnoticed but for the pause.
   */
  async *watch(id: string, options: { after?: number; signal?: AbortSignal } = {}): AsyncGenerator<JobEvent> {
    let after = options.after ?? 0;
    let pause = 500;
    for (;;) {
      try {
        const response = await this.call('watchJob', {
          id,
          headers: { accept: 'text/event-stream', 'last-event-id': String(after) },
          signal: options.signal,
        });
        if (response.status === 204 || !response.body) return;
        for await (const event of parseEvents(response.body)) {
          pause = 500;
          after = event.id;
          yield event;
        }
      } catch (error) {
        if (options.signal?.aborted) return;
        if (error instanceof ApiError && error.status < 500 && error.status !== 429) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(pause * 2, 10_000);
    }
  }

  /** Waits for the end of a job. */
  async wait(id: string, options: { signal?: AbortSignal; onEvent?: (event: JobEvent) => void } = {}): Promise<Job> {
    for await (const event of this.watch(id, options)) options.onEvent?.(event);
    return await this.get(id);
  }

  /** The files of a job's result. */
  async files(id: string): Promise<JobFile[]> {
    return (await this.json<{ files: JobFile[] }>('listFiles', { id })).files;
  }

  /**
   * Every file of a job's result: from the storage itself where clients reach it, so that its bytes do not pass the
   * service, and else from the service. What comes from the storage is held in memory, one file at a time, and compared
   * with its SHA-256 before it is given on; where it is another, or browsers give no SHA-256 (pages without TLS), the
   * service is asked, which checks what it sends and answers `RESULT_DAMAGED` where the file is spoiled.
   */
  async *fetchFiles(id: string, signal?: AbortSignal): AsyncGenerator<JobFile & { response: Response }> {
    const listed = await this.json<{ files: JobFile[] }>('listFiles', { id, query: { direct: 'true' } });
    for (const file of listed.files)
      yield { ...file, response: (await this.fetchDirect(file, signal)) ?? (await this.file(id, file.name, signal)) };
  }

  /** A file from the storage itself; absent where it cannot be had from there, or is not what it should be. */
  private async fetchDirect(
    { direct, sha256: expected }: JobFile,
    signal?: AbortSignal,
  ): Promise<Response | undefined> {
    if (!direct || !expected || !globalThis.crypto?.subtle) return undefined;
    try {
      // Without the key: the address says all, and the storage is not to learn it.
      const answer = await this.ask(direct, { signal });
      const data = await answer.arrayBuffer();
      const { status, headers } = answer;
      return answer.ok && (await sha256(data)) === expected ? new Response(data, { status, headers }) : undefined;
    } catch {
      if (signal?.aborted) throw signal.reason;
      return undefined;
    }
  }

  /** One file of a job's result. */
  file = (id: string, name: string, signal?: AbortSignal): Promise<Response> =>
    this.call('getFile', { id, name, signal });
  /** All files of a job's result as a zip. */
  download = (id: string, signal?: AbortSignal): Promise<Response> => this.call('downloadResult', { id, signal });

  /** Pictures of a job in progress, oldest first. */
  async previews(id: string): Promise<Preview[]> {
    return (await this.json<{ previews: Preview[] }>('listPreviews', { id })).previews;
  }

  /** One of those pictures. */
  preview = (id: string, name: string): Promise<Response> => this.call('getPreview', { id, name });

  /** The log from a byte on, and where it ends now. */
  async log(id: string, from = 0): Promise<{ text: string; end: number }> {
    const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
    const response = await this.call('getLog', { id, headers, allow: [416] });
    if (response.status === 416) return { text: '', end: from };
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { text: new TextDecoder().decode(bytes), end: (response.status === 206 ? from : 0) + bytes.length };
  }

  /** The methods that the service offers, and the formats that it writes. */
  methods = (): Promise<{ methods: MethodFacts[]; formats: AssetFormat[] }> => this.json('listMethods');

  /** The captures that come with the service. */
  async examples(): Promise<Example[]> {
    return (await this.json<{ examples: Example[] }>('listExamples')).examples;
  }

  /** A picture of one of them. */
  examplePicture = (name: string): Promise<Response> => this.call('getExamplePicture', { name });

  /** Healthy or not: `status` and `reasons` say. */
  health = (): Promise<Health> => this.json('getHealth', { allow: [503] });
  /** Whether the service can take work; as `health`, and 503 where it cannot. */
  ready = (): Promise<Health> => this.json('getReadiness', { allow: [503] });
  /** Whether the process answers at all. */
  live = (): Promise<{ status: 'alive' }> => this.json('getLiveness');

  /** Figures in Prometheus' text form. */
  async metrics(): Promise<string> {
    return await (await this.call('getMetrics')).text();
  }

  /** Webhook messages of a job, oldest first. */
  async deliveries(id: string): Promise<DeliveryFacts[]> {
    return (await this.json<{ deliveries: DeliveryFacts[] }>('listDeliveries', { id })).deliveries;
  }

  /** Sends a webhook message again, with the same id. */
  async redeliver(id: string, delivery: string): Promise<DeliveryFacts[]> {
    return (await this.json<{ deliveries: DeliveryFacts[] }>('redeliver', { id, delivery })).deliveries;
  }

  /** Makes a new secret that signs webhook messages, and tells it this once. Needs an admin key. */
  rotateWebhookSecret = (): Promise<RotatedSecret> => this.json('rotateWebhookSecret');

  /** The key of this client, its quotas, and what it has used of them. */
  ownKey = (): Promise<OwnKey> => this.json('getOwnKey');

  /** All keys, without their text. Needs an admin key. */
  async keys(): Promise<KeyFacts[]> {
    return (await this.json<{ keys: KeyFacts[] }>('listKeys')).keys;
  }

  /** Makes a key, whose text is told this once. Needs an admin key. */
  createKey = (name: string, scope: Scope, more: Omit<NewKey, 'name' | 'scope'> = {}): Promise<MadeKey> =>
    this.json('createKey', { json: { name, scope, ...more } });

  /** Makes a key worthless. Needs an admin key. */
  async revokeKey(id: string): Promise<void> {
    await this.call('revokeKey', { id });
  }

  /** Who changed what, newest first; `next` is the `before` of the next page. */
  audit(
    query: { limit?: number; before?: string; action?: string; key?: string; refused?: 'true' | 'false' } = {},
  ): Promise<{ entries: AuditEntry[]; next: string | null }> {
    return this.json('listAudit', { query });
  }

  private async json<T>(operation: OperationId, options: CallOptions = {}): Promise<T> {
    return (await (await this.call(operation, options)).json()) as T;
  }

  /** @throws `ApiError` */
  private async call(operation: OperationId, options: CallOptions = {}): Promise<Response> {
    const [method, template] = OPERATIONS[operation].split(' ');
    const path = template
      .replace('{id}', encodeURIComponent(options.id ?? ''))
      .replace('{delivery}', encodeURIComponent(options.delivery ?? ''))
      .replace('{name}', (options.name ?? '').split('/').map(encodeURIComponent).join('/'));
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(options.query ?? {}))
      if (value !== undefined && value !== '') query.set(name, String(value));
    const headers = new Headers(options.headers);
    if (this.options.key) headers.set('authorization', `Bearer ${this.options.key}`);
    if (options.json !== undefined) headers.set('content-type', 'application/json');
    const response = await this.ask(`${this.base}${path}${query.size > 0 ? `?${query}` : ''}`, {
      method,
      headers,
      body: options.json === undefined ? options.body : JSON.stringify(options.json),
      signal: options.signal,
    });
    if (response.ok || options.allow?.includes(response.status)) return response;
    const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
    throw new ApiError(
      response.status,
      problem,
      response.statusText,
      Number(response.headers.get('retry-after')) || undefined,
    );
  }
}

/** Tries of one request that the service puts off, or whose part arrived damaged. */
const TRIES = 10;

/**
 * Asks again, after the time that the service names, where too many uploads run (429) or a part was damaged on its way
 * (460).
 */
async function patiently<T>(ask: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      const again = error instanceof ApiError && (error.status === 429 || error.status === 460);
      if (!again || tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, (error.retryAfter ?? 0) * 1000));
      signal?.throwIfAborted();
    }
  }
}

/** SHA-256 of a part, where the page or program may compute it: browsers do on secure origins only. */
async function checksum(part: Blob): Promise<Record<string, string>> {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) return {};
  const digest = new Uint8Array(await subtle.digest('SHA-256', await part.arrayBuffer()));
  return { 'upload-checksum': `sha256 ${btoa(String.fromCharCode(...digest))}` };
}

const idempotency = (key: string | undefined): Record<string, string> =>
  key === undefined ? {} : { 'idempotency-key': key };

/** Events of a server-sent stream that carry an id. */
async function* parseEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<JobEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + decoder.decode(value, { stream: true })).replaceAll('\r\n', '\n').split('\n\n');
      rest = blocks.pop()!;
      for (const block of blocks) {
        const fields: Record<string, string> = {};
        for (const line of block.split('\n')) {
          const match = /^(id|event|data): ?(.*)$/.exec(line);
          if (match) fields[match[1]] = (fields[match[1]] === undefined ? '' : `${fields[match[1]]}\n`) + match[2];
        }
        if (fields.id !== undefined && fields.data !== undefined) {
          yield { ...JSON.parse(fields.data), id: Number(fields.id), type: fields.event } as JobEvent;
        }
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
