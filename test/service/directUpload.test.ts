import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DirectUpload, PlinthClient } from '../../src/api/client.js';
import { createKey } from '../../src/server/access/apiKeys.js';
import { type ZipEntry, zip } from '../zip.js';
import { captureZip } from './captureZip.js';
import { S3_SECRET, type StandInS3, startS3 } from './s3.js';
import { PIXEL } from './standInEngine.js';
import { startTestServer, type TestServer } from './testServer.js';

let s3: StandInS3;
beforeAll(async () => {
  s3 = await startS3('bucket');
});
afterAll(() => s3.stop());

const flags = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  'storage.kind': 's3',
  'storage.bucket': 'bucket',
  'storage.prefix': 'some place',
  'storage.endpoint': s3.url,
  'storage.publicEndpoint': s3.url,
  'storage.accessKeyId': 'id',
  'storage.secretAccessKey': S3_SECRET,
  ...more,
});

/** Passes connections on to the server and counts what clients send. */
async function countingWay(url: string): Promise<{ url: string; sent: () => number; close: () => void }> {
  let sent = 0;
  const sockets: Socket[] = [];
  const way: Server = createServer();
  way.removeAllListeners('connection').on('connection', (client: Socket) => {
    const to = connect(Number(new URL(url).port), '127.0.0.1');
    client.on('data', (data) => {
      sent += data.length;
    });
    client.pipe(to).pipe(client);
    for (const socket of [client, to]) socket.on('error', () => {});
    sockets.push(client, to);
  });
  await new Promise<void>((done) => way.listen(0, '127.0.0.1', done));
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    way.close();
  };
  return { url: `http://127.0.0.1:${(way.address() as AddressInfo).port}`, sent: () => sent, close };
}

const codeOf = async (answer: Response): Promise<[number, string]> => [
  answer.status,
  ((await answer.json()) as { code: string }).code,
];
const post = (server: TestServer, path: string, body: unknown, key?: string): Promise<Response> =>
  server.ask(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
  });
const begin = async (server: TestServer, bytes: number, key?: string): Promise<DirectUpload> => {
  const answer = await post(server, '/v1/uploads/direct', { bytes }, key);
  const upload = (await answer.json()) as DirectUpload;
  expect(answer.status, JSON.stringify(upload)).toBe(201);
  return upload;
};
const put = async (url: string, data: Buffer): Promise<number> =>
  (await fetch(url, { method: 'PUT', body: new Uint8Array(data) })).status;
const kept = (prefix: string): string[] => [...s3.objects.keys()].filter((k) => k.startsWith(`some place/${prefix}`));

/** Makes all uploads older. */
function pass(seconds: number): void {
  for (const key of kept('uploads/').filter((key) => key.endsWith('/upload.json'))) {
    const record = JSON.parse(s3.objects.get(key)!.toString()) as Record<string, unknown>;
    for (const name of ['createdAt', 'expiresAt', 'addressExpiresAt'])
      record[name] = new Date(Date.parse(record[name] as string) - seconds * 1000).toISOString();
    s3.objects.set(key, Buffer.from(JSON.stringify(record)));
  }
}

