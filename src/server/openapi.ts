import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { ERROR_CODES, type ErrorCode, PlinthError } from '../core/errors.js';
import { VERSION } from '../core/version.js';
import { jobRequestSchema } from '../jobs/jobRequest.js';
import { jsonJobSchema } from './acceptJob.js';
import { PROBLEM_TYPE, problemSchema, statusOf, toProblem } from './problem.js';

/** What every route may answer. */
const COMMON: ErrorCode[] = ['REQUEST_INVALID', 'RATE_LIMITED', 'INTERNAL', 'DATABASE_UNAVAILABLE'];
const SECURED: ErrorCode[] = ['UNAUTHENTICATED', 'FORBIDDEN'];

interface Operation {
  operationId?: string;
  parameters?: object[];
  requestBody?: object;
  responses: Record<string, object>;
  security?: object[];
  [extension: `x-${string}`]: unknown;
}
export interface OpenApiDocument {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, object>; securitySchemes?: Record<string, object> };
  [name: string]: unknown;
}

/** What the document's routes say in their `config`, collected while they are added. */
export interface RouteFacts {
  method: string;
  url: string;
  scope: string;
  errors: ErrorCode[];
}

export function collectRoutes(app: FastifyInstance): RouteFacts[] {
  const routes: RouteFacts[] = [];
  app.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) {
      routes.push({ method, url: route.url, scope: route.config?.scope ?? 'read', errors: route.config?.errors ?? [] });
    }
  });
  return routes;
}

/** Answers that are no JSON. */
const BINARY: Record<string, { type: string; description: string; partial?: boolean }> = {
  getFile: { type: '*/*', description: 'The file, with its own media type.', partial: true },
  getPreview: { type: 'image/*', description: 'The picture.', partial: true },
  getLog: { type: 'text/plain', description: 'The log.', partial: true },
  downloadResult: { type: 'application/zip', description: 'The zip.' },
  watchJob: { type: 'text/event-stream', description: 'Events.' },
  getMetrics: { type: 'text/plain', description: 'Metrics.' },
};

/** Fills in what the routes' schemas cannot say: bodies that are streamed, errors with examples, who may call. */
export function completeDocument(document: OpenApiDocument, routes: RouteFacts[], secured: boolean): OpenApiDocument {
  document.openapi = '3.1.1';
  document.components ??= {};
  document.components.schemas ??= {};
  const { schemas } = document.components;
  schemas.Problem ??= z.toJSONSchema(problemSchema, { io: 'output' });
  schemas.ErrorCode = {
    type: 'string',
    enum: Object.keys(ERROR_CODES),
    description: 'Every code; see docs/errors.md.',
  };
  document.components.securitySchemes = {
    key: { type: 'http', scheme: 'bearer', description: 'API key, made by `plinth keys create`.' },
  };

  for (const { method, url, scope, errors } of routes) {
    const path = url.replace(/:(\w+)/g, '{$1}').replace('*', '{name}');
    const operation =
      document.paths[path.replace('{name}', '{*}')]?.[method.toLowerCase()] ??
      document.paths[path]?.[method.toLowerCase()];
    if (!operation) continue;
    operation['x-scope'] = scope;
    operation.security = scope === 'public' ? [] : [{ key: [] }, ...(secured ? [] : [{}])];
    const codes = scope === 'public' ? [...errors, ...COMMON] : [...errors, ...SECURED, ...COMMON];
    for (const [status, of] of groupByStatus(codes)) {
      operation.responses[status] ??= problemResponse(of);
    }
    const binary = operation.operationId ? BINARY[operation.operationId] : undefined;
    if (binary) {
      const content = {
        [binary.type]: { schema: { type: 'string', ...(binary.type.startsWith('text') ? {} : { format: 'binary' }) } },
      };
      operation.responses['200'] = { description: binary.description, content };
      if (binary.partial) {
        operation.responses['206'] = { description: 'The range that was asked for.', content };
        operation.responses['304'] = { description: 'What the client has is still right.' };
      }
      if (operation.operationId === 'watchJob') {
        operation.responses['204'] = { description: 'The job has ended and there is nothing new.' };
        content['text/event-stream'] = { ...content['text/event-stream'], ...{ example: EVENT_EXAMPLE } };
      }
    }
    if (operation.operationId === 'submitJob') operation.requestBody = submitBody();
    if (operation.operationId === 'appendToUpload') {
      operation.requestBody = {
        required: true,
        content: { 'application/offset+octet-stream': { schema: { type: 'string', format: 'binary' } } },
      };
    }
  }
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
    'From pictures of an object to a measured, textured 3D asset. Errors are `application/problem+json` with a stable `code`; docs/errors.md lists them all.',
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

function problemResponse(codes: ErrorCode[]): object {
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

const EVENT_EXAMPLE = [
  'id: 1\nevent: state\ndata: {"state":"queued","at":"2026-01-01T12:00:00.000Z"}\n',
  'id: 7\nevent: progress\ndata: {"run":"fusion","stage":"fuse","title":"Fusing depth","fraction":0.5,"overall":0.3,"remainingSeconds":12,"metrics":{"psnr":27.1}}\n',
].join('\n');

function submitBody(): object {
  const schemaOf = (schema: z.ZodType): object => {
    const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
    return rest;
  };
  const text = (description: string): object => ({ type: 'string', description });
  return {
    required: true,
    content: {
      'multipart/form-data': {
        schema: {
          type: 'object',
          properties: {
            files: {
              type: 'array',
              items: { type: 'string', format: 'binary' },
              description: 'Pictures with their metadata, or one zip. File names may hold folders.',
            },
            request: {
              ...schemaOf(jobRequestSchema),
              description: 'The whole request as JSON, instead of the fields below.',
            },
            name: text('Words for people.'),
            method: text('One method.'),
            preset: text('Its preset.'),
            options: text('Its options as JSON.'),
            seed: text('Seed.'),
            holdout: text('Hold every n-th view out.'),
            formats: text('Formats, separated by commas.'),
            priority: text('Priority.'),
            webhook: text('Webhook as JSON.'),
          },
          required: ['files'],
        },
      },
      'application/zip': {
        schema: { type: 'string', format: 'binary', description: 'A capture; the fields are in the query.' },
      },
      'application/json': {
        schema: schemaOf(jsonJobSchema),
        examples: {
          example: {
            summary: 'A bundled capture',
            value: { example: 'vase-six', methods: [{ method: 'fusion', preset: 'draft' }] },
          },
          upload: {
            summary: 'A complete upload',
            value: { upload: '3f2b6c1e-8a54-4f0e-9d0b-0f2f6f3f7a11', name: 'My vase' },
          },
        },
      },
    },
  };
}
