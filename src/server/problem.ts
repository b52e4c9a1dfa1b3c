import type { z } from 'zod';
import type { Problem } from '../api/problem.js';
import { HTTP_WORDS, remedyOf } from '../api/remedy.js';
import { ERROR_CODES, type ErrorCode, type ErrorKind, PlinthError } from '../core/errors.js';

const STATUS_BY_KIND: Record<ErrorKind, number> = {
  input: 422,
  config: 500,
  machine: 503,
  cancelled: 409,
  internal: 500,
};

/** Codes whose HTTP status differs from that of their kind. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  OPTION_INVALID: 422,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  ORIGIN_REFUSED: 403,
  KEYS_OFF: 403,
  UPLOAD_DIRECT_OFF: 403,
  KEY_NOT_FOUND: 404,
  KEY_LAST_ADMIN: 409,
  HOST_REFUSED: 421,
  QUOTA_JOBS: 429,
  QUOTA_GPU_TIME: 429,
  QUOTA_STORAGE: 507,
  ROUTE_NOT_FOUND: 404,
  JOB_NOT_FOUND: 404,
  FILE_NOT_FOUND: 404,
  DELIVERY_NOT_FOUND: 404,
  EXAMPLE_NOT_FOUND: 404,
  UPLOAD_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  NOT_ACCEPTABLE: 406,
  UPLOAD_TOO_SLOW: 408,
  JOB_STATE_CONFLICT: 409,
  UPLOAD_OFFSET_CONFLICT: 409,
  UPLOAD_INCOMPLETE: 409,
  UPLOAD_TOO_LARGE: 413,
  UPLOAD_TOO_MANY_FILES: 413,
  ARCHIVE_TOO_LARGE: 413,
  IMAGE_TOO_LARGE: 413,
  UPLOAD_TYPE_UNSUPPORTED: 415,
  RANGE_INVALID: 416,
  UPLOAD_EMPTY: 400,
  UPLOAD_TRUNCATED: 400,
  UPLOAD_CHECKSUM_MISMATCH: 460,
  TUS_VERSION_UNSUPPORTED: 412,
  PRECONDITION_FAILED: 412,
  RATE_LIMITED: 429,
  TOO_MANY_UPLOADS: 429,
  RESULT_DAMAGED: 500,
  DISK_LOW: 507,
  // Not a fault of the service, and no use to try again: this installation does not offer it.
  WEIGHTS_MISSING: 501,
  WEIGHTS_LICENCE: 501,
  WEIGHTS_INVALID: 501,
  WEIGHTS_UNSUPPORTED: 501,
  METHOD_DEVICE_TOO_SMALL: 501,
};

/** The HTTP status that answers an error. */
export const statusOf = (code: ErrorCode): number => STATUS[code] ?? STATUS_BY_KIND[ERROR_CODES[code][0]];

export const PROBLEM_TYPE = 'application/problem+json';

/** A request field that is wrong. */
export class FieldError extends PlinthError {
  constructor(
    readonly fields: { field: string; message: string }[],
    where = 'request',
  ) {
    const [first] = fields;
    super('REQUEST_INVALID', {
      found: `${first.field || where}: ${first.message}`,
      remedy: 'See /docs for every field with its type and range',
      subject: first.field || where,
    });
  }
}

export const fieldErrors = (error: z.ZodError, where: string): FieldError =>
  new FieldError(
    error.issues.map((issue) => ({
      field: issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]].join('.') : issue.path.join('.'),
      message: issue.message,
    })),
    where,
  );

export function toProblem(error: PlinthError, requestId: string): Problem {
  const status = statusOf(error.code);
  const hidden = error.kind === 'internal';
  return {
    type: `urn:plinth:problem:${error.code}`,
    title: ERROR_CODES[error.code][1],
    status,
    // The text of a defect may hold paths and statements; it goes to the log only.
    detail: hidden
      ? `The server failed; its log has the details under request ${requestId}.`
      : error.inWords(HTTP_WORDS),
    code: error.code,
    found: hidden ? undefined : error.found,
    expected: hidden ? undefined : error.expected,
    ...remedyOf(error.remedy),
    field: hidden ? undefined : error.subject,
    errors: error instanceof FieldError && error.fields.length > 1 ? error.fields : undefined,
    instance: requestId,
  };
}
