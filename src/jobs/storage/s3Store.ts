import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type _Object,
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { type ArtifactStore, checkKey, missing, storageUnavailable } from './artifactStore.js';

export interface S3Choice {
  bucket: string;
  /** Below which keys are put; without slashes at its ends. Default none. */
  prefix?: string;
  /** Of an S3-compatible service; absent = AWS. */
  endpoint?: string;
  /** Where clients of the service reach the same storage; absent = they do not. */
  publicEndpoint?: string;
  region: string;
  /** Default: the SDK's own chain (environment, profile, instance role). */
  accessKeyId?: string;
  secretAccessKey?: string;
  /** Bucket in the path rather than in the host name; most compatible services need it. */
  forcePathStyle: boolean;
}

/** Files above this are sent in parts of this size. S3 allows 10,000 parts, so up to 640 GB. */
const PART_BYTES = 64 * 1024 * 1024;

/** Artifacts in S3 or a service that speaks its protocol. */
export class S3Store implements ArtifactStore {
  readonly kind = 's3';
  readonly place: string;
  /** Present where clients may fetch from the storage itself. */
  readonly address?: ArtifactStore['address'];
  readonly direct?: ArtifactStore['direct'];
  private readonly client: S3Client;
  private readonly bucket: string;
  private readonly prefix: string;

  constructor(choice: S3Choice) {
    this.bucket = choice.bucket;
    this.prefix = choice.prefix ? `${choice.prefix.replace(/^\/+|\/+$/g, '')}/` : '';
    this.place = `s3://${this.bucket}/${this.prefix}`;
    const { publicEndpoint } = choice;
    const clientOf = (endpoint: string | undefined): S3Client =>
      new S3Client({
        region: choice.region,
        endpoint,
        forcePathStyle: choice.forcePathStyle,
        credentials:
          choice.accessKeyId && choice.secretAccessKey
            ? { accessKeyId: choice.accessKeyId, secretAccessKey: choice.secretAccessKey }
            : undefined,
        // Compatible services often refuse the newer checksum headers.
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
      });
    this.client = clientOf(choice.endpoint);
    if (publicEndpoint) {
      // The address is signed with its host, so it has to be made for the one that clients know.
      const signing = clientOf(publicEndpoint);
      this.address = async (key, { name, type, seconds }) => {
        const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
        const command = new GetObjectCommand({
          Bucket: this.bucket,
          Key: this.key(key),
          ResponseContentType: type,
          // What users gave or methods made is saved, not shown: the storage sends no policy along.
          ResponseContentDisposition: `attachment; filename="${name
            .split('/')
            .at(-1)!
            .replace(/[^\w.-]/g, '_')}"`,
        });
        return await getSignedUrl(signing, command, { expiresIn: seconds });
      };
      this.direct = {
        address: async (key, { bytes, seconds }) => {
          const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
          const command = new PutObjectCommand({ Bucket: this.bucket, Key: this.key(key), ContentLength: bytes });
          return await getSignedUrl(signing, command, { expiresIn: seconds });
        },
        copy: async (from, to) => {
          const source = [this.bucket, ...this.key(from).split('/')].map(encodeURIComponent).join('/');
          const command = new CopyObjectCommand({ Bucket: this.bucket, Key: this.key(to), CopySource: source });
          await this.guard(this.client.send(command));
        },
      };
    }
  }

  async adopt(local: string, key: string): Promise<void> {
    const facts = await stat(local);
    if (facts.isDirectory()) {
      for (const entry of await readdir(local, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name);
        await this.upload(path, `${key}/${relative(local, path).split(sep).join('/')}`);
      }
    } else await this.upload(local, key);
    await rm(local, { recursive: true, force: true });
  }

  async keep(local: string, key: string, names: string[]): Promise<void> {
    for (const name of names) await this.upload(join(local, ...name.split('/')), `${key}/${checkKey(name)}`);
  }

  async put(key: string, data: Uint8Array): Promise<void> {
    await this.guard(this.client.send(new PutObjectCommand({ Bucket: this.bucket, Key: this.key(key), Body: data })));
  }

  async stat(key: string) {
    const target = { Bucket: this.bucket, Key: this.key(key) };
    try {
      const head = await this.client.send(new HeadObjectCommand(target));
      return {
        bytes: head.ContentLength ?? 0,
        etag: (head.ETag ?? '').replaceAll('"', ''),
        modified: head.LastModified ?? new Date(0),
      };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw storageUnavailable(this.place, error);
    }
  }

  async read(key: string, range?: { start: number; end: number }): Promise<Readable> {
    const target = { Bucket: this.bucket, Key: this.key(key) };
    try {
      const answer = await this.client.send(
        new GetObjectCommand({
          ...target,
          Range: range && `bytes=${range.start}-${range.end}`,
        }),
      );
      return answer.Body as Readable;
    } catch (error) {
      if (isMissing(error)) throw missing(key);
      throw storageUnavailable(this.place, error);
    }
  }

