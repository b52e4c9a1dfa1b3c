import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import { fastifySSE } from '@fastify/sse';
import fixedFiles from '@fastify/static';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fastify, { type FastifyError, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { PlinthError, toPlinthError } from '../core/errors.js';
import { guardBodies, letRestPass } from './bodies.js';
import type { App, Context } from './context.js';
import { ownerOf } from './context.js';
import {
  collectRoutes,
  completeDocument,
  documentInfo,
  type OpenApiDocument,
  type RouteFacts,
} from './openapi/openapi.js';
import { FieldError, PROBLEM_TYPE, statusOf, toProblem } from './problem.js';
import { catalogueRoutes } from './routes/catalogue.js';
import { eventRoutes } from './routes/events.js';
import { fileRoutes } from './routes/files.js';
import { healthRoutes } from './routes/health.js';
import { jobRoutes } from './routes/jobs.js';
import { keyRoutes } from './routes/keys.js';
import { uploadRoutes } from './routes/uploads.js';
import { webhookRoutes } from './routes/webhooks.js';
import { endRequestSpan, startRequestSpan } from './telemetry.js';
import { ZIP_TYPES } from './uploads/receive.js';
import { overriddenMethod, PART_TYPE, speakTus } from './uploads/tus.js';
import { UploadStore } from './uploads/uploadStore.js';

/** JSON bodies; uploads are streamed and have their own limit. */
const JSON_BYTES = 1024 * 1024;
/** A socket without a byte in either direction for this long is closed. Event streams send a heartbeat more often. */
const IDLE_SOCKET_MS = 120_000;
const EVENT_HEARTBEAT_MS = 15_000;
/** What logs, metrics and traces say of a request whose client left before the answer. */
const CLIENT_LEFT = 499;
const PAGE = fileURLToPath(new URL('../../dist/web', import.meta.url));

/** Builds the HTTP application. It does not listen. */
export async function buildApp(context: Context, log: Logger): Promise<App> {
  const { settings } = context;
  const app: App = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: JSON_BYTES,
    requestTimeout: 0,
    connectionTimeout: IDLE_SOCKET_MS,
    keepAliveTimeout: 72_000,
    routerOptions: { maxParamLength: 1000 },
    requestIdHeader: false,
    genReqId: () => `req-${Date.now().toString(36)}-${(sequence++).toString(36)}`,
    forceCloseConnections: true,
    rewriteUrl: (request) => {
      const url = request.url ?? '/';
      request.method = overriddenMethod(request.method, url, request.headers['x-http-method-override']);
      return url;
    },
    clientErrorHandler: answerMalformed,
  }).withTypeProvider<ZodTypeProvider>();
  app.server.headersTimeout = 20_000;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  const routes = collectRoutes(app as never);

  // Streams pass through; whoever handles the route reads them.
  const streamed = [...ZIP_TYPES, PART_TYPE];
  app.addContentTypeParser(streamed, (_request, payload, done) => done(null, payload));
  guardBodies(app, settings.limits.stallSeconds, streamed);

  const record = (request: FastifyRequest, reply: FastifyReply, status: number): void => {
    const route = request.routeOptions.url ?? 'unknown';
    endRequestSpan(request, route, status);
    context.metrics.request(request.method, route, status, reply.elapsedTime / 1000);
    const level = route.startsWith('/health') || route === '/metrics' ? 'debug' : 'info';
    const { method, url, apiKey } = request;
    request.log[level]({ method, url, status, ms: Math.round(reply.elapsedTime), key: apiKey?.id }, 'request');
  };
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    request.span = startRequestSpan(request);
    // `onResponse` does not run for a client that left before its answer.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) record(request, reply, CLIENT_LEFT);
    });
  });
  app.addHook('onResponse', async (request, reply) => record(request, reply, reply.statusCode));

  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        baseUri: ["'none'"],
        connectSrc: ["'self'", 'blob:'],
        fontSrc: ["'self'", 'data:'],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        frameSrc: ["'self'", 'blob:'],
        imgSrc: ["'self'", 'data:', 'blob:'],
        manifestSrc: ["'self'"],
        mediaSrc: ["'self'", 'blob:'],
        objectSrc: ["'none'"],
        // Mesh decompression is WebAssembly.
        scriptSrc: ["'self'", "'wasm-unsafe-eval'"],
        styleSrc: ["'self'"],
        workerSrc: ["'self'", 'blob:'],
      },
    },
    crossOriginEmbedderPolicy: false,
    crossOriginResourcePolicy: { policy: settings.cors.origins.length > 0 ? 'cross-origin' : 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    // Plinth itself speaks plain HTTP; a proxy with a certificate sets this.
    strictTransportSecurity: false,
  });
  speakTus(app, settings.limits.bodyBytes);
  if (settings.cors.origins.length > 0) {
    await app.register(cors, {
      origin: settings.cors.origins.includes('*') ? '*' : settings.cors.origins,
      methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
      // `OPTIONS` of the tus protocol is no question of a browser.
      strictPreflight: false,
      allowedHeaders: [
        'authorization',
        'x-api-key',
        'content-type',
        'idempotency-key',
        'last-event-id',
        'upload-offset',
        'upload-length',
        'upload-metadata',
        'upload-checksum',
        'tus-resumable',
        'x-http-method-override',
        'x-requested-with',
        'range',
        'if-range',
        'if-none-match',
        'traceparent',
      ],
      exposedHeaders: [
        'location',
        'etag',
        'content-range',
        'retry-after',
        'upload-offset',
        'upload-length',
        'upload-metadata',
        'upload-expires',
        'tus-resumable',
        'tus-version',
        'tus-extension',
        'tus-max-size',
        'tus-checksum-algorithm',
        'x-request-id',
        'idempotent-replayed',
      ],
      maxAge: 600,
    });
  }
  requireKeys(app, context);
  await app.register(rateLimit, {
    max: settings.limits.requestsPerMinute,
    timeWindow: '1 minute',
    keyGenerator: (request) => (request.apiKey ? ownerOf(request) : request.ip),
    errorResponseBuilder: (_request, limit) =>
      new PlinthError('RATE_LIMITED', {
        found: `More than ${limit.max} requests within a minute`,
        remedy: `Go on in ${Math.ceil(limit.ttl / 1000)} s`,
      }),
  });
  // Before anything is read of a body that nobody waits for.
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404 && request.method !== 'GET' && request.method !== 'HEAD') throw missing(routes, request, reply);
  });
  await app.register(multipart, { throwFileSizeLimit: false });
  await app.register(fastifySSE, { heartbeatInterval: EVENT_HEARTBEAT_MS });
  await app.register(swagger, {
    openapi: { openapi: '3.1.1', info: documentInfo, tags: TAGS },
    transform: jsonSchemaTransform,
    transformObject: (input) =>
      completeDocument(
        jsonSchemaTransformObject(input) as unknown as OpenApiDocument,
        routes,
        context.secured,
      ) as never,
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    uiConfig: { deepLinking: true, displayRequestDuration: true, tryItOutEnabled: true },
  });

  handleErrors(app);
  const uploads = await UploadStore.open(context.service.incoming, context.service.disk, settings.limits);
  await app.register(async (scoped) => {
    const api = scoped as unknown as App;
    jobRoutes(api, context, uploads);
    eventRoutes(api, context);
    fileRoutes(api, context);
    uploadRoutes(api, context, uploads);
    catalogueRoutes(api);
    keyRoutes(api, context);
    webhookRoutes(api, context);
    healthRoutes(api, context);
    api.get('/openapi.json', { schema: { hide: true }, config: { scope: 'public' } }, async (_request, reply) =>
      reply.send(app.swagger()),
    );
  });
  if (existsSync(join(PAGE, 'index.html'))) {
    // The page asks for the key itself, so it must load without one. The plugin's routes take no `config` of their own.
    app.addHook('onRoute', (route) => {
      if (pageRoutes) route.config = { ...route.config, scope: 'public', rateLimit: false };
    });
    let pageRoutes = true;
    await app.register(fixedFiles, {
      root: PAGE,
      wildcard: false,
      setHeaders: (reply, path) => {
        reply.header(
          'cache-control',
          /[\\/]assets[\\/]/.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
        );
      },
    });
    pageRoutes = false;
  }
  app.setNotFoundHandler((request, reply) => {
    const wants = request.headers.accept ?? '';
    const path = request.url.split('?')[0];
    const page =
      request.method === 'GET' && wants.includes('text/html') && !/^\/(v1|health|metrics|docs|openapi)/.test(path);
    if (page && existsSync(join(PAGE, 'index.html'))) return reply.sendFile('index.html');
    throw missing(routes, request, reply);
  });
  await app.ready();
  return app;
}

