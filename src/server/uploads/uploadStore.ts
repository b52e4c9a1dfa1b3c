import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import {
  copyFile,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyRequest } from 'fastify';
import { type Upload, type UploadFile, uploadFileUrl } from '../../api/upload.js';
import { diskFull, isDiskFull, PlinthError } from '../../core/errors.js';
import { keyOf } from '../../core/nameKey.js';
import { anyOf, setting, step } from '../../core/remedy.js';
import type { DiskBudget, Reservation } from '../../jobs/storage/diskBudget.js';
import { unknownUpload } from '../../jobs/unknownUpload.js';
import { FieldError } from '../problem.js';
import { type PaceLimits, watchPace } from './pace.js';
import { safePath, tooLarge, tooMany } from './receive.js';

interface Manifest {
  id: string;
  owner: string;
  name: string;
  createdAt: string;
  files: { name: string; bytes: number }[];
}

export interface UploadLimits extends PaceLimits {
  bodyBytes: number;
  files: number;
  /** Uploads that may be open, of one owner and of all. */
  openUploadsPerKey: number;
  openUploads: number;
  /** An upload that nobody goes on with is removed after this time. */
  uploadExpirySeconds: number;
}

/** A part that is sent: where it begins, and what it should come out as. */
export interface Part {
  offset: number;
  checksum?: { algorithm: string; digest: Buffer };
}

/** What the store knows of an upload besides its files, which are the truth about what is here. */
interface Entry {
  owner: string;
  room: Reservation;
  /** Last use: files are lent to one job at a time. */
  turn: Promise<unknown>;
}

interface Writer {
  stop: AbortController;
  done: Promise<unknown>;
}

/** Hashes that a part may be checked by. */
export const CHECKSUMS = ['sha1', 'sha256', 'md5'] as const;

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const PREFIX = 'upload-';
const EXPIRY_MS = 60_000;

/**
 * Uploads that may be interrupted: the client says first which files will come, then sends each in parts that begin
 * where the last ended. What is here is what the files on disk hold, so that an upload survives a restart of the
 * server. Room on disk is promised for all of it at the start.
 */
