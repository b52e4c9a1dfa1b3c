import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { jobRequestSchema, jsonJobSchema } from '../../api/jobRequest.js';
import { problemSchema } from '../../api/problem.js';
import { ERROR_CODES, type ErrorCode, PlinthError } from '../../core/errors.js';
import { VERSION } from '../../core/version.js';
import { PROBLEM_TYPE, statusOf, toProblem } from '../problem.js';
import { ANSWER_EXAMPLES, BODY_EXAMPLES, TEXT_EXAMPLES, WEBHOOK_EXAMPLE } from './openapiExamples.js';

/** What every route may answer. */
const COMMON: ErrorCode[] = ['REQUEST_INVALID', 'HOST_REFUSED', 'INTERNAL', 'DATABASE_UNAVAILABLE'];
/** What every route may answer that changes something: the last three to a body, wanted or not. */
const CHANGING: ErrorCode[] = ['ORIGIN_REFUSED', 'UPLOAD_TYPE_UNSUPPORTED', 'UPLOAD_TOO_LARGE', 'UPLOAD_TOO_SLOW'];
const SECURED: ErrorCode[] = ['UNAUTHENTICATED', 'FORBIDDEN'];

interface Answer {
  description: string;
  headers?: Record<string, object>;
  content?: Record<string, { schema?: object; example?: unknown; examples?: object }>;
}
interface Operation {
  operationId?: string;
  parameters?: object[];
  requestBody?: object;
  responses: Record<string, Answer>;
  security?: object[];
  [extension: `x-${string}`]: unknown;
}
export interface OpenApiDocument {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components?: {
    schemas?: Record<string, object>;
    securitySchemes?: Record<string, object>;
    headers?: Record<string, object>;
  };
  [name: string]: unknown;
}

/** What the document's routes say in their `config`, collected while they are added. */
export interface RouteFacts {
  method: string;
  url: string;
  scope: string;
  /** Counted against `limits.requestsPerMinute`. */
  limited: boolean;
  errors: ErrorCode[];
}

export function collectRoutes(app: FastifyInstance): RouteFacts[] {
  const routes: RouteFacts[] = [];
  app.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) {
      const { scope = 'read', errors = [], rateLimit } = route.config ?? {};
      routes.push({ method, url: route.url, scope, limited: rateLimit !== false, errors });
    }
  });
  return routes;
}

/** Answers that are no JSON. */
const BINARY: Record<string, { type: string; description: string; partial?: boolean }> = {
  getFile: { type: '*/*', description: 'The file, with its own media type.', partial: true },
  getPreview: { type: 'image/*', description: 'The picture.', partial: true },
  getExamplePicture: { type: 'image/*', description: 'The picture.' },
  getLog: { type: 'text/plain', description: 'The log.', partial: true },
  downloadResult: { type: 'application/zip', description: 'The zip.' },
  watchJob: { type: 'text/event-stream', description: 'Events.' },
  getMetrics: { type: 'text/plain', description: 'Metrics.' },
};

const text = (description: string): object => ({ description, schema: { type: 'string' } });
/** Headers of answers, by name. */
const HEADERS: Record<string, object> = {
  RequestId: text('Id of the request, as in the log.'),
  RetryAfter: { description: 'Seconds to wait.', schema: { type: 'integer' } },
  Location: text('Address of what was made.'),
  IdempotentReplayed: text('`true` where an earlier request with the same Idempotency-Key made the job.'),
  UploadOffset: { description: 'Where the next part begins.', schema: { type: 'integer' } },
  UploadLength: { description: 'Bytes of the whole file.', schema: { type: 'integer' } },
  UploadMetadata: text('Names with values in base64.'),
  UploadExpires: text('When it is removed if nobody goes on with it.'),
  ETag: text('For If-None-Match and If-Range.'),
  LastModified: text('When it was stored.'),
  AcceptRanges: text('`bytes`'),
  ContentRange: text('Which bytes these are, of how many.'),
  WwwAuthenticate: text('`Bearer`'),
};
/** Headers that single answers carry, by operation and status. */
const ANSWER_HEADERS: Record<string, Record<string, string[]>> = {
  submitJob: { 202: ['Location', 'IdempotentReplayed'] },
  beginUpload: { 201: ['Location'] },
  createTusUpload: { 201: ['Location', 'UploadOffset', 'UploadExpires'] },
  appendToUpload: { 200: ['UploadOffset', 'UploadExpires'], 204: ['UploadOffset', 'UploadExpires'] },
  getUploadOffset: { 200: ['UploadOffset', 'UploadLength', 'UploadMetadata', 'UploadExpires'] },
};
const STATUS_HEADERS: Record<string, string[]> = {
  401: ['WwwAuthenticate'],
  416: ['ContentRange'],
  429: ['RetryAfter'],
  503: ['RetryAfter'],
  507: ['RetryAfter'],
};