/** What answers an address or method that there is not. */
function missing(routes: RouteFacts[], request: FastifyRequest, reply: FastifyReply): PlinthError {
  const path = request.url.split('?')[0];
  const allowed = routes.filter((r) => patternOf(r.url).test(path)).map((r) => r.method);
  if (allowed.length > 0 && !allowed.includes(request.method)) {
    reply.header('allow', allowed.join(', '));
    return new PlinthError('METHOD_NOT_ALLOWED', {
      found: `${request.method} ${path}`,
      expected: allowed.join(', '),
      subject: request.method,
    });
  }
  return new PlinthError('ROUTE_NOT_FOUND', {
    found: `There is nothing at ${path}`,
    remedy: 'See /docs for every address',
    subject: path,
  });
}

let sequence = 0;

const TAGS = [
  { name: 'jobs', description: 'Submit, follow and end jobs.' },
  { name: 'results', description: 'Files, previews and logs.' },
  { name: 'uploads', description: 'Uploads that may be interrupted.' },
  { name: 'catalogue', description: 'What there is to choose from.' },
  { name: 'health', description: 'Health and metrics.' },
  { name: 'webhooks', description: 'Messages about jobs that ended.' },
  { name: 'keys', description: 'API keys.' },
];

/** Where API keys are on, lets requests pass by their key's scope alone. */
export function requireKeys(app: App, context: Context): void {
  if (!context.secured) return;
  app.addHook('onRequest', async (request) => {
    const scope = request.is404 ? 'public' : (request.routeOptions.config.scope ?? 'read');
    if (scope === 'public') return;
    request.apiKey = await context.keys.require(keyOf(request), scope);
  });
}

