import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import { fastifySSE } from '@fastify/sse';
import swagger from '@fastify/swagger';
import fastify, { LogController } from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { PlinthError } from '../core/errors.js';
import { auditRefusals } from './access/auditRefusals.js';
import { requireKeys } from './access/guard.js';
import { guardHosts } from './access/hosts.js';
import { answerBadAddress, answerMalformed, handleErrors, JSON_BYTES } from './answerErrors.js';
import { guardBodies } from './bodies.js';
import { compressAnswers } from './compressAnswers.js';
import { type App, type Context, clientOf } from './context.js';
import { addDocsPage } from './docsPage.js';
import { addHeaders, allowOrigins } from './headers.js';
import {
  collectRoutes,
  completeDocument,
  documentInfo,
  type OpenApiDocument,
  type RouteFacts,
} from './openapi/openapi.js';
import { addPage, refuseMissing } from './page.js';
import { recordRequests } from './recordRequests.js';
import { auditRoutes } from './routes/audit.js';
import { catalogueRoutes } from './routes/catalogue.js';
import { eventRoutes } from './routes/events.js';
import { fileRoutes } from './routes/files.js';
import { healthRoutes } from './routes/health.js';
import { jobRoutes } from './routes/jobs.js';
import { keyRoutes } from './routes/keys.js';
import { uploadRoutes } from './routes/uploads.js';
import { webhookRoutes } from './routes/webhooks.js';
import { ZIP_TYPES } from './uploads/receive.js';
import { overriddenMethod, PART_TYPE, speakTus } from './uploads/tus.js';
import { UploadStore } from './uploads/uploadStore.js';

/** A socket without a byte in either direction for this long is closed. Event streams send a heartbeat more often. */
const IDLE_SOCKET_MS = 120_000;
const EVENT_HEARTBEAT_MS = 15_000;

/** Builds the HTTP application. It does not listen. */
export async function buildApp(context: Context, log: Logger): Promise<App> {
  const { settings } = context;
  const app = makeApp(context, log);
  const routes = collectRoutes(app as never);
  // Streams pass through; whoever handles the route reads them.
  const streamed = [...ZIP_TYPES, PART_TYPE];
  app.addContentTypeParser(streamed, (_request, payload, done) => done(null, payload));
  handleErrors(app);
  guardBodies(app, settings.limits.stallSeconds, streamed);
  recordRequests(app, context);
  auditRefusals(app, context);
  await addHeaders(app, settings.cors.origins);
  compressAnswers(app);
  guardHosts(app as never, settings);
  speakTus(app, settings.limits.bodyBytes);
  await allowOrigins(app, settings.cors.origins);
  requireKeys(app, context);
  refuseMissing(app, context, routes);
  await addPlugins(app, context, routes);
  const uploads = await UploadStore.open(context.service.incoming, context.service.disk, settings.limits);
  await app.register(async (scoped) => {
    const api = scoped as unknown as App;
    jobRoutes(api, context, uploads);
    eventRoutes(api, context);
    fileRoutes(api, context);
    uploadRoutes(api, context, uploads);
    catalogueRoutes(api, context);
    keyRoutes(api, context);
    webhookRoutes(api, context);
    auditRoutes(api, context);
    healthRoutes(api, context);
    api.get('/openapi.json', { schema: { hide: true }, config: { scope: 'public' } }, async (_request, reply) =>
      reply.send(app.swagger()),
    );
  });
  await addPage(app, context, routes);
  await app.ready();
  return app;
}

let sequence = 0;

function makeApp({ settings }: Context, log: Logger): App {
  const { trustedProxies } = settings;
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
    // A request without `Host` is refused in the words of all other refusals.
    http: { requireHostHeader: false },
    rewriteUrl: (request) => {
      const url = request.url ?? '/';
      request.method = overriddenMethod(request.method, url, request.headers['x-http-method-override']);
      return url;
    },
    trustProxy: trustedProxies.length > 0 ? trustedProxies : false,
    frameworkErrors: answerBadAddress as never,
    clientErrorHandler: answerMalformed,
  }).withTypeProvider<ZodTypeProvider>();
  app.server.headersTimeout = 20_000;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  return app;
}

/** Limits of requests, forms, event streams, and the document of the API with its page. */
async function addPlugins(app: App, { settings, secured }: Context, routes: RouteFacts[]): Promise<void> {
  await app.register(rateLimit, {
    max: settings.limits.requestsPerMinute,
    timeWindow: '1 minute',
    keyGenerator: clientOf,
    errorResponseBuilder: (_request, limit) =>
      new PlinthError('RATE_LIMITED', {
        found: `More than ${limit.max} requests within a minute`,
        remedy: `Go on in ${Math.ceil(limit.ttl / 1000)} s`,
      }),
  });
  await app.register(multipart, { throwFileSizeLimit: false });
  await app.register(fastifySSE, { heartbeatInterval: EVENT_HEARTBEAT_MS });
  await app.register(swagger, {
    openapi: { openapi: '3.1.1', info: documentInfo, tags: TAGS },
    transform: jsonSchemaTransform,
    transformObject: (input) =>
      completeDocument(jsonSchemaTransformObject(input) as unknown as OpenApiDocument, routes, secured) as never,
  });
  await addDocsPage(app);
}

const TAGS = [
  { name: 'jobs', description: 'Submit, follow and end jobs.' },
  { name: 'results', description: 'Files, previews and logs.' },
  { name: 'uploads', description: 'Uploads that may be interrupted.' },
  { name: 'catalogue', description: 'What there is to choose from.' },
  { name: 'health', description: 'Health and metrics.' },
  { name: 'webhooks', description: 'Messages about jobs that ended.' },
  { name: 'keys', description: 'API keys, and who did what.' },
];
