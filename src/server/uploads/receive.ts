import '@fastify/multipart';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyRequest } from 'fastify';
import { PlinthError } from '../../core/errors.js';
import { requireDisk } from '../../jobs/storage/janitor.js';
import { FieldError } from '../problem.js';

export interface ReceiveLimits {
  bodyBytes: number;
  files: number;
  stallSeconds: number;
  minimumBytesPerSecond: number;
  minimumFreeBytes: number;
}

/** What arrived, in a folder of its own. */
export interface Received {
  /** The folder with the files. */
  folder: string;
  /** Form fields, or the query of a raw body. */
  fields: Record<string, string>;
  /** Name of the first file, for people. */
  name: string;
  /** SHA-256 over names, contents and fields, to tell whether two requests are the same. */
  fingerprint: string;
  /** Removes the folder. */
  discard(): Promise<void>;
}

const DISK_CHECK_BYTES = 64 * 2 ** 20;
const FIELD_BYTES = 2 ** 20;
/** The whole body of a form is a little larger than its files. */
const FORM_OVERHEAD = 1024;

export const ZIP_TYPES = ['application/zip', 'application/x-zip-compressed', 'application/octet-stream'];

/**
 * Streams an upload (form or raw zip) to disk. Nothing of it is held in memory or left on disk after an error.
 * @throws `UPLOAD_…`, `ARCHIVE_UNSAFE_PATH`, `DISK_LOW`
 */
export async function receive(request: FastifyRequest, incoming: string, limits: ReceiveLimits): Promise<Received> {
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > limits.bodyBytes + limits.files * FORM_OVERHEAD) throw tooLarge(limits.bodyBytes);
  await requireDisk(incoming, limits.minimumFreeBytes + length);
  const root = join(incoming, randomUUID());
  const folder = join(root, 'files');
  await mkdir(folder, { recursive: true });
  const discard = (): Promise<void> => rm(root, { recursive: true, force: true });
  const watch = watchPace(request, limits);
  const sink = new Sink(folder, incoming, limits, watch.signal);
  try {
    const fields = await Promise.race([
      request.isMultipart() ? receiveForm(request, sink, limits) : receiveRaw(request, sink),
      watch.failed,
    ]);
    if (sink.names.length === 0) {
      throw new PlinthError('UPLOAD_EMPTY', {
        found: 'The request holds no file',
        expected: 'pictures, a capture in files, or a zip',
        remedy: 'Add files to the form, or send a zip as the body',
      });
    }
    return { folder, fields, name: sink.names[0].split('/')[0], fingerprint: sink.fingerprint(fields), discard };
  } catch (error) {
    // What is still being written, folders too, would appear again after the removal.
    await sink.abort();
    await discard();
    throw toUploadError(request, error);
  } finally {
    watch.end();
  }
}

async function receiveForm(
  request: FastifyRequest,
  sink: Sink,
  limits: ReceiveLimits,
): Promise<Record<string, string>> {
  const fields: Record<string, string> = {};
  const parts = request.parts({
    preservePath: true,
    limits: {
      fileSize: limits.bodyBytes,
      files: limits.files,
      fields: 50,
      fieldSize: FIELD_BYTES,
      parts: limits.files + 50,
      headerPairs: 50,
    },
  });
  for await (const part of parts) {
    if (part.type === 'file') {
      // Browsers send an empty nameless part for an empty file input.
      if (part.filename === '' || part.filename === undefined) {
        part.file.resume();
        continue;
      }
      await sink.write(part.filename, part.file);
      if (part.file.truncated) throw tooLarge(limits.bodyBytes);
    } else if (part.valueTruncated)
      throw new FieldError([{ field: part.fieldname, message: `longer than ${FIELD_BYTES} bytes` }]);
    else fields[part.fieldname] = String(part.value);
  }
  return fields;
}

