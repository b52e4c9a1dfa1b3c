import type { FastifyRequest } from 'fastify';
import type { ErrorCode } from '../../core/errors.js';
import type { App, Context } from '../context.js';
import { actorOf } from './guard.js';

/** Codes of requests that were refused for who asked, or from where. */
const DENIED: readonly ErrorCode[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'KEYS_OFF', 'HOST_REFUSED', 'ORIGIN_REFUSED'];

/** Lets the audit log know of every request that is refused for who asks, and of those for another's job. */
export function auditRefusals(app: App, { refusals }: Pick<Context, 'refusals'>): void {
  app.addHook('onResponse', async (request) => {
    const { refusal } = request;
    if (refusal === undefined || !(DENIED.includes(refusal) || request.hidden)) return;
    const entry = { ...actorOf(request), action: actionOf(request), subject: idOf(request), refusal };
    if (refusals.add(entry)) request.log.info({ audit: entry }, 'audit');
  });
}

function actionOf(request: FastifyRequest): string {
  const { schema, url } = request.routeOptions;
  return schema?.operationId ?? `${request.method} ${url ?? 'an unknown address'}`.slice(0, 100);
}

/** The id that the address names, where it has the form of one: nobody has looked at it yet. */
function idOf(request: FastifyRequest): string | undefined {
  const { id } = (request.params ?? {}) as { id?: string };
  return id !== undefined && /^[0-9a-f-]{36}$/i.test(id) ? id : undefined;
}
