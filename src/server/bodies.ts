import { PassThrough } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { PlinthError } from '../core/errors.js';
import type { App } from './context.js';
import { requireStorable } from './storableText.js';

/**
 * After an early refusal the client may go on sending for this long before its socket is closed, so that it can read
 * the answer.
 */
const LINGER_MS = 5_000;

/**
 * Bodies that are read whole must be here within `seconds`, however they trickle: Node's own limit would hold for
 * uploads as well. What they, the query and the path say must be text that can be stored. Bodies whose content type is
 * in `streamed` are their routes' affair. No body may be packed: it would be taken for what it stands for.
 */
export function guardBodies(app: App, seconds: number, streamed: readonly string[]): void {
  app.addHook('preParsing', async (request, _reply, payload) => {
    const type = (request.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
    const none = request.headers['transfer-encoding'] === undefined && !Number(request.headers['content-length']);
    if (!none) refuseCoding(request.headers['content-encoding']);
    if (none || streamed.includes(type) || type === 'multipart/form-data') return payload;
    const body = new PassThrough();
    const timer = setTimeout(() => {
      payload.unpipe(body);
      body.destroy(
        new PlinthError('UPLOAD_TOO_SLOW', {
          found: `The body was not whole after ${seconds} s`,
          remedy: 'Send it faster; pictures are sent as uploads, which may take longer',
        }),
      );
    }, seconds * 1000);
    payload.once('end', () => clearTimeout(timer));
    payload.once('error', (error) => body.destroy(error));
    body.once('close', () => clearTimeout(timer));
    // Where a request is refused before its body is read, nobody else listens.
    body.on('error', () => {});
    payload.pipe(body);
    return body;
  });
  // A body that nobody asked for, as of a GET, is no reason to keep the connection either.
  app.addHook('onResponse', async (request) => letRestPass(request));
  app.addHook('preValidation', async (request) => {
    requireStorable(request.params, 'path');
    requireStorable(request.query, 'query');
    requireStorable(request.body, 'body');
  });
}

/** @throws `UPLOAD_TYPE_UNSUPPORTED` */
function refuseCoding(coding: string | undefined): void {
  if (coding === undefined || /^\s*(identity)?\s*$/i.test(coding)) return;
  throw new PlinthError('UPLOAD_TYPE_UNSUPPORTED', {
    found: `Content-Encoding is ${JSON.stringify(coding.slice(0, 100))}`,
    expected: 'a body as it is',
    remedy: 'Send it without Content-Encoding; a zip is packed already',
    subject: 'Content-Encoding',
  });
}

/** Reads and drops what a client still sends that was answered or refused early, for a moment. */
export function letRestPass({ raw }: FastifyRequest): void {
  if (raw.complete) return;
  raw.unpipe();
  raw.resume();
  setTimeout(() => {
    if (!raw.complete) raw.socket.destroy();
  }, LINGER_MS).unref();
}
