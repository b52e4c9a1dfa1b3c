import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fixedFiles from '@fastify/static';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PlinthError } from '../core/errors.js';
import type { App, Context } from './context.js';
import type { RouteFacts } from './openapi/openapi.js';
import { pathOf } from './recordRequests.js';

const PAGE = fileURLToPath(new URL('../../dist/web', import.meta.url));

/** The page, where it is built, and the answer to addresses that lead nowhere. */
export async function addPage(app: App, context: Context, routes: RouteFacts[]): Promise<void> {
  if (existsSync(join(PAGE, 'index.html'))) {
    // The page asks for the key itself, so it must load without one. The plugin's routes take no `config` of their own.
    app.addHook('onRoute', (route) => {
      if (pageRoutes) route.config = { ...route.config, scope: 'public', rateLimit: false };
    });
    let pageRoutes = true;
    await app.register(fixedFiles, {
      root: PAGE,
      wildcard: false,
      // The build puts compressed copies beside the files.
      preCompressed: true,
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
    const path = pathOf(request.url);
    const page =
      request.method === 'GET' && wants.includes('text/html') && !/^\/(v1|health|metrics|docs|openapi)/.test(path);
    if (page && existsSync(join(PAGE, 'index.html'))) return reply.sendFile('index.html');
    throw missing(context, routes, request, reply);
  });
}

/** Refuses what leads nowhere before anything is read of a body that nobody waits for. */
export function refuseMissing(app: App, context: Context, routes: RouteFacts[]): void {
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404 && request.method !== 'GET' && request.method !== 'HEAD')
      throw missing(context, routes, request, reply);
  });
}

/** What answers an address or method that there is not. */
function missing(context: Context, routes: RouteFacts[], request: FastifyRequest, reply: FastifyReply): PlinthError {
  const path = pathOf(request.url);
  context.throttle.fail(request.ip);
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

const patternOf = (url: string): RegExp =>
  new RegExp(
    `^${url
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replace(/:\w+/g, '[^/]+')
      .replace('*', '.+')}$`,
  );