/** From `Authorization: Bearer` or `X-API-Key`. */
function keyOf(request: FastifyRequest): string | undefined {
  const bearer = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const header = request.headers['x-api-key'];
  return bearer ?? (typeof header === 'string' ? header : undefined);
}

const patternOf = (url: string): RegExp =>
  new RegExp(
    `^${url
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replace(/:\w+/g, '[^/]+')
      .replace('*', '.+')}$`,
  );

/** Answers errors as problem+json. */
export function handleErrors(app: App): void {
  app.setErrorHandler((error: FastifyError | PlinthError, request: FastifyRequest, reply: FastifyReply) => {
    const coded = toCoded(error);
    const status = statusOf(coded.code);
    if (status >= 500) request.log.error({ err: error, code: coded.code }, 'a request failed');
    if (status === 401) reply.header('www-authenticate', 'Bearer');
    if (status === 503 || status === 507 || status === 429) {
      if (!reply.hasHeader('retry-after')) reply.header('retry-after', '5');
    }
    letRestPass(request);
    reply.removeHeader('content-length');
    return reply.code(status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(toProblem(coded, request.id));
  });
}

/** Requests that are no HTTP, or whose headers take too long, never reach a route. */
function answerMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return;
  const slow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const coded = slow
    ? new PlinthError('UPLOAD_TOO_SLOW', { found: 'The request did not arrive in time' })
    : new FieldError([{ field: '', message: 'the request is no complete HTTP request' }]);
  const problem = toProblem(coded, 'none');
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${slow ? 'Request Timeout' : 'Bad Request'}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function toCoded(error: FastifyError | PlinthError): PlinthError {
  if (error instanceof PlinthError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const where = error.validationContext ?? 'request';
    return new FieldError(
      error.validation.map((v) => ({
        field: v.instancePath.replace(/^\//, '').replaceAll('/', '.') || where,
        message: v.message ?? 'is wrong',
      })),
      where,
    );
  }
  const { code, statusCode, message } = error;
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new PlinthError('UPLOAD_TYPE_UNSUPPORTED', { found: message, subject: 'Content-Type' });
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new PlinthError('UPLOAD_TOO_LARGE', { found: message, expected: `at most ${JSON_BYTES} bytes of JSON` });
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new FieldError([{ field: 'body', message }]);
  }
  if (statusCode === 406)
    return new PlinthError('NOT_ACCEPTABLE', { found: message, expected: 'text/event-stream', subject: 'Accept' });
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new FieldError([{ field: '', message }]);
  return toPlinthError(error);
}