/** Fills in what the routes' schemas cannot say: bodies that are streamed, errors with examples, who may call. */
export function completeDocument(document: OpenApiDocument, routes: RouteFacts[], secured: boolean): OpenApiDocument {
  document.openapi = '3.1.1';
  document.servers = [{ url: '/' }];
  document.components ??= {};
  document.components.schemas ??= {};
  const { schemas } = document.components;
  schemas.Problem ??= z.toJSONSchema(problemSchema, { io: 'output' });
  schemas.ErrorCode = {
    type: 'string',
    enum: Object.keys(ERROR_CODES),
    description: 'Every code; see docs/errors.md.',
  };
  for (const name of ['Problem', 'Failure']) {
    const { properties } = schemas[name] as { properties: Record<string, object> };
    properties.code = { $ref: '#/components/schemas/ErrorCode' };
  }
  document.components.headers = HEADERS;
  document.components.securitySchemes = {
    key: { type: 'http', scheme: 'bearer', description: 'API key, made by `plinth keys create`.' },
    keyHeader: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same key.' },
  };

  for (const { method, url, scope, limited, errors } of routes) {
    const path = url.replace(/:(\w+)/g, '{$1}').replace('*', '{name}');
    const operation =
      document.paths[path.replace('{name}', '{*}')]?.[method.toLowerCase()] ??
      document.paths[path]?.[method.toLowerCase()];
    if (!operation) continue;
    const id = operation.operationId ?? '';
    operation['x-scope'] = scope;
    const open = !secured || scope === 'optional';
    operation.security = scope === 'public' ? [] : [{ key: [] }, { keyHeader: [] }, ...(open ? [{}] : [])];
    const codes: ErrorCode[] = [
      ...errors,
      ...(scope === 'public' || scope === 'optional' ? [] : SECURED),
      ...(limited ? (['RATE_LIMITED'] as const) : []),
      ...(['GET', 'HEAD'].includes(method) ? [] : CHANGING),
      ...COMMON,
    ];
    for (const [status, of] of groupByStatus(codes)) {
      operation.responses[status] ??= problemResponse(of);
    }
    addBinaryAnswers(id, operation);
    if (id === 'submitJob') {
      operation.requestBody = submitBody();
      operation.parameters = [...(operation.parameters ?? []), ...ZIP_FIELDS];
    }
    if (id === 'appendToUpload' || id === 'createTusUpload') {
      operation.requestBody = {
        required: id === 'appendToUpload',
        content: { 'application/offset+octet-stream': { schema: { type: 'string', format: 'binary' } } },
      };
    }
    addExamples(id, operation);
    for (const [status, answer] of Object.entries(operation.responses)) {
      const names = ['RequestId', ...(STATUS_HEADERS[status] ?? []), ...(ANSWER_HEADERS[id]?.[status] ?? [])];
      answer.headers = { ...answer.headers, ...headersOf(names) };
    }
  }
  document.webhooks = { jobEnded: { post: WEBHOOK } };
  dropUnused(document);
  // A wildcard is a path parameter called `name` to the outside.
  for (const path of Object.keys(document.paths)) {
    if (!path.includes('{*}')) continue;
    const text = JSON.stringify(document.paths[path]).replaceAll('"name":"*"', '"name":"name"');
    delete document.paths[path];
    document.paths[path.replace('{*}', '{name}')] = JSON.parse(text);
  }
  return document;
}

export const documentInfo = {
  title: 'Plinth',
  version: VERSION,
  description:
    'From pictures of an object to a measured, textured 3D asset. Errors are `application/problem+json` with ' +
    'a stable `code`; docs/errors.md lists them all.',
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
};

function groupByStatus(codes: ErrorCode[]): [string, ErrorCode[]][] {
  const groups = new Map<string, ErrorCode[]>();
  for (const code of new Set(codes)) {
    const status = String(statusOf(code));
    groups.set(status, [...(groups.get(status) ?? []), code]);
  }
  return [...groups];
}

function problemResponse(codes: ErrorCode[]): Answer {
  const examples = Object.fromEntries(
    codes.map((code) => [
      code,
      {
        summary: ERROR_CODES[code][1],
        value: toProblem(new PlinthError(code, { found: ERROR_CODES[code][1].replace(/\.$/, '') }), 'req-1'),
      },
    ]),
  );
  return {
    description: codes.map((code) => `\`${code}\`: ${ERROR_CODES[code][1]}`).join(' '),
    content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' }, examples } },
  };
}

const headersOf = (names: string[]): Record<string, object> =>
  Object.fromEntries(
    names.map((name) => [
      name === 'RequestId' ? 'X-Request-Id' : name.replace(/(?<=[a-z])(?=[A-Z])/g, '-'),
      { $ref: `#/components/headers/${name}` },
    ]),
  );

function addBinaryAnswers(id: string, operation: Operation): void {
  const binary = BINARY[id];
  if (!binary) return;
  // Bytes have no schema, and a stream of events is no string as a whole.
  const content = { [binary.type]: { schema: binary.type === 'text/plain' ? { type: 'string' } : {} } };
  const headers = binary.partial ? headersOf(['ETag', 'LastModified', 'AcceptRanges']) : undefined;
  operation.responses['200'] = { description: binary.description, content, headers };
  if (binary.partial) {
    const range = { ...headers, ...headersOf(['ContentRange']) };
    operation.responses['206'] = { description: 'The range that was asked for.', content, headers: range };
    operation.responses['304'] = { description: 'What the client has is still right.', headers };
  }
  if (id === 'watchJob') operation.responses['204'] = { description: 'The job has ended and there is nothing new.' };
}