async function receiveRaw(request: FastifyRequest, sink: Sink): Promise<Record<string, string>> {
  const fields = Object.fromEntries(
    Object.entries(request.query as Record<string, unknown>).map(([name, value]) => [name, String(value)]),
  );
  await sink.write('capture.zip', request.raw);
  const expected = Number(request.headers['content-length'] ?? Number.NaN);
  if (Number.isFinite(expected) && sink.bytes < expected) throw truncated();
  return fields;
}

/** Writes files below one folder, counting and hashing, until it is told to stop. */
class Sink {
  readonly names: string[] = [];
  bytes = 0;
  private checked = 0;
  private readonly hashes: string[] = [];
  private readonly writing = new Set<Promise<void>>();
  private readonly stop = new AbortController();
  private readonly signal: AbortSignal;

  constructor(
    private readonly folder: string,
    private readonly disk: string,
    private readonly limits: ReceiveLimits,
    ended: AbortSignal,
  ) {
    this.signal = AbortSignal.any([ended, this.stop.signal]);
  }

  async write(name: string, source: Readable): Promise<void> {
    const written = this.writeFile(name, source);
    this.writing.add(written);
    await written.finally(() => this.writing.delete(written));
  }

  /** Resolves when nothing is written any more and nothing will be: only then can the folder be removed for good. */
  async abort(): Promise<void> {
    this.stop.abort();
    await Promise.allSettled([...this.writing]);
  }

  private async writeFile(name: string, source: Readable): Promise<void> {
    const path = safePath(name);
    const target = join(this.folder, ...path.split('/'));
    if (this.names.length >= this.limits.files) throw tooMany(this.limits.files);
    if (await stat(target).catch(() => undefined))
      throw new FieldError([{ field: name, message: 'the file is there twice' }]);
    this.signal.throwIfAborted();
    await mkdir(dirname(target), { recursive: true });
    const hash = createHash('sha256');
    const count = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.bytes += chunk.length;
        if (this.bytes > this.limits.bodyBytes) return done(tooLarge(this.limits.bodyBytes));
        hash.update(chunk);
        if (this.bytes - this.checked < DISK_CHECK_BYTES) return done(null, chunk);
        this.checked = this.bytes;
        requireDisk(this.disk, this.limits.minimumFreeBytes).then(() => done(null, chunk), done);
      },
    });
    // A stream that opened the file itself could still be opening it when the pipeline has ended.
    const file = await open(target, 'wx');
    const stream = file.createWriteStream();
    try {
      await pipeline(source, count, stream, { signal: this.signal });
    } finally {
      stream.destroy();
      await file.close();
    }
    this.names.push(path);
    this.hashes.push(`${path} ${hash.digest('hex')}`);
  }

  fingerprint(fields: Record<string, string>): string {
    const all = [...this.hashes].sort().join('\n') + JSON.stringify(Object.entries(fields).sort());
    return createHash('sha256').update(all).digest('hex');
  }
}

/** Ends an upload that stands still or crawls. Only the socket knows what arrived, whoever reads from it. */
function watchPace(request: FastifyRequest, limits: ReceiveLimits) {
  const { socket } = request.raw;
  const controller = new AbortController();
  const begin = Date.now();
  const first = socket.bytesRead;
  let last = { bytes: first, at: begin };
  let reject: (error: PlinthError) => void = () => {};
  const failed = new Promise<never>((_, r) => {
    reject = r;
  });
  failed.catch(() => {});
  const timer = setInterval(() => {
    if (request.raw.complete) return;
    const now = Date.now();
    if (socket.bytesRead > last.bytes) last = { bytes: socket.bytesRead, at: now };
    const stalled = now - last.at > limits.stallSeconds * 1000;
    const seconds = (now - begin) / 1000;
    const crawls = seconds > limits.stallSeconds && (last.bytes - first) / seconds < limits.minimumBytesPerSecond;
    if (!stalled && !crawls) return;
    const error = new PlinthError('UPLOAD_TOO_SLOW', {
      found: stalled
        ? `No byte arrived for ${limits.stallSeconds} s`
        : `${last.bytes - first} bytes arrived in ${Math.round(seconds)} s`,
      expected: `at least ${limits.minimumBytesPerSecond} bytes a second`,
      remedy: 'Use a resumable upload (POST /v1/uploads), which may be interrupted',
    });
    reject(error);
    controller.abort(error);
  }, 500);
  const closed = (): void => {
    if (request.raw.complete) return;
    const error = truncated();
    reject(error);
    controller.abort(error);
  };
  request.raw.once('close', closed);
  // The client may have left before anybody looked.
  if (request.raw.destroyed) closed();
  const end = (): void => {
    clearInterval(timer);
    request.raw.off('close', closed);
  };
  return { signal: controller.signal, failed, end };
}

