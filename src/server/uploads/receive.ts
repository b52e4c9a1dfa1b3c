import '@fastify/multipart';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PassThrough, type Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyRequest } from 'fastify';
import { diskFull, isDiskFull, PlinthError } from '../../core/errors.js';
import { keyOf } from '../../core/nameKey.js';
import type { DiskBudget, Reservation } from '../../jobs/storage/diskBudget.js';
import { FieldError } from '../problem.js';
import { requireStorable } from '../storableText.js';
import { type PaceLimits, truncated, watchPace } from './pace.js';

export interface ReceiveLimits extends PaceLimits {
  bodyBytes: number;
  files: number;
}

export interface ReceiveTarget {
  /** Folder in which a new one is made. */
  incoming: string;
  disk: DiskBudget;
  /** Nothing is kept: only the fingerprint is wanted, since an earlier request with the same key was accepted. */
  only?: 'fingerprint';
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

const FIELD_BYTES = 2 ** 20;
/** The whole body of a form is a little larger than its files. */
const FORM_OVERHEAD = 1024;

export const ZIP_TYPES = ['application/zip', 'application/x-zip-compressed', 'application/octet-stream'];

/**
 * Streams an upload (form or raw zip) to disk. Nothing of it is held in memory or left on disk after an error.
 * @throws `UPLOAD_…`, `ARCHIVE_UNSAFE_PATH`, `DISK_LOW`
 */
export async function receive(
  request: FastifyRequest,
  { incoming, disk, only }: ReceiveTarget,
  limits: ReceiveLimits,
): Promise<Received> {
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > limits.bodyBytes + limits.files * FORM_OVERHEAD) throw tooLarge(limits.bodyBytes);
  const room = only ? undefined : await disk.claim(length);
  const root = join(incoming, randomUUID());
  const folder = join(root, 'files');
  const discard = (): Promise<void> => rm(root, { recursive: true, force: true });
  const watch = watchPace(request, limits);
  const sink = new Sink(only ? undefined : folder, room, limits, watch.signal);
  try {
    if (!only) await mkdir(folder, { recursive: true });
    const fields = await Promise.race([
      request.isMultipart() ? receiveForm(request, sink, limits) : receiveRaw(request, sink),
      watch.failed,
    ]);
    requireStorable(fields, 'form');
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
    // A form's parser that loses its file ends the request too, which may be heard of first.
    throw toUploadError(request, sink.failure ?? error);
  } finally {
    room?.release();
    watch.end();
  }
}

async function receiveForm(
  request: FastifyRequest,
  sink: Sink,
  limits: ReceiveLimits,
): Promise<Record<string, string>> {
  requireBoundary(request.headers['content-type'] ?? '');
  const fields = new Map<string, string>();
  const parts = request.parts({
    preservePath: true,
    limits: {
      // One more than may come, so that the sink refuses it before the parser cuts it off without a word.
      fileSize: limits.bodyBytes + 1,
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
      try {
        await sink.write(part.filename, part.file);
      } catch (error) {
        // The parser reads ahead of the disk: it may be at the end of a form that is not whole before the sink is at
        // the limit.
        throw part.file.truncated && !sink.failure ? tooLarge(limits.bodyBytes) : error;
      }
      if (part.file.truncated) throw tooLarge(limits.bodyBytes);
    } else if (part.valueTruncated)
      throw new FieldError([{ field: part.fieldname, message: `longer than ${FIELD_BYTES} bytes` }]);
    else if (fields.has(part.fieldname))
      throw new FieldError([{ field: part.fieldname, message: 'the field is there twice' }]);
    else fields.set(part.fieldname, fieldText(part.fieldname, part.value));
  }
  return Object.fromEntries(fields);
}

/** The parser has read what a client says is JSON. */
function fieldText(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  requireStorable(value, name);
  return JSON.stringify(value);
}

/** RFC 2046 allows 70 characters; the parser fails at more than 250. @throws `UPLOAD_TYPE_UNSUPPORTED` */
function requireBoundary(type: string): void {
  if (/;\s*boundary=("[^"]{1,200}"|[^";\s]{1,200})\s*(;|$)/i.test(type)) return;
  throw new PlinthError('UPLOAD_TYPE_UNSUPPORTED', {
    found: 'The form has no boundary, or none that fits',
    expected: 'multipart/form-data with a boundary of 1 to 70 characters',
    remedy: 'Let the HTTP library set Content-Type',
    subject: 'Content-Type',
  });
}

