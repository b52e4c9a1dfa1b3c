import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PlinthError } from '../core/errors.js';
import type { ResultFile } from '../jobs/jobRecord.js';
import type { ArtifactStore } from '../jobs/storage/artifactStore.js';
import { missing } from '../jobs/storage/artifactStore.js';
import { readResult, statResult } from '../jobs/storage/checkedRead.js';
import { judgeConditions, mayAnswerRange, type Validators } from './conditions.js';
import { mediaType } from './mediaType.js';

/**
 * Answers with one stored file: strong ETag, Last-Modified, conditional requests and single byte ranges (RFC 9110).
 * `file`: what the manifest of the result says of it; the content is checked against that.
 * @throws `FILE_NOT_FOUND`, `RESULT_DAMAGED`, `RANGE_INVALID`, `PRECONDITION_FAILED`
 */
export async function sendArtifact(
  request: FastifyRequest,
  reply: FastifyReply,
  artifacts: ArtifactStore,
  key: string,
  options: { name: string; immutable: boolean; file?: ResultFile },
): Promise<FastifyReply> {
  const { file } = options;
  const facts = file ? await statResult(artifacts, key, file) : await artifacts.stat(key);
  if (!facts) throw missing(options.name);
  const etag = `"${facts.etag}"`;
  const type = mediaType(options.name);
  reply
    .header('etag', etag)
    .header('last-modified', facts.modified.toUTCString())
    .header('accept-ranges', 'bytes')
    .header('cache-control', options.immutable ? 'private, max-age=31536000, immutable' : 'private, no-cache')
    .header(
      'content-disposition',
      `inline; filename="${options.name
        .split('/')
        .at(-1)!
        .replace(/[^\w.-]/g, '_')}"`,
    )
    .type(type);
  // RFC 9530: the digest of the whole file, whatever range is sent.
  if (file?.sha256) reply.header('repr-digest', `sha-256=:${Buffer.from(file.sha256, 'hex').toString('base64')}:`);
  // What users gave or methods made must not run in the page's origin.
  if (type.startsWith('text/html')) reply.header('content-security-policy', REPORT_POLICY);

  const validators = { etag, modified: facts.modified };
  if (isUnchanged(request, options.name, validators)) return reply.code(304).send();
  const { range } = request.headers;
  const wanted = range && mayAnswerRange(request.headers, validators) ? parseRange(range, facts.bytes) : undefined;
  if (wanted === 'invalid') {
    reply.header('content-range', `bytes */${facts.bytes}`);
    throw new PlinthError('RANGE_INVALID', {
      found: `The range ${range} lies outside`,
      expected: `bytes 0 to ${facts.bytes - 1}`,
      subject: 'Range',
    });
  }
  if (wanted) {
    reply.code(206).header('content-range', `bytes ${wanted.start}-${wanted.end}/${facts.bytes}`);
    reply.header('content-length', wanted.end - wanted.start + 1);
  } else reply.header('content-length', facts.bytes);
  // A stream, so that Content-Length stays what it is.
  if (request.method === 'HEAD') return reply.send(Readable.from([]));
  if (facts.bytes === 0) return reply.send('');
  if (file) return reply.send(await readResult(artifacts, key, file, facts, wanted));
  // No more than was said: a log may have grown meanwhile, and what came after would be taken for the next answer.
  return reply.send(await artifacts.read(key, wanted ?? { start: 0, end: facts.bytes - 1 }));
}

/**
 * Whether what the client has is still right, so that it is answered 304.
 * @throws `PRECONDITION_FAILED`
 */
export function isUnchanged(request: FastifyRequest, name: string, validators: Validators): boolean {
  const judgement = judgeConditions(request.headers, validators);
  if (judgement === 412) {
    throw new PlinthError('PRECONDITION_FAILED', {
      found: `${name} has the ETag ${validators.etag} and is of ${validators.modified.toUTCString()}`,
      expected: 'what If-Match or If-Unmodified-Since asks for',
      subject: name,
    });
  }
  return judgement === 304;
}

/**
 * Reports are self-contained pages: inline style, script and pictures, nothing from elsewhere, no access to the API.
 */
const REPORT_POLICY =
  "sandbox allow-scripts allow-popups; default-src 'none'; style-src 'unsafe-inline'; script-src " +
  "'unsafe-inline'; img-src data: blob:; font-src data:; media-src data:";

/** `undefined` where the header is to be ignored: another unit, or several ranges. */
function parseRange(header: string, bytes: number): { start: number; end: number } | 'invalid' | undefined {
  const match = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header);
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const [, from, to] = match;
  const start = from === '' ? Math.max(0, bytes - Number(to)) : Number(from);
  const end = from === '' || to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1);
  if (from !== '' && to !== '' && Number(to) < start) return undefined;
  return start >= bytes || (from === '' && Number(to) === 0) ? 'invalid' : { start, end };
}
