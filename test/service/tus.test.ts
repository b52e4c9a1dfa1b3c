import { createHash } from 'node:crypto';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Upload as TusUpload } from 'tus-js-client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { PlinthClient, type Upload } from '../../src/api/client.js';
import { captureZip } from './captureZip.js';
import { startTestServer, type TestServer } from './testServer.js';

describe('resumable uploads', () => {
  let server: TestServer;
  let client: PlinthClient;
  beforeAll(async () => {
    server = await startTestServer({
      flags: {
        'limits.bodyBytes': 4 * 2 ** 20,
        'limits.openUploadsPerKey': 6,
        'limits.stallSeconds': 1,
        'limits.minimumBytesPerSecond': 100,
        'limits.uploads': 2,
        'cors.origins': 'https://page.example',
      },
    });
    client = new PlinthClient({ url: server.url });
  });
  afterAll(() => server.destroy());

  const OFFSET = 'application/offset+octet-stream';
  const idOf = (url: string): string => /uploads\/([0-9a-f-]{36})/.exec(url)![1];

  async function begin(bytes: number, headers: Record<string, string> = {}): Promise<Response> {
    return await server.ask('/v1/tus', {
      method: 'POST',
      headers: { 'tus-resumable': '1.0.0', 'upload-length': String(bytes), ...headers },
    });
  }

  async function patch(url: string, offset: number, body: string, headers: Record<string, string> = {}) {
    return await server.ask(url, {
      method: 'PATCH',
      body,
      headers: { 'tus-resumable': '1.0.0', 'content-type': OFFSET, 'upload-offset': String(offset), ...headers },
    });
  }

  async function head(url: string): Promise<[number, string | null, string | null]> {
    const answer = await server.ask(url, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } });
    return [answer.status, answer.headers.get('upload-offset'), answer.headers.get('upload-length')];
  }

  async function refused(response: Response, status: number, code: string): Promise<void> {
    const body = (await response.json()) as { code: string; detail: string };
    expect([response.status, body.code], body.detail).toEqual([status, code]);
  }

  test('a client of tus sends a zip, stops, goes on, and a job takes it', async () => {
    const zip = await captureZip(300_000);
    let stopped: string | undefined;
    const send = (resume?: string): Promise<TusUpload> =>
      new Promise((resolve, reject) => {
        const upload: TusUpload = new TusUpload(zip, {
          endpoint: `${server.url}/v1/tus`,
          uploadUrl: resume,
          chunkSize: 100_000,
          metadata: { filename: 'räume.zip' },
          retryDelays: [],
          onError: reject,
          onSuccess: () => resolve(upload),
          onChunkComplete: (_size, sent) => {
            if (resume || sent < 100_000) return;
            stopped = upload.url!;
            void upload.abort().then(() => resolve(upload));
          },
        });
        upload.start();
      });
    await send();
    expect((await client.getUpload(idOf(stopped!))).received).toBeGreaterThanOrEqual(100_000);
    const done = await send(stopped);
    const state = await client.getUpload(idOf(done.url!));
    expect(state).toMatchObject({ complete: true, received: zip.length, name: 'räume.zip' });
    expect(new Date(state.expiresAt).getTime()).toBeGreaterThan(Date.now());
    const job = await client.submitStored({ upload: state.id });
    expect(job).toMatchObject({ name: 'räume', input: { kind: 'zip', files: 2 } });
    await server.until(job.id, 'succeeded');
    await expect(client.getUpload(state.id)).rejects.toMatchObject({ code: 'UPLOAD_NOT_FOUND' });
  });

  test('says what it speaks, and answers as the protocol demands', async () => {
    const options = await server.ask('/v1/tus', { method: 'OPTIONS' });
    expect(options.status).toBe(204);
    expect(Object.fromEntries(options.headers)).toMatchObject({
      'tus-version': '1.0.0',
      'tus-extension': 'creation,creation-with-upload,expiration,checksum,termination',
      'tus-max-size': String(4 * 2 ** 20),
      'tus-checksum-algorithm': 'sha1,sha256,md5',
    });
    const preflight = await server.ask('/v1/tus', {
      method: 'OPTIONS',
      headers: {
        origin: 'https://page.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'tus-resumable,upload-length,upload-metadata',
      },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://page.example');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('upload-metadata');
    const old = await begin(5, { 'tus-resumable': '0.2.2' });
    expect(old.headers.get('tus-version')).toBe('1.0.0');
    await refused(old, 412, 'TUS_VERSION_UNSUPPORTED');
    const bad: Record<string, string>[] = [
      { 'upload-length': '-1' },
      { 'upload-length': 'x' },
      { 'upload-metadata': 'filename %%' },
    ];
    for (const headers of bad) await refused(await begin(5, headers), 400, 'REQUEST_INVALID');
    await refused(await begin(5 * 2 ** 20), 413, 'UPLOAD_TOO_LARGE');
    const created = await begin(5, { 'upload-metadata': `filename ${btoa('a/b.png')},private` });
    expect(created.status).toBe(201);
    expect(created.headers.get('tus-resumable')).toBe('1.0.0');
    expect(new Date(created.headers.get('upload-expires')!).getTime()).toBeGreaterThan(Date.now());
    const url = created.headers.get('location')!;
    expect(await head(url)).toEqual([200, '0', '5']);
    expect((await patch(url, 0, 'x', { 'content-type': 'text/plain' })).status).toBe(415);
    await refused(await patch(url, 3, 'xx'), 409, 'UPLOAD_OFFSET_CONFLICT');
    await refused(await patch(url, 0, '123456'), 413, 'UPLOAD_TOO_LARGE');
    await refused(await patch(url, 0, '123', { 'upload-checksum': 'crc32 AAAA' }), 400, 'REQUEST_INVALID');
    const wrong = createHash('sha1').update('other').digest('base64');
    await refused(await patch(url, 0, '123', { 'upload-checksum': `sha1 ${wrong}` }), 460, 'UPLOAD_CHECKSUM_MISMATCH');
    expect(await head(url)).toEqual([200, '0', '5']);
    const right = createHash('sha256').update('123').digest('base64');
    const taken = await patch(url, 0, '123', { 'upload-checksum': `sha256 ${right}` });
    expect([taken.status, taken.headers.get('upload-offset')]).toEqual([204, '3']);
    const overridden = await server.ask(url, {
      method: 'POST',
      body: '45',
      headers: {
        'x-http-method-override': 'PATCH',
        'tus-resumable': '1.0.0',
        'content-type': OFFSET,
        'upload-offset': '3',
      },
    });
    expect([overridden.status, await head(url)]).toEqual([204, [200, '5', '5']]);
    expect((await server.ask(url, { method: 'DELETE', headers: { 'tus-resumable': '1.0.0' } })).status).toBe(204);
    expect((await head(url))[0]).toBe(404);
  });

  test('the first part may come with the creation, and clients from before tus are answered as before', async () => {
    const created = await server.ask('/v1/tus', {
      method: 'POST',
      body: 'abc',
      headers: { 'tus-resumable': '1.0.0', 'content-type': OFFSET, 'upload-length': '5' },
    });
    expect([created.status, created.headers.get('upload-offset')]).toEqual([201, '3']);
    const url = created.headers.get('location')!;
    const old = await server.ask(url, {
      method: 'PATCH',
      body: 'de',
      headers: { 'content-type': OFFSET, 'upload-offset': '3' },
    });
    expect([old.status, await old.json()]).toEqual([200, { name: 'capture.zip', bytes: 5, received: 5 }]);
    await client.abandonUpload(idOf(url));
  });

  test(
    'a byte now and then does not keep one alive, and a part of unknown length ends at the size that was ' + 'named',
    async () => {
      const url = (await begin(1000)).headers.get('location')!;
      const trickle = open(`${server.url}${url}`);
      const timer = setInterval(() => trickle.request.write('x'), 300);
      const slow = await trickle.answer;
      clearInterval(timer);
      expect(slow).toMatchObject({ status: 408, code: 'UPLOAD_TOO_SLOW' });
      trickle.request.destroy();
      const received = Number((await head(url))[1]);
      expect(received).toBeGreaterThan(0);
      const endless = open(`${server.url}${url}`, received);
      endless.request.end(Buffer.alloc(5000));
      expect(await endless.answer).toMatchObject({ status: 413, code: 'UPLOAD_TOO_LARGE' });
      expect((await head(url))[1]).toBe(String(received));
      await client.abandonUpload(idOf(url));
    },
  );

  test('who goes on after a lost connection need not wait for it to end', async () => {
    const url = (await begin(10)).headers.get('location')!;
    const lost = open(`${server.url}${url}`);
    lost.request.write('123');
    await vi.waitUntil(async () => (await head(url))[1] === '3', { timeout: 5000, interval: 20 });
    const taken = await patch(url, 3, '4567890');
    expect([taken.status, taken.headers.get('upload-offset')]).toEqual([204, '10']);
    expect(await lost.answer).toMatchObject({ status: 400, code: 'UPLOAD_TRUNCATED' });
    lost.request.destroy();
    await client.abandonUpload(idOf(url));
  });

  test('open ones are counted, and one that is given up makes room', async () => {
    const urls: string[] = [];
    for (let i = 0; i < 6; i++) urls.push((await begin(10)).headers.get('location')!);
    const over = await begin(10);
    expect(over.headers.get('retry-after')).not.toBeNull();
    await refused(over, 429, 'TOO_MANY_UPLOADS');
    await expect(client.upload([], {})).rejects.toMatchObject({ status: 400 });
    // Bodies on their way are counted as well, whatever way they come.
    const bodies = urls.slice(0, 2).map((url) => open(`${server.url}${url}`));
    for (const { request } of bodies) request.write('1');
    await vi.waitUntil(async () => (await head(urls[1]))[1] === '1', { timeout: 5000, interval: 20 });
    await refused(await patch(urls[2], 0, 'x'), 429, 'TOO_MANY_UPLOADS');
    for (const { request } of bodies) request.destroy();
    for (const url of urls) await client.abandonUpload(idOf(url));
    const again = await begin(10);
    expect(again.status).toBe(201);
    await client.abandonUpload(idOf(again.headers.get('location')!));
  });

  test('an upload that nobody goes on with expires', async () => {
    const url = (await begin(10)).headers.get('location')!;
    const folder = join(server.service.incoming, `upload-${idOf(url)}`);
    const longAgo = new Date(Date.now() - 25 * 3_600_000);
    await utimes(folder, longAgo, longAgo);
    expect((await head(url))[0]).toBe(404);
    expect(await readdir(server.service.incoming)).toEqual([]);
  });

  test('neither parts without a byte nor a byte now and then keep an upload for ever', async () => {
    const url = (await begin(10)).headers.get('location')!;
    const folder = join(server.service.incoming, `upload-${idOf(url)}`);
    const before = new Date(Date.now() - 23 * 3_600_000);
    await utimes(folder, before, before);
    const empty = await patch(url, 0, '');
    expect(empty.status).toBe(204);
    await refused(await patch(url, 5, 'xx'), 409, 'UPLOAD_OFFSET_CONFLICT');
    expect(Date.parse(empty.headers.get('upload-expires')!) - Date.now()).toBeLessThan(1.1 * 3_600_000);
    const grown = await patch(url, 0, 'x');
    expect(Date.parse(grown.headers.get('upload-expires')!) - Date.now()).toBeGreaterThan(23 * 3_600_000);
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as { createdAt: string };
    manifest.createdAt = new Date(Date.now() - 25 * 3_600_000).toISOString();
    await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
    await refused(await patch(url, 1, 'x'), 404, 'UPLOAD_NOT_FOUND');
    expect(await readdir(server.service.incoming)).toEqual([]);
  });

  test('files that exclude each other are refused, whichever comes first', async () => {
    for (const names of [
      ['a', 'a/b'],
      ['x/A/b', 'x/a'],
      ['same', 'SAME'],
      ['a\0'],
      ['\ud800'],
      ['n'.repeat(300)],
      ['ü'.repeat(200)],
    ]) {
      const answer = await server.ask('/v1/uploads', {
        method: 'POST',
        body: JSON.stringify({ files: names.map((name) => ({ name, bytes: 1 })) }),
        headers: { 'content-type': 'application/json' },
      });
      expect([names, Math.floor(answer.status / 100)]).toEqual([names, 4]);
    }
    expect(await readdir(server.service.incoming)).toEqual([]);
  });

  test(
    'what is refused leaves the upload, which a better request then takes; of many at once one gets ' + 'it',
    async () => {
      const files = [
        { name: 'transforms.json', data: new Blob(['{"frames": []}']) },
        { name: 'r_0.png', data: new Blob(['no picture']) },
      ];
      const bad = await client.upload(files);
      await expect(client.submitStored({ upload: bad.id })).rejects.toMatchObject({ code: 'IMAGE_UNREADABLE' });
      expect((await client.getUpload(bad.id)).complete).toBe(true);
      await client.abandonUpload(bad.id);

      const good = await uploadZip(await captureZip(1000));
      await expect(client.submitStored({ upload: good.id }, { methods: [{ method: 'none' }] })).rejects.toMatchObject({
        code: 'METHOD_UNKNOWN',
      });
      const answers = await Promise.all(
        Array.from({ length: 6 }, () => client.submitStored({ upload: good.id }, {}, 'replayed')),
      );
      expect(new Set(answers.map((job) => job.id)).size).toBe(1);

      const other = await uploadZip(await captureZip(1000));
      const settled = await Promise.allSettled(
        Array.from({ length: 4 }, () => client.submitStored({ upload: other.id })),
      );
      expect(settled.filter((s) => s.status === 'fulfilled')).toHaveLength(1);
      for (const { reason } of settled.filter((s) => s.status === 'rejected'))
        expect(reason).toMatchObject({ code: 'UPLOAD_NOT_FOUND' });
      expect(await readdir(server.service.incoming)).toEqual([]);
    },
  );

  const uploadZip = async (zip: Buffer): Promise<Upload> =>
    await client.upload([{ name: 'capture.zip', data: new Blob([new Uint8Array(zip)]) }]);

  /** A PATCH of unknown length whose body is written by the test. */
  function open(
    url: string,
    offset = 0,
  ): { request: ClientRequest; answer: Promise<{ status: number; code?: string }> } {
    const patching = request(url, {
      method: 'PATCH',
      headers: { 'tus-resumable': '1.0.0', 'content-type': OFFSET, 'upload-offset': String(offset) },
    });
    const answer = new Promise<{ status: number; code?: string }>((resolve) => {
      patching.once('response', (response) => {
        let text = '';
        response.on('data', (data) => {
          text += data;
        });
        response.once('end', () => resolve({ status: response.statusCode!, ...(text ? JSON.parse(text) : {}) }));
      });
      patching.on('error', () => sleep(10).then(() => resolve({ status: 0 })));
    });
    return { request: patching, answer };
  }
});
