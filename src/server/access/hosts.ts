import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PlinthError } from '../../core/errors.js';
import { anyOf, setting, step } from '../../core/remedy.js';
import { FieldError } from '../problem.js';

/** Methods that change nothing, whoever sends them. */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** Name and port of a `Host` header or of an origin; the port is empty where none is given. */
function partsOf(text: string): { name: string; port: string } | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[^:/\s@]+?)\.?(?::(\d{1,5}))?$/i.exec(text.trim());
  return match ? { name: match[1].toLowerCase(), port: match[2] ?? '' } : undefined;
}

/**
 * Whether a service may be called by this `Host`. A page that makes its own name lead to the service (DNS rebinding)
 * speaks under that name, so only names that belong to the service pass: those of this machine, and `hosts`. An address
 * is never such a name.
 * @param hosts names, `*.name` for all names below it, `*` for any; a port in them is for origins
 */
export function isOwnHost(host: string, hosts: readonly string[]): boolean {
  const parts = partsOf(host);
  if (!parts) return false;
  const { name } = parts;
  if (isIP(name.replace(/^\[|\]$/g, '')) !== 0 || name === 'localhost' || name.endsWith('.localhost')) return true;
  return hosts.some((own) => matches(partsOf(own)?.name ?? own.toLowerCase(), name));
}

const matches = (own: string, name: string): boolean =>
  own === '*' || own === name || (own.startsWith('*.') && name.endsWith(own.slice(1)));

/**
 * Whether a request that changes something may come from a page of `origin`: of the service itself, or of one that
 * `cors.origins` allows. Behind a proxy that hides the name that browsers see, that name is one of `hosts`, with its
 * port where that is not the usual one.
 */
export function isOwnOrigin(
  origin: string,
  host: string | undefined,
  { hosts, origins }: { hosts: readonly string[]; origins: readonly string[] },
): boolean {
  if (origins.includes('*') || origins.includes(origin)) return true;
  const match = /^https?:\/\/([^/]+)$/i.exec(origin);
  if (!match) return false;
  if (host !== undefined && match[1].toLowerCase() === host.toLowerCase()) return true;
  const from = partsOf(match[1]);
  return (
    from !== undefined &&
    hosts.some((own) => {
      const parts = partsOf(own);
      // `*` says that any name leads here, not that any page may call.
      return parts !== undefined && parts.name !== '*' && parts.port === from.port && matches(parts.name, from.name);
    })
  );
}

/**
 * For whom a request is meant: by its address where that is absolute (RFC 9112, 3.2.2), else by its `Host`. Absent for
 * one of HTTP/1.0 alone. @throws `REQUEST_INVALID` where there is no `Host`, or more than one
 */
function namedHost(request: FastifyRequest): string | undefined {
  const { rawHeaders, httpVersionMajor, httpVersionMinor } = request.raw;
  const count = rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === 'host').length;
  const needed = httpVersionMajor === 1 && httpVersionMinor === 0 ? 0 : 1;
  // Whoever stands in between may take another of them for the one that counts.
  if (count > 1 || count < needed)
    throw new FieldError([{ field: 'Host', message: `is there ${count === 0 ? 'not' : `${count} times`}` }]);
  const [, absolute] = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i.exec(request.originalUrl) ?? [];
  return absolute ?? (request.host || undefined);
}

/**
 * Refuses requests that a foreign page makes a browser send. Programs send neither `Origin` nor `Sec-Fetch-Site` and
 * pass.
 */
export function guardHosts(app: FastifyInstance, settings: { hosts: string[]; cors: { origins: string[] } }): void {
  const { hosts, cors } = settings;
  app.addHook('onRequest', async (request: FastifyRequest) => {
    const host = namedHost(request);
    if (host !== undefined && !isOwnHost(host, hosts)) {
      throw new PlinthError('HOST_REFUSED', {
        found: `The request is for ${JSON.stringify(host.slice(0, 200))}, which is no name of this service`,
        expected: ['localhost', 'an IP address', ...hosts].join(', '),
        remedy: anyOf(step`use one of these`, step`add the name to ${setting('hosts')}`),
        subject: 'Host',
      });
    }
    if (SAFE_METHODS.includes(request.method)) return;
    const { origin, 'sec-fetch-site': site } = request.headers;
    const foreign =
      origin !== undefined
        ? !isOwnOrigin(origin, host, { hosts, origins: cors.origins })
        : site === 'cross-site' || site === 'same-site';
    if (!foreign) return;
    throw new PlinthError('ORIGIN_REFUSED', {
      found:
        'The request was made by a page of ' +
        `${origin === undefined ? 'another site' : JSON.stringify(origin.slice(0, 200))}`,
      expected: 'a page of this service, or a program',
      remedy: anyOf(step`add the page's origin to ${setting('cors.origins')} if it is meant to call the service`),
      subject: 'Origin',
    });
  });
}