/** A relative path that stays inside. @throws `ARCHIVE_UNSAFE_PATH` */
export function safePath(name: string): string {
  const path = name.replaceAll('\\', '/').replace(/^(\.\/)+/, '');
  const parts = path.split('/');
  const bad =
    path === '' ||
    path.length > 1000 ||
    /^([a-zA-Z]:|\/)/.test(path) ||
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
    /[\x00-\x1f]/.test(path) ||
    parts.some((part) => part === '' || part === '.' || part === '..' || part.length > 255);
  if (!bad) return path;
  throw new PlinthError('ARCHIVE_UNSAFE_PATH', {
    found: `The file name ${JSON.stringify(name.slice(0, 200))} leads out of the upload or is no file name`,
    expected: 'a relative path without `..`',
    subject: name.slice(0, 200),
  });
}

/** Turns what the form parser and the streams throw into coded errors. */
function toUploadError(request: FastifyRequest, error: unknown): unknown {
  if (error instanceof PlinthError) return error;
  const { code, message, name } = error as { code?: string; message?: string; name?: string };
  switch (code) {
    case 'FST_FILES_LIMIT':
    case 'FST_PARTS_LIMIT':
      return tooMany(undefined);
    case 'FST_REQ_FILE_TOO_LARGE':
      return tooLarge(undefined);
    case 'FST_FIELDS_LIMIT':
      return new FieldError([{ field: '', message: 'the form has too many fields' }]);
    case 'FST_PROTO_VIOLATION':
      return new FieldError([{ field: '', message: 'a field has a forbidden name' }]);
    case 'FST_INVALID_MULTIPART_CONTENT_TYPE':
      return new PlinthError('UPLOAD_TYPE_UNSUPPORTED', {
        found: 'The form has no boundary',
        remedy: 'Let the HTTP library set Content-Type',
      });
    case 'ENOSPC':
      return new PlinthError('DISK_LOW', { found: 'The disk is full', cause: error });
    case 'ENAMETOOLONG':
    case 'ENOTDIR':
    case 'EEXIST':
      return new FieldError([
        { field: '', message: 'two file names of the upload exclude each other, or one is too long' },
      ]);
  }
  const ended = /unexpected end|premature close|terminated early|aborted|ECONNRESET|missing final boundary/i.test(
    `${message} ${code}`,
  );
  if (ended || name === 'AbortError' || request.raw.destroyed) return truncated(error);
  if (/multipart|boundary|malformed|part header/i.test(message ?? '')) {
    return new PlinthError('UPLOAD_TRUNCATED', { found: `The form cannot be read: ${message}`, cause: error });
  }
  return error;
}

const truncated = (cause?: unknown): PlinthError =>
  new PlinthError('UPLOAD_TRUNCATED', {
    found: 'The body ended before it was complete',
    remedy: 'Send it again',
    cause,
  });

export const tooLarge = (limit: number | undefined): PlinthError =>
  new PlinthError('UPLOAD_TOO_LARGE', {
    found: 'The body is larger than the limit',
    expected: limit === undefined ? undefined : `at most ${limit} bytes`,
    remedy: 'Send fewer or smaller pictures, or raise limits.bodyBytes',
  });

export const tooMany = (limit: number | undefined): PlinthError =>
  new PlinthError('UPLOAD_TOO_MANY_FILES', {
    found: 'The upload holds more files than the limit',
    expected: limit === undefined ? undefined : `at most ${limit} files`,
    remedy: 'Send fewer pictures, or raise limits.files',
  });