export class UploadStore {
  private readonly open = new Map<string, Entry>();
  /** Files that are being written. */
  private readonly writers = new Map<string, Writer>();
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly incoming: string,
    private readonly disk: DiskBudget,
    private readonly limits: UploadLimits,
  ) {}

  /** Finds the uploads that an earlier process took, and keeps their room for them. */
  static async open(incoming: string, disk: DiskBudget, limits: UploadLimits): Promise<UploadStore> {
    const store = new UploadStore(incoming, disk, limits);
    await store.expire();
    store.timer = setInterval(() => void store.expire().catch(() => {}), EXPIRY_MS);
    store.timer.unref();
    return store;
  }

  close(): void {
    clearInterval(this.timer);
  }

  /**
   * @throws `UPLOAD_EMPTY`, `UPLOAD_TOO_LARGE`, `UPLOAD_TOO_MANY_FILES`, `TOO_MANY_UPLOADS`, `ARCHIVE_UNSAFE_PATH`,
   * `DISK_LOW`
   */
  async create(owner: string, name: string, files: { name: string; bytes: number }[]): Promise<Upload> {
    const total = files.reduce((sum, f) => sum + f.bytes, 0);
    if (files.length === 0)
      throw new PlinthError('UPLOAD_EMPTY', { found: 'The upload names no file', subject: 'files' });
    if (files.length > this.limits.files) throw tooMany(this.limits.files);
    if (total > this.limits.bodyBytes) throw tooLarge(this.limits.bodyBytes);
    const safe = files.map((f) => ({ name: safePath(f.name), bytes: f.bytes }));
    requireApart(safe.map((f) => f.name));
    const id = randomUUID();
    this.requirePlace(owner);
    const entry: Entry = { owner, room: this.disk.promise(0), turn: Promise.resolve() };
    // At once, so that of two that begin at the same time both are counted.
    this.open.set(id, entry);
    try {
      entry.room = await this.disk.claim(total);
      const manifest: Manifest = { id, owner, name, createdAt: new Date().toISOString(), files: safe };
      await mkdir(join(this.folder(id), 'files'), { recursive: true });
      await this.write(manifest);
      return await this.describe(manifest);
    } catch (error) {
      await this.drop(id);
      throw error;
    }
  }

  /** @throws `UPLOAD_NOT_FOUND` */
  async get(id: string, owner: string): Promise<Upload> {
    return await this.describe(await this.manifest(id, owner));
  }

  /** One file of it. @throws `UPLOAD_NOT_FOUND` */
  async file(id: string, owner: string, name: string): Promise<UploadFile & { expiresAt: string }> {
    const manifest = await this.manifest(id, owner);
    const file = named(manifest, name);
    return { ...file, received: await size(this.path(id, name)), expiresAt: await this.expiresAt(manifest) };
  }

  /**
   * Appends the request's body to a file. What arrived before the body broke off is kept, save under a checksum, which
   * only a whole part can be held against. Another request that still writes the file, as of a connection that the
   * client has lost, ends first.
   * @throws `UPLOAD_NOT_FOUND`, `UPLOAD_OFFSET_CONFLICT`, `UPLOAD_CHECKSUM_MISMATCH`, `UPLOAD_TOO_LARGE`,
   * `UPLOAD_TOO_SLOW`, `DISK_LOW`
   */
  async append(
    id: string,
    owner: string,
    name: string,
    part: Part,
    request: FastifyRequest,
  ): Promise<UploadFile & { expiresAt: string }> {
    const manifest = await this.manifest(id, owner);
    const file = named(manifest, name);
    const path = this.path(id, name);
    for (let other = this.writers.get(path); other; other = this.writers.get(path)) {
      other.stop.abort();
      await other.done.catch(() => {});
    }
    const stop = new AbortController();
    const before = await size(path);
    const done = this.appendAlone(file, path, part, request, this.entry(manifest), stop.signal);
    this.writers.set(path, { stop, done });
    try {
      await done;
    } finally {
      if (this.writers.get(path)?.done === done) this.writers.delete(path);
      // Whoever brings nothing does not go on with it.
      const now = new Date();
      if ((await size(path)) > before) await utimes(this.folder(id), now, now).catch(() => {});
    }
    return await this.file(id, owner, name);
  }

  private async appendAlone(
    file: { name: string; bytes: number },
    path: string,
    { offset, checksum }: Part,
    request: FastifyRequest,
    entry: Entry,
    stop: AbortSignal,
  ): Promise<void> {
    const watch = watchPace(request, this.limits);
    const received = await size(path);
    let count = 0;
    try {
      await mkdir(dirname(path), { recursive: true });
      if (offset !== received) {
        throw new PlinthError('UPLOAD_OFFSET_CONFLICT', {
          found: `The part begins at ${offset}, the file ends at ${received}`,
          remedy: 'Ask `HEAD` of the file, or `GET /v1/uploads/{id}`, where to go on',
          subject: 'Upload-Offset',
        });
      }
      const length = Number(request.headers['content-length'] ?? 0);
      if (received + length > file.bytes) throw tooLarge(file.bytes);
      const hash = checksum && createHash(checksum.algorithm);
      const counter = new Transform({
        transform(chunk: Buffer, _encoding, next) {
          if (received + count + chunk.length > file.bytes) return next(tooLarge(file.bytes));
          hash?.update(chunk);
          entry.room.need(chunk.length).then(() => {
            count += chunk.length;
            entry.room.spend(chunk.length);
            next(null, chunk);
          }, next);
        },
      });
      // Of its own: a pipeline that is given up destroys its source, and the client could not be answered any more.
      const body = new PassThrough();
      request.raw.pipe(body);
      const signal = AbortSignal.any([watch.signal, stop]);
      await pipeline(body, counter, createWriteStream(path, { flags: 'a' }), { signal });
      if (hash && !hash.digest().equals(checksum!.digest)) {
        throw new PlinthError('UPLOAD_CHECKSUM_MISMATCH', {
          found: `The ${count} bytes of the part have another ${checksum!.algorithm}`,
          remedy: 'Send the part again',
          subject: 'Upload-Checksum',
        });
      }
    } catch (error) {
      const slow = watch.signal.reason instanceof PlinthError && watch.signal.reason.code === 'UPLOAD_TOO_SLOW';
      const coded = slow ? watch.signal.reason : error;
      const whole = checksum || (coded instanceof PlinthError && coded.code === 'UPLOAD_TOO_LARGE');
      if (whole && (await size(path)) > received) await truncate(path, received);
      if (coded instanceof PlinthError) throw coded;
      if (isDiskFull(coded)) throw diskFull(coded);
      throw new PlinthError('UPLOAD_TRUNCATED', {
        found: stop.aborted ? 'Another request goes on with this file' : 'The part broke off',
        remedy: 'Go on where the file ends',
        cause: error,
      });
    } finally {
      // What was counted and is not on disk comes again.
      entry.room.restore(received + count - (await size(path)));
      watch.end();
    }
  }

  /**
   * Lends the files of a complete upload to `work`, which gets a folder that is its own to move or remove. The upload
   * stays until `work` has succeeded: what refuses it leaves it as it was. Several that want the same one wait for each
   * other.
   * @throws `UPLOAD_NOT_FOUND`, `UPLOAD_INCOMPLETE`
   */
  async lend<T>(id: string, owner: string, work: (folder: string, name: string) => Promise<T>): Promise<T> {
    const entry = this.entry(await this.manifest(id, owner));
    const mine = entry.turn.then(
      async () => await this.lendAlone(await this.get(id, owner), work),
      // Whoever came before has said what went wrong.
      async () => await this.lendAlone(await this.get(id, owner), work),
    );
    entry.turn = mine.catch(() => {});
    return await mine;
  }

  private async lendAlone<T>(upload: Upload, work: (folder: string, name: string) => Promise<T>): Promise<T> {
    const { id } = upload;
    const open = upload.files.find((f) => f.received < f.bytes || this.writers.has(this.path(id, f.name)));
    if (open) {
      throw new PlinthError('UPLOAD_INCOMPLETE', {
        found: `${open.received} of ${open.bytes} bytes of ${open.name} are here`,
        remedy: 'Send the rest first',
        subject: 'upload',
      });
    }
    const root = join(this.incoming, randomUUID());
    try {
      for (const file of upload.files) {
        const target = join(root, 'files', ...file.name.split('/'));
        await mkdir(dirname(target), { recursive: true });
        // Nothing is ever sent for an empty file.
        if (file.bytes === 0) await writeFile(target, '');
        else await linkOrCopy(this.path(id, file.name), target);
      }
      const result = await work(join(root, 'files'), upload.name);
      await this.drop(id);
      return result;
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  }

  /** @throws `UPLOAD_NOT_FOUND` */
  async remove(id: string, owner: string): Promise<void> {
    await this.manifest(id, owner);
    await this.drop(id);
  }

  /** Takes a file out of the upload; with the last one the upload goes. @throws `UPLOAD_NOT_FOUND` */
  async removeFile(id: string, owner: string, name: string): Promise<void> {
    const manifest = await this.manifest(id, owner);
    const file = named(manifest, name);
    if (manifest.files.length === 1) return await this.drop(id);
    this.writers.get(this.path(id, name))?.stop.abort();
    await this.writers.get(this.path(id, name))?.done.catch(() => {});
    const left = { ...manifest, files: manifest.files.filter((f) => f.name !== name) };
    await this.write(left);
    this.entry(manifest).room.spend(file.bytes - (await size(this.path(id, name))));
    await rm(this.path(id, name), { force: true });
  }

  /** Removes the uploads that nobody went on with, and learns of those that it did not know. */
  async expire(): Promise<void> {
    for (const folder of await readdir(this.incoming)) {
      if (!folder.startsWith(PREFIX)) continue;
      const id = folder.slice(PREFIX.length);
      const manifest = await this.readManifest(id);
      if (manifest && !(await this.isExpired(manifest))) {
        if (!this.open.has(id)) await this.learn(manifest);
      } else if (manifest || !this.open.has(id)) await this.drop(id);
    }
  }

  private async isExpired(manifest: Manifest): Promise<boolean> {
    const written = [...this.writers.keys()].some((path) => path.startsWith(this.folder(manifest.id)));
    return !written && Date.now() > (await this.expiry(manifest));
  }

  private async usedAt(id: string): Promise<number> {
    return (await stat(this.folder(id)).catch(() => undefined))?.mtimeMs ?? 0;
  }

  private async expiresAt(manifest: Manifest): Promise<string> {
    return new Date(await this.expiry(manifest)).toISOString();
  }

  /**
   * When it is removed: some time after its last byte, and as long after its begin as its bytes take at the least pace
   * allowed. Else a byte a day would keep its room for ever.
   */
  private async expiry({ id, createdAt, files }: Manifest): Promise<number> {
    const { uploadExpirySeconds, minimumBytesPerSecond } = this.limits;
    const bytes = files.reduce((sum, f) => sum + f.bytes, 0);
    const longest = minimumBytesPerSecond > 0 ? bytes / minimumBytesPerSecond : Number.POSITIVE_INFINITY;
    const last = Math.min(await this.usedAt(id), Date.parse(createdAt) + longest * 1000);
    // No later than dates go.
    return Math.min(last + uploadExpirySeconds * 1000, 8.64e15);
  }

  private requirePlace(owner: string): void {
    const { openUploads, openUploadsPerKey } = this.limits;
    const own = [...this.open.values()].filter((e) => e.owner === owner).length;
    const perKey = own >= openUploadsPerKey;
    const found = perKey ? own : this.open.size;
    const most = perKey ? openUploadsPerKey : openUploads;
    if (found < most) return;
    throw tooManyOpen(found, most, perKey);
  }

  /** @throws `UPLOAD_NOT_FOUND` */
  private async manifest(id: string, owner: string): Promise<Manifest> {
    const manifest = ID.test(id) ? await this.readManifest(id) : undefined;
    if (manifest?.owner !== owner) throw unknownUpload(id);
    if (!(await this.isExpired(manifest))) return manifest;
    await this.drop(id);
    throw unknownUpload(id);
  }

  private async readManifest(id: string): Promise<Manifest | undefined> {
    try {
      return JSON.parse(await readFile(join(this.folder(id), 'manifest.json'), 'utf8')) as Manifest;
    } catch {
      return undefined;
    }
  }

  private async write(manifest: Manifest): Promise<void> {
    const path = join(this.folder(manifest.id), 'manifest.json');
    await writeFile(`${path}.partial`, JSON.stringify(manifest));
    await rename(`${path}.partial`, path);
  }

  private entry(manifest: Manifest): Entry {
    const known = this.open.get(manifest.id);
    if (known) return known;
    // Begun by another process on the same folder; its bytes are counted with the next look at the folder.
    const entry: Entry = { owner: manifest.owner, room: this.disk.promise(0), turn: Promise.resolve() };
    this.open.set(manifest.id, entry);
    return entry;
  }

  private async learn(manifest: Manifest): Promise<void> {
    const { bytes, received } = await this.describe(manifest);
    this.entry(manifest).room.restore(bytes - received);
  }

  private async drop(id: string): Promise<void> {
    for (const [path, writer] of this.writers) {
      if (!path.startsWith(this.folder(id))) continue;
      writer.stop.abort();
      await writer.done.catch(() => {});
    }
    this.open.get(id)?.room.release();
    this.open.delete(id);
    await rm(this.folder(id), { recursive: true, force: true });
  }

  private async describe(manifest: Manifest): Promise<Upload> {
    const files = await Promise.all(
      manifest.files.map(async ({ name, bytes }) => {
        const received = await size(this.path(manifest.id, name));
        return { name, bytes, received, url: uploadFileUrl(manifest.id, name) };
      }),
    );
    const { id, name, createdAt } = manifest;
    const bytes = files.reduce((sum, f) => sum + f.bytes, 0);
    const received = files.reduce((sum, f) => sum + f.received, 0);
    const expiresAt = await this.expiresAt(manifest);
    return { id, name, createdAt, expiresAt, files, bytes, received, complete: received === bytes };
  }

  private folder(id: string): string {
    return join(this.incoming, `${PREFIX}${id}`);
  }

  private path(id: string, name: string): string {
    return join(this.folder(id), 'files', ...name.split('/'));
  }
}