describe('an upload to the storage itself', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ flags: flags({ 'limits.openUploads': 100, 'limits.bodyBytes': 8 * 2 ** 20 }) });
  });
  afterAll(() => server.destroy());

  test('becomes a job, and its bytes pass the service neither way', async () => {
    const way = await countingWay(server.url);
    try {
      const client = new PlinthClient({ url: way.url });
      const data = await captureZip(3 * 2 ** 20);
      const read: number[] = [];
      const { read: readStored } = server.service.artifacts;
      server.service.artifacts.read = async (key, range) => {
        // What is looked at is the copy: the address still takes another file.
        if (key.endsWith('.zip')) expect(key).toMatch(/^jobs\//);
        if (key.endsWith('.zip')) read.push(range ? range.end - range.start + 1 : Number.POSITIVE_INFINITY);
        return await readStored.call(server.service.artifacts, key, range);
      };
      const { id, url } = await client.uploadDirect({ name: 'vase.zip', data: new Blob([new Uint8Array(data)]) });
      const job = await client.submitStored({ upload: id }, { seed: 3 }, 'once');
      server.service.artifacts.read = readStored;
      expect(job).toMatchObject({ name: 'vase', input: { kind: 'zip', files: 2, bytes: data.length } });
      expect(way.sent()).toBeLessThan(4000);
      // The directory at the end, and the beginning of the metadata at most.
      expect(read.length).toBeGreaterThan(0);
      expect(read.reduce((sum, n) => sum + n)).toBeLessThan(2 ** 20);
      expect(s3.objects.get(`some place/jobs/${job.id}/input/capture.zip`)).toEqual(data);
      expect(kept(`uploads/open/${id}`)).toEqual([`some place/uploads/open/${id}/upload.json`]);
      expect((await server.until(job.id, 'succeeded', 'failed')).state).toBe('succeeded');
      const late = Buffer.alloc(data.length);
      expect(await put(url, late)).toBe(200);
      expect(s3.objects.get(`some place/jobs/${job.id}/input/capture.zip`)).toEqual(data);
      // Asked again it is the same job; another one finds the upload gone.
      expect((await client.submitStored({ upload: id }, { seed: 3 }, 'once')).id).toBe(job.id);
      await expect(client.submitStored({ upload: id })).rejects.toMatchObject({ code: 'UPLOAD_NOT_FOUND' });
    } finally {
      way.close();
    }
  });

  test('takes neither another size nor another address', async () => {
    const data = await captureZip(1000);
    const { id, url, bytes } = await begin(server, data.length);
    expect(new URL(url).searchParams.get('X-Amz-SignedHeaders')).toBe('content-length;host');
    s3.refused.length = 0;
    expect(await put(url, Buffer.concat([data, data]))).toBe(403);
    expect(await put(url, data.subarray(1))).toBe(403);
    expect(await put(url.replace('X-Amz-Expires=900', 'X-Amz-Expires=90000'), data)).toBe(403);
    expect(await put(url.replace('/capture.zip', '/capture2.zip'), data)).toBe(403);
    expect(s3.refused).toEqual(new Array(4).fill('SignatureDoesNotMatch'));
    // Nothing is there yet, or a storage that looks at no length took less.
    expect(await codeOf(await post(server, '/v1/jobs', { upload: id }))).toEqual([409, 'UPLOAD_INCOMPLETE']);
    s3.objects.set(`some place/uploads/open/${id}/capture.zip`, data.subarray(1));
    expect(await codeOf(await post(server, '/v1/jobs', { upload: id }))).toEqual([409, 'UPLOAD_INCOMPLETE']);
    // What was refused leaves it as it was.
    expect(await put(url, data)).toBe(200);
    expect(bytes).toBe(data.length);
    expect((await post(server, '/v1/jobs', { upload: id })).status).toBe(202);
    expect(await codeOf(await post(server, '/v1/uploads/direct', { bytes: 9 * 2 ** 20 }))).toEqual([
      413,
      'UPLOAD_TOO_LARGE',
    ]);
    expect(await codeOf(await post(server, '/v1/uploads/direct', { bytes: 0 }))).toEqual([400, 'REQUEST_INVALID']);
  });

  test('is refused for what a body is refused for', async () => {
    const text = Buffer.from('{"frames": []}');
    const of = (...entries: ZipEntry[]): Buffer => zip([{ name: 'transforms.json', data: text }, ...entries]);
    const good = await captureZip(1000);
    const bad: [string, Buffer][] = [
      ['ARCHIVE_INVALID', Buffer.from('this is no archive, but it is long enough to be one')],
      ['ARCHIVE_INVALID', good.subarray(0, -30)],
      ['ARCHIVE_INVALID', of({ name: 'a.png', data: PIXEL }, { name: 'A.png', data: PIXEL })],
      ['ARCHIVE_UNSAFE_PATH', of({ name: '../a.png', data: PIXEL })],
      ['ARCHIVE_UNSAFE_PATH', of({ name: '/etc/a.png', data: PIXEL })],
      ['ARCHIVE_TOO_LARGE', of({ name: 'a.png', data: Buffer.alloc(40 * 2 ** 20) })],
      ['CAPTURE_UNRECOGNISED', zip([{ name: 'some.txt', data: text }])],
      ['CAPTURE_UNRECOGNISED', zip([{ name: 'a.heic', data: PIXEL }])],
      ['CAPTURE_NO_CAMERAS', zip([{ name: 'a.png', data: PIXEL }])],
    ];
    const inputs = (): string[] => kept('jobs/').filter((key) => key.includes('/input/'));
    const before = inputs();
    for (const [code, data] of bad) {
      const type = { 'content-type': 'application/zip' };
      const sent = await server.ask('/v1/jobs', { method: 'POST', headers: type, body: new Uint8Array(data) });
      const [status, said] = await codeOf(sent);
      const { id, url } = await begin(server, data.length);
      expect(await put(url, data), code).toBe(200);
      expect(await codeOf(await post(server, '/v1/jobs', { upload: id }))).toEqual([status, said]);
      expect(said).toBe(code);
      expect((await server.ask(`/v1/uploads/${id}`, { method: 'DELETE' })).status).toBe(204);
      expect(await codeOf(await post(server, '/v1/jobs', { upload: id }))).toEqual([404, 'UPLOAD_NOT_FOUND']);
    }
    // Nothing of them stays.
    expect(inputs()).toEqual(before);
  });
});

