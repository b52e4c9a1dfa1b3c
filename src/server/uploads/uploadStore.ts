import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyRequest } from 'fastify';
import type { Upload, UploadFile } from '../../api/upload.js';
import { PlinthError } from '../../core/errors.js';
import { requireDisk } from '../../jobs/storage/janitor.js';
import { FieldError } from '../problem.js';
import { safePath, tooLarge, tooMany } from './receive.js';

interface Manifest {
  id: string;
  owner: string;
  name: string;
  createdAt: string;
  files: { name: string; bytes: number }[];
}

export interface UploadLimits {
  bodyBytes: number;
  files: number;
  stallSeconds: number;
  minimumFreeBytes: number;
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Uploads that may be interrupted: the client says first which files will come, then sends each in parts that begin where the last ended. What is
 * here is what the files on disk hold, so that an upload survives a restart of the server.
 */
export class UploadStore {
  /** Files that are being written. */
  private readonly busy = new Set<string>();

  constructor(
    private readonly incoming: string,
    private readonly limits: UploadLimits,
  ) {}

  /** @throws `UPLOAD_EMPTY`, `UPLOAD_TOO_LARGE`, `UPLOAD_TOO_MANY_FILES`, `ARCHIVE_UNSAFE_PATH`, `DISK_LOW` */
  async create(owner: string, name: string, files: { name: string; bytes: number }[]): Promise<Upload> {
    const total = files.reduce((sum, f) => sum + f.bytes, 0);
    if (files.length === 0)
      throw new PlinthError('UPLOAD_EMPTY', { found: 'The upload names no file', subject: 'files' });
    if (files.length > this.limits.files) throw tooMany(this.limits.files);
    if (total > this.limits.bodyBytes) throw tooLarge(this.limits.bodyBytes);
    const safe = files.map((f) => ({ name: safePath(f.name), bytes: f.bytes }));
    if (new Set(safe.map((f) => f.name.toLowerCase())).size < safe.length) {
      throw new FieldError([{ field: 'files', message: 'two files have the same name' }]);
    }
    await requireDisk(this.incoming, this.limits.minimumFreeBytes + total);
    const manifest: Manifest = { id: randomUUID(), owner, name, createdAt: new Date().toISOString(), files: safe };
    const folder = this.folder(manifest.id);
    await mkdir(join(folder, 'files'), { recursive: true });
    const path = join(folder, 'manifest.json');
    await writeFile(`${path}.partial`, JSON.stringify(manifest));
    await rename(`${path}.partial`, path);
    return await this.describe(manifest);
  }

  /** @throws `UPLOAD_NOT_FOUND` */
  async get(id: string, owner: string): Promise<Upload> {
    return await this.describe(await this.manifest(id, owner));
  }