/** No name twice, in whatever case, and none the folder of another. @throws `REQUEST_INVALID` */
function requireApart(names: string[]): void {
  const files = new Set(names.map(keyOf));
  if (files.size < names.length) throw new FieldError([{ field: 'files', message: 'two files have the same name' }]);
  for (const name of files) {
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
      if (files.has(name.slice(0, end)))
        throw new FieldError([{ field: 'files', message: `${name.slice(0, end)} is both a file and a folder` }]);
    }
  }
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  // Some file systems know no links.
  await link(from, to).catch(() => copyFile(from, to));
}

function named(manifest: Manifest, name: string): { name: string; bytes: number } {
  const file = manifest.files.find((f) => f.name === name);
  if (file) return file;
  throw new PlinthError('UPLOAD_NOT_FOUND', {
    found: `The upload has no file "${name}"`,
    expected: 'a file that was named when it was begun',
    subject: name,
  });
}

const size = (path: string): Promise<number> =>
  stat(path).then(
    (s) => s.size,
    () => 0,
  );

export const tooManyOpen = (found: number, most: number, perKey: boolean): PlinthError =>
  new PlinthError('TOO_MANY_UPLOADS', {
    found: `${found} uploads are open`,
    expected: perKey ? `at most ${most} of one API key` : `at most ${most}`,
    remedy: anyOf(
      step`submit or remove one of them (\`DELETE /v1/uploads/{id}\`)`,
      step`raise ${setting(perKey ? 'limits.openUploadsPerKey' : 'limits.openUploads')}`,
    ),
  });
