import type { FastifyReply, FastifyRequest } from 'fastify';
import { addAudit } from './access/audit.js';
import { actorOf } from './access/guard.js';
import type { App, Context } from './context.js';
import { endRequestSpan, startRequestSpan } from './telemetry.js';

/** What logs, metrics and traces say of a request whose client left before the answer. */
const CLIENT_LEFT = 499;
const READS = ['GET', 'HEAD', 'OPTIONS'];

/** The address without its query, which may hold a secret: that of a webhook, for one. */
export const pathOf = (url: string): string => url.split('?')[0];

/** Gives every request an id, and tells log, metrics, traces and the audit log of it. */
export function recordRequests(app: App, context: Context): void {
  const record = (request: FastifyRequest, reply: FastifyReply, status: number): void => {
    const route = request.routeOptions.url ?? 'unknown';
    endRequestSpan(request, route, status);
    context.metrics.request(request.method, route, status, reply.elapsedTime / 1000);
    const level = route.startsWith('/health') || route === '/metrics' ? 'debug' : 'info';
    const { method, url, apiKey } = request;
    const ms = Math.round(reply.elapsedTime);
    request.log[level]({ method, path: pathOf(url), status, ms, key: apiKey?.id }, 'request');
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
  app.addHook('onSend', async (request, reply) => {
    if (READS.includes(request.method) || reply.statusCode >= 400 || request.routeOptions.config.unaudited) return;
    const action = request.routeOptions.schema?.operationId;
    if (action === undefined || reply.hasHeader('idempotent-replayed')) return;
    await audit(request, context, action, subjectOf(request, reply));
  });
}

/** What was changed: the address says it, or the address of what was made. */
function subjectOf(request: FastifyRequest, reply: FastifyReply): string | undefined {
  const { id } = (request.params ?? {}) as { id?: string };
  return id ?? /[0-9a-f-]{36}/.exec(String(reply.getHeader('location') ?? ''))?.[0];
}

/**
 * Writes who did what, when and from where, as a row and into the log. That a row cannot be written does not undo what
 * was done.
 */
async function audit(request: FastifyRequest, context: Context, action: string, subject?: string): Promise<void> {
  const entry = { ...actorOf(request), action, subject };
  request.log.info({ audit: entry }, 'audit');
  await addAudit(context.service.db, entry).catch((error) =>
    request.log.error({ err: error }, 'the audit log cannot be written'),
  );
}