test("an upload is its key's alone, counts against the key's limits, and goes when its time is over", async () => {
  const server = await startTestServer({
    flags: flags({
      'auth.mode': 'on',
      'limits.openUploadsPerKey': 2,
      'quotas.storedBytes': 2 ** 20,
    }),
  });
  try {
    for (const key of kept('uploads/')) s3.objects.delete(key);
    const [mine, other] = await Promise.all(
      ['mine', 'other'].map(
        async (name) => (await createKey(server.service.db, { name, scope: 'submit' }, { name: 'test' })).key,
      ),
    );
    const data = await captureZip(1000);
    const first = await begin(server, data.length, mine);
    expect(await put(first.url, data)).toBe(200);
    expect(await codeOf(await post(server, '/v1/jobs', { upload: first.id }, other))).toEqual([
      404,
      'UPLOAD_NOT_FOUND',
    ]);
    const headers = { authorization: `Bearer ${other}` };
    const removed = await server.ask(`/v1/uploads/${first.id}`, { method: 'DELETE', headers });
    expect(await codeOf(removed)).toEqual([404, 'UPLOAD_NOT_FOUND']);
    expect(await codeOf(await post(server, '/v1/uploads/direct', { bytes: 2 ** 21 }, mine))).toEqual([
      507,
      'QUOTA_STORAGE',
    ]);
    await begin(server, data.length, mine);
    expect(await codeOf(await post(server, '/v1/uploads/direct', { bytes: 1000 }, mine))).toEqual([
      429,
      'TOO_MANY_UPLOADS',
    ]);
    // Abandoned, it keeps its place while its address could still be written to.
    const gone = await server.ask(`/v1/uploads/${first.id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${mine}` },
    });
    expect(gone.status).toBe(204);
    expect((await post(server, '/v1/uploads/direct', { bytes: 1000 }, mine)).status).toBe(429);
    const late = await begin(server, data.length, other);
    expect(await put(late.url, data)).toBe(200);
    // An hour later, then two days: first the addresses have expired, then the uploads.
    pass(3600);
    s3.ahead = 3_600_000;
    expect((await post(server, '/v1/uploads/direct', { bytes: 1000 }, mine)).status).toBe(201);
    expect(await codeOf(await post(server, '/v1/uploads/direct', { bytes: 1000 }, mine))).toEqual([
      429,
      'TOO_MANY_UPLOADS',
    ]);
    s3.refused.length = 0;
    expect(await put(late.url, data)).toBe(403);
    expect(s3.refused).toEqual(['AccessDenied']);
    pass(2 * 86_400);
    expect(await codeOf(await post(server, '/v1/jobs', { upload: late.id }, other))).toEqual([404, 'UPLOAD_NOT_FOUND']);
    // What came to an address whose upload is gone goes too.
    s3.objects.set('some place/uploads/open/late/capture.zip', data);
    expect(kept('uploads/').length).toBeGreaterThan(1);
    await server.service.janitor.run();
    expect(kept('uploads/')).toEqual([]);
    await begin(server, data.length, mine);
  } finally {
    s3.ahead = 0;
    await server.destroy();
  }
});

test('where clients do not reach the storage, there is none', async () => {
  const server = await startTestServer();
  try {
    const refused = await post(server, '/v1/uploads/direct', { bytes: 1000 });
    expect(await codeOf(refused)).toEqual([403, 'UPLOAD_DIRECT_OFF']);
  } finally {
    await server.destroy();
  }
});
