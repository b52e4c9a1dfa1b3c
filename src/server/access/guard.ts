import type { FastifyReply, FastifyRequest } from 'fastify';
import { SCOPES, type Scope } from '../../api/scopes.js';
import { PlinthError } from '../../core/errors.js';
import { anyOf, command, remedy, setting, step } from '../../core/remedy.js';
import { notFound } from '../../jobs/database/jobStore.js';
import type { Quotas } from '../../jobs/database/quotas.js';
import type { JobRecord } from '../../jobs/jobRecord.js';
import type { App, Context } from '../context.js';
import { type Actor, type ApiKey, ownerOfKey } from './apiKeys.js';
import { OPERATOR_ID } from './keyRing.js';

/** From `Authorization: Bearer` or `X-API-Key`. */
function keyTextOf(request: FastifyRequest): string | undefined {
  const bearer = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const header = request.headers['x-api-key'];
  return bearer ?? (typeof header === 'string' ? header : undefined);
}

/**
 * Lets requests pass by their key's scope. Who has failed too often is told to wait before the database is asked; keys
 * that are known to work pass all the same. While keys are off everybody may do everything but manage keys: a key that
 * somebody made then would outlive their being turned on.
 */
export function requireKeys(app: App, context: Context): void {
  const { keys, throttle, secured } = context;
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) return refuseTooMany(request, reply, context);
    const { scope = 'read', managesKeys = false } = request.routeOptions.config;
    const text = keyTextOf(request);
    if (!secured) {
      // Of a service that asks for none a key says nothing, save that of whoever may read its data folder.
      request.apiKey = keys.operatorOf(text);
      if (managesKeys && !request.apiKey) throw keysOff();
      return;
    }
    if (scope === 'public' || (scope === 'optional' && text === undefined)) return;
    if (text !== undefined && !keys.isKnown(text)) {
      // Health is answered whoever asks, so it takes a wrong key for none.
      if (scope === 'optional' && throttle.wait(request.ip) > 0) return;
      refuseTooMany(request, reply, context);
    }
    const key = text === undefined ? undefined : await keys.find(text);
    if (text !== undefined && !key) throttle.fail(request.ip);
    // Before it is looked at: a refusal, too, is the key's.
    request.apiKey = key;
    if (scope !== 'optional') permit(key, text, scope);
    if (request.apiKey) keys.track(request.apiKey, reply.raw);
  });
}

/** @throws `UNAUTHENTICATED`, `FORBIDDEN` */
function permit(key: ApiKey | undefined, text: string | undefined, scope: Scope): void {
  if (!key) {
    throw new PlinthError('UNAUTHENTICATED', {
      found: text === undefined ? 'The request has no API key' : 'The API key is unknown or revoked',
      expected: 'header `Authorization: Bearer <key>`',
      remedy: remedy`Make a key with ${command('keys create')}`,
    });
  }
  if (SCOPES.indexOf(key.scope) < SCOPES.indexOf(scope)) {
    throw new PlinthError('FORBIDDEN', {
      found: `The API key "${key.name}" has scope ${key.scope}`,
      expected: `scope ${scope}`,
      remedy: 'Use a key with that scope',
    });
  }
}

/** @throws `RATE_LIMITED` */
function refuseTooMany(request: FastifyRequest, reply: FastifyReply, { throttle, settings }: Context): void {
  const seconds = throttle.wait(request.ip);
  if (seconds === 0) return;
  reply.header('retry-after', String(seconds));
  throw new PlinthError('RATE_LIMITED', {
    found: `More than ${settings.limits.failuresPerMinute} wrong keys and addresses within a minute`,
    remedy: `Go on in ${seconds} s`,
  });
}

const keysOff = (): PlinthError =>
  new PlinthError('KEYS_OFF', {
    found: 'This service asks for no API keys',
    expected: 'API keys on',
    remedy: anyOf(step`set ${setting('auth.mode', 'on')}`, step`use ${command('keys')} on the machine of the service`),
  });

/** Everybody may do everything: keys are off, or the key is an admin's. */
export const isAdmin = (request: FastifyRequest, context: Pick<Context, 'secured'>): boolean =>
  !context.secured || request.apiKey?.scope === SCOPES.at(-1);

/** Whose jobs the request may see and touch; absent = everybody's. */
export const ownerFilter = (request: FastifyRequest, context: Pick<Context, 'secured'>): string | undefined =>
  isAdmin(request, context) || !request.apiKey ? undefined : ownerOfKey(request.apiKey);

/** Who makes the request, for the audit log. */
export const actorOf = ({ apiKey, ip, id }: FastifyRequest): Actor => ({
  // The operator's key stands in no table.
  key: apiKey && apiKey.id !== OPERATOR_ID ? apiKey.id : undefined,
  name: apiKey?.name ?? 'anybody',
  address: ip,
  request: id,
});

/** The job, where the request may see it. @throws `JOB_NOT_FOUND` */
export async function visibleJob(request: FastifyRequest, context: Context, id: string): Promise<JobRecord> {
  const job = await context.service.store.get(id);
  const owner = ownerFilter(request, context);
  // The same answer as for a job that does not exist, so that ids tell nothing.
  if (owner !== undefined && job.owner !== owner) {
    request.hidden = true;
    throw notFound(id);
  }
  return job;
}

/** What the key of the request may use: its own quotas, else the installation's. */
export function quotasOf(request: FastifyRequest, { settings }: Pick<Context, 'settings'>): Quotas {
  const own = Object.entries(request.apiKey?.quotas ?? {}).filter(([, value]) => value !== undefined);
  return { ...settings.quotas, ...Object.fromEntries(own) };
}