async function receiveRaw(request: FastifyRequest, sink: Sink): Promise<Record<string, string>> {
  const fields = Object.fromEntries(
    Object.entries(request.query as Record<string, unknown>).map(([name, value]) => [name, String(value)]),
  );
  // Of its own: a pipeline that is given up destroys its source, and the client could not be answered any more.
  const body = new PassThrough();
  request.raw.pipe(body);
  await sink.write('capture.zip', body);
  const expected = Number(request.headers['content-length'] ?? Number.NaN);
  if (Number.isFinite(expected) && sink.bytes < expected) throw truncated();
  return fields;
}

/** Writes files below one folder, or nowhere, counting and hashing, until it is told to stop. */
class Sink {
  readonly names: string[] = [];
  /** Names of which each file system may have one only. */
  private readonly folded = new Set<string>();
  bytes = 0;
  /** Why no more is taken. */
  failure: unknown;
  private readonly hashes: string[] = [];
  private readonly writing = new Set<Promise<void>>();
  private readonly stop = new AbortController();
  private readonly signal: AbortSignal;

  constructor(
    private readonly folder: string | undefined,
    private readonly room: Reservation | undefined,
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
    if (this.names.length >= this.limits.files) throw tooMany(this.limits.files);
    if (this.folded.has(keyOf(path)))
      throw new FieldError([{ field: name, message: 'the file is there twice, maybe in another case' }]);
    this.folded.add(keyOf(path));
    const hash = createHash('sha256');
    const count = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.bytes += chunk.length;
        const refuse = (error: Error): void => {
          this.failure ??= error;
          done(error);
        };
        if (this.bytes > this.limits.bodyBytes) return refuse(tooLarge(this.limits.bodyBytes));
        hash.update(chunk);
        if (!this.room) return done(null, chunk);
        this.room.need(chunk.length).then(() => {
          this.room?.spend(chunk.length);
          done(null, chunk);
        }, refuse);
      },
    });
    const target = this.folder && join(this.folder, ...path.split('/'));
    if (target) await this.toFile(target, source, count);
    else await pipeline(source, count, nowhere(), { signal: this.signal });
    this.names.push(path);
    this.hashes.push(`${path} ${hash.digest('hex')}`);
  }

  private async toFile(target: string, source: Readable, count: Transform): Promise<void> {
    this.signal.throwIfAborted();
    await mkdir(dirname(target), { recursive: true });
    // A stream that opened the file itself could still be opening it when the pipeline has ended.
    const file = await open(target, 'wx');
    const stream = file.createWriteStream();
    try {
      await pipeline(source, count, stream, { signal: this.signal });
    } finally {
      stream.destroy();
      await file.close();
    }
  }

  fingerprint(fields: Record<string, string>): string {
    const all = [...this.hashes].sort().join('\n') + JSON.stringify(Object.entries(fields).sort());
    return createHash('sha256').update(all).digest('hex');
  }
}

const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

/** A relative path that stays inside. @throws `ARCHIVE_UNSAFE_PATH` */
export function safePath(name: string): string {
  const path = name.replaceAll('\\', '/').replace(/^(\.\/)+/, '');
  const parts = path.split('/');
  const bad =
    path === '' ||
    Buffer.byteLength(path) > 1000 ||
    /\p{Surrogate}/u.test(path) ||
    /^([a-zA-Z]:|\/)/.test(path) ||
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
    /[\x00-\x1f]/.test(path) ||
    parts.some((part) => part === '' || part === '.' || part === '..' || Buffer.byteLength(part) > 255);
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
  if (isDiskFull(error)) return diskFull(error);
  if (error instanceof Error && error.cause instanceof PlinthError) return error.cause;
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
    case 'FST_INVALID_JSON_FIELD_ERROR':
      return new FieldError([{ field: '', message: 'a field that is said to be JSON is none' }]);
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