function addExamples(id: string, { responses, requestBody }: Operation): void {
  for (const [status, examples] of Object.entries(ANSWER_EXAMPLES[id] ?? {})) {
    const content = responses[status].content!['application/json'];
    content.examples = examples;
  }
  const body = (requestBody as Pick<Answer, 'content'> | undefined)?.content?.['application/json'];
  if (body && BODY_EXAMPLES[id]) body.examples = BODY_EXAMPLES[id];
  if (TEXT_EXAMPLES[id]) {
    const [content] = Object.values(responses['200'].content!);
    content.example = TEXT_EXAMPLES[id];
  }
}

/**
 * Schemas are listed in both directions, as they are read and as they are written; most have no use for one of them.
 */
function dropUnused(document: OpenApiDocument): void {
  const { schemas } = document.components!;
  for (;;) {
    const used = new Set(
      [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name),
    );
    const unused = Object.keys(schemas!).filter((name) => !used.has(name));
    if (unused.length === 0) return;
    for (const name of unused) delete schemas![name];
  }
}

/** Sent where a job named a webhook, signed as Standard Webhooks says. */
const WEBHOOK = {
  operationId: 'jobEnded',
  tags: ['jobs'],
  summary: 'A job ended',
  description:
    'Sent to the `webhook.url` of a job, signed as [Standard Webhooks](https://www.standardwebhooks.com) ' +
    'says, and again until it is taken.',
  parameters: [
    {
      in: 'header',
      name: 'webhook-id',
      required: true,
      schema: { type: 'string' },
      description: 'The same at every try.',
    },
    {
      in: 'header',
      name: 'webhook-timestamp',
      required: true,
      schema: { type: 'integer' },
      description: 'Unix seconds.',
    },
    {
      in: 'header',
      name: 'webhook-signature',
      required: true,
      schema: { type: 'string' },
      description: '`v1,` and HMAC-SHA256 in base64.',
    },
  ],
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: {
          type: 'object',
          required: ['type', 'timestamp', 'data'],
          properties: {
            type: { enum: ['job.succeeded', 'job.failed', 'job.cancelled'] },
            timestamp: { type: 'string', format: 'date-time' },
            data: {
              type: 'object',
              required: ['id', 'name', 'state', 'failure', 'runs'],
              properties: {
                id: { type: 'string', format: 'uuid' },
                name: { type: 'string' },
                state: { enum: ['succeeded', 'failed', 'cancelled'] },
                failure: { anyOf: [{ $ref: '#/components/schemas/Failure' }, { type: 'null' }] },
                runs: { type: 'array', items: { type: 'object' } },
              },
            },
          },
        },
        examples: { example: { summary: 'It succeeded', value: WEBHOOK_EXAMPLE } },
      },
    },
  },
  responses: {
    '2XX': { description: 'Taken.' },
    default: { description: 'Anything else, or no answer within seconds: it is sent again later.' },
  },
};

const FIELDS: Record<string, string> = {
  name: 'Words for people.',
  method: 'One method.',
  preset: 'Its preset.',
  options: 'Its options as JSON.',
  seed: 'Seed.',
  holdout: 'Hold every n-th view out.',
  invertMasks: 'Exchange object and background in the masks: true or false.',
  scale: 'A known length of photos as JSON.',
  formats: 'Formats, separated by commas.',
  priority: 'Priority.',
  webhook: 'Webhook as JSON.',
};
const ZIP_FIELDS = [
  ...Object.entries(FIELDS),
  ['request', 'The whole request as JSON, instead of the other fields.'],
].map(([name, description]) => ({
  in: 'query',
  name,
  description: `${description} Only with a raw zip as the body.`,
  schema: { type: 'string' },
}));

function submitBody(): object {
  const schemaOf = (schema: z.ZodType): object => {
    const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
    return rest;
  };
  const field = (description: string): object => ({ type: 'string', description });
  return {
    required: true,
    content: {
      'multipart/form-data': {
        schema: {
          type: 'object',
          properties: {
            files: {
              type: 'array',
              minItems: 1,
              items: { type: 'string', format: 'binary' },
              description: 'Pictures with their metadata, or one zip. File names may hold folders.',
            },
            request: {
              ...schemaOf(jobRequestSchema),
              description: 'The whole request as JSON, instead of the fields below.',
            },
            ...Object.fromEntries(Object.entries(FIELDS).map(([name, of]) => [name, field(of)])),
          },
          required: ['files'],
        },
      },
      'application/zip': {
        schema: { type: 'string', format: 'binary', description: 'A capture; the fields are in the query.' },
      },
      'application/json': {
        schema: {
          ...schemaOf(jsonJobSchema),
          oneOf: [{ required: ['upload'] }, { required: ['example'] }, { required: ['again'] }],
        },
      },
    },
  };
}