  /**
   * Appends the request's body to a file at `offset`. What arrived before the body broke off is kept.
   * @throws `UPLOAD_NOT_FOUND`, `UPLOAD_OFFSET_CONFLICT`, `UPLOAD_TOO_LARGE`
   */
  async append(id: string, owner: string, name: string, offset: number, request: FastifyRequest): Promise<UploadFile> {
    const manifest = await this.manifest(id, owner);
    const file = manifest.files.find((f) => f.name === name);
    if (!file) {
      throw new PlinthError('UPLOAD_NOT_FOUND', {
        found: `The upload has no file "${name}"`,
        expected: 'a file that was named when it was begun',
        subject: name,
      });
    }
    const path = this.path(id, name);
    const conflict = (found: string): PlinthError =>
      new PlinthError('UPLOAD_OFFSET_CONFLICT', {
        found,
        remedy: 'Ask `GET /v1/uploads/{id}` where to go on',
        subject: 'Upload-Offset',
      });
    if (this.busy.has(path)) throw conflict('Another request is writing this file');
    this.busy.add(path);
    try {
      await mkdir(dirname(path), { recursive: true });
      const received = await size(path);
      if (offset !== received) throw conflict(`The part begins at ${offset}, the file ends at ${received}`);
      await requireDisk(this.incoming, this.limits.minimumFreeBytes);
      let count = received;
      const { socket } = request.raw;
      socket.setTimeout(this.limits.stallSeconds * 1000, () => socket.destroy());
      const counter = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          count += chunk.length;
          done(count > file.bytes ? tooLarge(file.bytes) : null, chunk);
        },
      });
      try {
        await pipeline(request.raw, counter, createWriteStream(path, { flags: 'a' }));
      } catch (error) {
        if (error instanceof PlinthError) {
          await truncate(path, received);
          throw error;
        }
        throw new PlinthError('UPLOAD_TRUNCATED', {
          found: 'The part broke off',
          remedy: 'Go on where the file ends',
          cause: error,
        });
      } finally {
        socket.setTimeout(0);
      }
      const now = new Date();
      await utimes(this.folder(id), now, now);
      return { ...file, received: await size(path) };
    } finally {
      this.busy.delete(path);
    }
  }

  /** Gives the files of a complete upload to a job. @throws `UPLOAD_NOT_FOUND`, `UPLOAD_INCOMPLETE` */
  async take(id: string, owner: string): Promise<{ folder: string; name: string; discard(): Promise<void> }> {
    const upload = await this.get(id, owner);
    const open = upload.files.find((f) => f.received < f.bytes || this.busy.has(this.path(id, f.name)));
    if (open) {
      throw new PlinthError('UPLOAD_INCOMPLETE', {
        found: `${open.received} of ${open.bytes} bytes of ${open.name} are here`,
        remedy: 'Send the rest first',
        subject: 'upload',
      });
    }
    // Taken by renaming, so that of two jobs that name it one gets it.
    const taken = join(this.incoming, randomUUID());
    await rename(this.folder(id), taken).catch(() => {
      throw unknownUpload(id);
    });
    const files = join(taken, 'files');
    for (const file of upload.files) {
      // Nothing is ever sent for an empty file.
      if (file.bytes > 0) continue;
      await mkdir(dirname(join(files, file.name)), { recursive: true });
      await writeFile(join(files, file.name), '');
    }
    return { folder: files, name: upload.name, discard: () => rm(taken, { recursive: true, force: true }) };
  }

  /** @throws `UPLOAD_NOT_FOUND` */
  async remove(id: string, owner: string): Promise<void> {
    await this.manifest(id, owner);
    await rm(this.folder(id), { recursive: true, force: true });
  }

  private async manifest(id: string, owner: string): Promise<Manifest> {
    if (!ID.test(id)) throw unknownUpload(id);
    let manifest: Manifest;
    try {
      manifest = JSON.parse(await readFile(join(this.folder(id), 'manifest.json'), 'utf8')) as Manifest;
    } catch {
      throw unknownUpload(id);
    }
    if (manifest.owner !== owner) throw unknownUpload(id);
    return manifest;
  }

  private async describe(manifest: Manifest): Promise<Upload> {
    const files = await Promise.all(
      manifest.files.map(async (f) => ({ ...f, received: await size(this.path(manifest.id, f.name)) })),
    );
    const { id, name, createdAt } = manifest;
    const bytes = files.reduce((sum, f) => sum + f.bytes, 0);
    const received = files.reduce((sum, f) => sum + f.received, 0);
    return { id, name, createdAt, files, bytes, received, complete: received === bytes };
  }

  private folder(id: string): string {
    return join(this.incoming, `upload-${id}`);
  }

  private path(id: string, name: string): string {
    return join(this.folder(id), 'files', ...name.split('/'));
  }
}

const size = (path: string): Promise<number> =>
  stat(path).then(
    (s) => s.size,
    () => 0,
  );

const unknownUpload = (id: string): PlinthError =>
  new PlinthError('UPLOAD_NOT_FOUND', {
    found: `There is no upload ${id}`,
    remedy: 'Begin a new one; uploads that nobody goes on with are removed after a day',
    subject: id,
  });