  async list(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const object of this.objects(prefix))
      if (object.Key) keys.push(object.Key.slice(this.key(prefix).length + 1));
    return keys.sort();
  }

  private async *objects(prefix: string): AsyncGenerator<_Object> {
    let token: string | undefined;
    do {
      const page: ListObjectsV2CommandOutput = await this.guard(
        this.client.send(
          new ListObjectsV2Command({
            Bucket: this.bucket,
            Prefix: `${this.key(prefix)}/`,
            ContinuationToken: token,
          }),
        ),
      );
      yield* page.Contents ?? [];
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token);
  }

  async children(prefix: string): Promise<string[]> {
    const whole = `${this.key(prefix)}/`;
    const names = new Set<string>();
    let token: string | undefined;
    do {
      const page = await this.guard(
        this.client.send(
          new ListObjectsV2Command({ Bucket: this.bucket, Prefix: whole, Delimiter: '/', ContinuationToken: token }),
        ),
      );
      for (const object of page.Contents ?? []) if (object.Key) names.add(object.Key.slice(whole.length));
      for (const common of page.CommonPrefixes ?? [])
        if (common.Prefix) names.add(common.Prefix.slice(whole.length).replace(/\/$/, ''));
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token);
    return [...names].sort();
  }

  async newest(prefix: string): Promise<Date | undefined> {
    let newest: Date | undefined;
    for await (const object of this.objects(prefix)) {
      if (object.LastModified && (!newest || object.LastModified > newest)) newest = object.LastModified;
    }
    return newest;
  }

  async remove(prefix: string): Promise<void> {
    const below = (await this.list(prefix)).map((name) => ({ Key: `${this.key(prefix)}/${name}` }));
    const all = [{ Key: this.key(prefix) }, ...below];
    for (let i = 0; i < all.length; i += 1000) {
      await this.guard(
        this.client.send(
          new DeleteObjectsCommand({ Bucket: this.bucket, Delete: { Objects: all.slice(i, i + 1000), Quiet: true } }),
        ),
      );
    }
  }

  async local(prefix: string, into: string): Promise<string> {
    await mkdir(into, { recursive: true });
    for (const name of await this.list(prefix)) {
      const path = join(into, ...checkKey(name).split('/'));
      await mkdir(dirname(path), { recursive: true });
      await pipeline(await this.read(`${prefix}/${name}`), createWriteStream(path));
    }
    return into;
  }

  async check(): Promise<void> {
    const key = '.plinth-check';
    await this.put(key, Buffer.from('plinth'));
    if (!(await this.stat(key))) throw storageUnavailable(this.place, new Error('what was written cannot be read'));
  }

  private async upload(path: string, key: string): Promise<void> {
    const { size } = await stat(path);
    const target = { Bucket: this.bucket, Key: this.key(key) };
    if (size <= PART_BYTES) {
      await this.guard(
        this.client.send(
          new PutObjectCommand({
            ...target,
            Body: createReadStream(path),
            ContentLength: size,
            // The store refuses what arrives otherwise than it was sent.
            ContentMD5: await md5(path, 0, size),
          }),
        ),
      );
      return;
    }
    const { UploadId } = await this.guard(this.client.send(new CreateMultipartUploadCommand(target)));
    try {
      const parts = [];
      for (let start = 0, number = 1; start < size; start += PART_BYTES, number++) {
        const end = Math.min(size, start + PART_BYTES);
        const { ETag } = await this.client.send(
          new UploadPartCommand({
            ...target,
            UploadId,
            PartNumber: number,
            Body: createReadStream(path, { start, end: end - 1 }),
            ContentLength: end - start,
            ContentMD5: await md5(path, start, end),
          }),
        );
        parts.push({ ETag, PartNumber: number });
      }
      await this.client.send(
        new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts: parts } }),
      );
    } catch (error) {
      await this.client.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => {});
      throw storageUnavailable(this.place, error);
    }
  }

  private key(key: string): string {
    return this.prefix + checkKey(key);
  }

  private async guard<T>(sent: Promise<T>): Promise<T> {
    try {
      return await sent;
    } catch (error) {
      throw storageUnavailable(this.place, error);
    }
  }
}

/** MD5 of the bytes from `start` to before `end`, in base64. */
async function md5(path: string, start: number, end: number): Promise<string> {
  const hash = createHash('md5');
  if (end > start) await pipeline(createReadStream(path, { start, end: end - 1 }), hash);
  else hash.end();
  return hash.digest('base64');
}

const isMissing = (error: unknown): boolean => {
  const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  return name === 'NoSuchKey' || name === 'NotFound' || $metadata?.httpStatusCode === 404;
};
