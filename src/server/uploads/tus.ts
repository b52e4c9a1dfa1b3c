import type { FastifyReply, FastifyRequest } from 'fastify';
import type { UploadFile } from '../../api/upload.js';
import { PlinthError } from '../../core/errors.js';
import type { App } from '../context.js';
import { FieldError } from '../problem.js';
import { CHECKSUMS, type Part } from './uploadStore.js';

/**
 * What tus 1.0.0 (https://tus.io/protocols/resumable-upload) says in headers. It is spoken here rather than by
 * @tus/server, which answers errors as plain text, sets CORS headers of its own, knows no checksums and lays its files
 * out by itself.
 */
const TUS_VERSION = '1.0.0';
const EXTENSIONS = 'creation,creation-with-upload,expiration,checksum,termination';

export const PART_TYPE = 'application/offset+octet-stream';

export const isTus = (request: FastifyRequest): boolean => request.headers['tus-resumable'] !== undefined;

/**
 * Tells with `OPTIONS` what of the protocol is spoken, and holds clients to the version that they name. Before CORS is
 * seen to, whose answers to `OPTIONS` are final.
 */
export function speakTus(app: App, maxBytes: number): void {
  const facts = {
    'tus-resumable': TUS_VERSION,
    'tus-version': TUS_VERSION,
    'tus-extension': EXTENSIONS,
    'tus-max-size': maxBytes,
    'tus-checksum-algorithm': CHECKSUMS.join(','),
  };
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404 || !/^\/v1\/(tus\b|uploads\/[^/]+\/files\/)/.test(request.url)) return;
    if (request.method === 'OPTIONS') reply.headers(facts);
    else requireTusVersion(request, reply);
  });
}

/** @throws `TUS_VERSION_UNSUPPORTED` where the client says a version and it is another */
function requireTusVersion(request: FastifyRequest, reply: FastifyReply): void {
  const version = request.headers['tus-resumable'];
  if (version === undefined) return;
  reply.header('tus-resumable', TUS_VERSION);
  if (version === TUS_VERSION) return;
  reply.header('tus-version', TUS_VERSION);
  throw new PlinthError('TUS_VERSION_UNSUPPORTED', {
    found: `Tus-Resumable is ${version}`,
    expected: TUS_VERSION,
    subject: 'Tus-Resumable',
  });
}

/** @throws `UPLOAD_TYPE_UNSUPPORTED` */
export function requirePartType(request: FastifyRequest): void {
  const type = request.headers['content-type'];
  if (type === PART_TYPE) return;
  throw new PlinthError('UPLOAD_TYPE_UNSUPPORTED', {
    found: type ? `The part is ${type}` : 'The part has no Content-Type',
    expected: PART_TYPE,
    subject: 'Content-Type',
  });
}

/** Headers about a file as it is now. */
export function tellFile(reply: FastifyReply, file: UploadFile & { expiresAt: string }): FastifyReply {
  return reply.headers({
    'upload-offset': file.received,
    // RFC 9110's form of a date.
    'upload-expires': new Date(file.expiresAt).toUTCString(),
    'cache-control': 'no-store',
  });
}

/** Extensions that ask for something else than what would be done. @throws `REQUEST_INVALID` */
export function refuseUnspoken(headers: FastifyRequest['headers']): void {
  const name = ['upload-concat', 'upload-defer-length'].find((each) => headers[each] !== undefined);
  if (name === undefined) return;
  throw new FieldError([{ field: name, message: `its extension of tus is none of ${EXTENSIONS}` }]);
}

/** `Upload-Metadata`: pairs of a name and a value in base64, separated by commas. @throws `REQUEST_INVALID` */
export function parseMetadata(header: string | undefined): Map<string, string> {
  const metadata = new Map<string, string>();
  for (const pair of (header ?? '').split(',')) {
    if (pair.trim() === '') continue;
    const match = /^([^\s,]+)(?: +([A-Za-z0-9+/]*={0,2}))?$/.exec(pair.trim());
    if (!match || metadata.has(match[1]))
      throw new FieldError([{ field: 'Upload-Metadata', message: 'is no list of different names with base64 values' }]);
    metadata.set(match[1], Buffer.from(match[2] ?? '', 'base64').toString('utf8'));
  }
  return metadata;
}

/** `Upload-Checksum`: an algorithm and the digest in base64. */
export const CHECKSUM = new RegExp(`^(${CHECKSUMS.join('|')}) ([A-Za-z0-9+/]+={0,2})$`);

/** Of a header that fits `CHECKSUM`. */
export function parseChecksum(header: string | undefined): Part['checksum'] {
  const match = CHECKSUM.exec(header ?? '');
  return match ? { algorithm: match[1], digest: Buffer.from(match[2], 'base64') } : undefined;
}

/** Clients behind proxies that know no PATCH or DELETE send POST and say what they mean. */
export function overriddenMethod(
  method: string | undefined,
  url: string,
  meant: string | string[] | undefined,
): string {
  const known = method === 'POST' && url.startsWith('/v1/uploads/') && (meant === 'PATCH' || meant === 'DELETE');
  return known ? meant : (method ?? 'GET');
}
