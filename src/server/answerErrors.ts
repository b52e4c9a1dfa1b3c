import { maxHeaderSize, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { type ErrorCode, PlinthError, toPlinthError } from '../core/errors.js';
import { letRestPass } from './bodies.js';
import type { App } from './context.js';
import { FieldError, PROBLEM_TYPE, statusOf, toProblem } from './problem.js';

/** JSON bodies; uploads are streamed and have their own limit. */
export const JSON_BYTES = 1024 * 1024;

/** Answers errors as problem+json. */
export function handleErrors(app: App): void {
  app.setErrorHandler((error: FastifyError | PlinthError, request: FastifyRequest, reply: FastifyReply) => {
    const coded = toCoded(error);
    request.refusal = coded.code;
    const status = statusOf(coded.code);
    if (status >= 500) request.log.error({ err: error, code: coded.code }, 'a request failed');
    if (status === 401) reply.header('www-authenticate', 'Bearer');
    if (status === 503 || status === 507 || status === 429) {
      if (!reply.hasHeader('retry-after')) reply.header('retry-after', String(retryAfter(coded.code)));
    }
    letRestPass(request);
    // Fastify ends the connection of a body that it does not read to the end. Clients that are still sending would then
    // lose the answer; the rest passes instead, for a moment.
    if (!request.raw.complete) reply.removeHeader('connection');
    // What was said of the file that should have been sent: an error is no file, and nobody may keep it for a year.
    for (const name of ['content-length', 'content-disposition', 'repr-digest', 'last-modified', 'accept-ranges'])
      reply.removeHeader(name);
    reply.header('cache-control', 'no-store');
    return reply.code(status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(toProblem(coded, request.id));
  });
}

/** Seconds after which it is worth trying again. */
const retryAfter = (code: ErrorCode): number =>
  code === 'QUOTA_GPU_TIME' ? 86_400 - (Math.floor(Date.now() / 1000) % 86_400) : 5;

/** Answers a request whose address cannot be decoded: it belongs to no route, and no hook has seen it. */
export function answerBadAddress(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const coded = toCoded(error);
  void reply
    .code(statusOf(coded.code))
    .header('x-request-id', request.id)
    .header('x-content-type-options', 'nosniff')
    .header('content-security-policy', "default-src 'none'")
    .type(PROBLEM_TYPE)
    .serializer(JSON.stringify)
    .send(toProblem(coded, request.id));
}

/** Requests that are no HTTP, or whose headers take too long, never reach a route. */
export function answerMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return;
  const slow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const large = error.code === 'HPE_HEADER_OVERFLOW';
  const message = large
    ? `the headers are larger than ${maxHeaderSize} bytes`
    : 'the request is no complete HTTP request';
  const coded = slow
    ? new PlinthError('UPLOAD_TOO_SLOW', { found: 'The request did not arrive in time' })
    : new FieldError([{ field: large ? 'headers' : '', message }]);
  const problem = toProblem(coded, 'none');
  const status = large ? 431 : problem.status;
  const body = JSON.stringify({ ...problem, status });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ` +
      `${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
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
    case 'FST_ERR_BAD_URL':
      return new FieldError([{ field: 'address', message: 'cannot be decoded as UTF-8' }]);
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
