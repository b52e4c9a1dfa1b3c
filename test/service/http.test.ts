import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { ZipArchive } from 'archiver';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { PlinthClient } from '../../src/api/client.js';
import { onBothDatabases } from './databases.js';
import { PIXEL } from './standInEngine.js';
import { captureForm, startTestServer, type TestServer, type TestServerOptions } from './testServer.js';

async function zip(fill: (archive: ZipArchive) => void): Promise<Buffer> {
  const archive = new ZipArchive({ zlib: { level: 9 } });
  fill(archive);
  void archive.finalize();
  return await buffer(archive);
}

const capture = (archive: ZipArchive): void => {
  archive.append('{"frames": []}', { name: 'transforms.json' });
  archive.append(PIXEL, { name: 'images/r_0.png' });
};

onBothDatabases('the API', (url) => {
  const start = async (options: TestServerOptions = {}): Promise<TestServer> =>
    await startTestServer({ databaseUrl: await url(), ...options });
  let server: TestServer;
  let client: PlinthClient;
  beforeAll(async () => {
    server = await start({
      flags: {
        'limits.bodyBytes': 2 * 2 ** 20,
        'limits.unpackedBytes': 50 * 2 ** 20,
        'limits.files': 50,
        'limits.stallSeconds': 1,
      },
    });
    client = new PlinthClient({ url: server.url });
  });
  afterAll(() => server.destroy());

  const sendZip = (body: Buffer): Promise<Response> =>
    server.ask('/v1/jobs?preset=draft', {
      method: 'POST',
      body: new Uint8Array(body),
      headers: { 'content-type': 'application/zip' },
    });

  test('a job asks for its masks to be turned round by a field that is true or false', async () => {
    const send = (value: string): Promise<Response> => {
      const body = captureForm();
      body.set('invertMasks', value);
      return server.ask('/v1/jobs', { method: 'POST', body });
    };
    const answers = await Promise.all(['true', 'false', 'yes'].map(send));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 400]);
    expect(await answers[2].json()).toMatchObject({ code: 'REQUEST_INVALID', field: 'invertMasks' });
  });

  test('a job may state a length of its photos, in one of two ways', async () => {
    const send = (value: string): Promise<Response> => {
      const body = captureForm();
      body.set('scale', value);
      return server.ask('/v1/jobs', { method: 'POST', body });
    };
    const pair = { between: ['a.jpg', 'b.jpg'], distance: 0.25 };
    const answers = await Promise.all(
      ['{"meanDistance":0.6}', JSON.stringify(pair), '{"meanDistance":0}', '0.6'].map(send),
    );
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 400, 400]);
    expect(await answers[2].json()).toMatchObject({ code: 'REQUEST_INVALID' });
  });

  describe('files', () => {
    test('answer ranges, conditions and HEAD, with media types', async () => {
      const { id } = await server.until((await server.submit()).id, 'succeeded');
      const path = `/v1/jobs/${id}/files/asset.glb`;
      const whole = await server.ask(path);
      expect(whole.headers.get('content-type')).toBe('model/gltf-binary');
      const bytes = Buffer.from(await whole.arrayBuffer());
      expect(bytes).toHaveLength(1000);
      const etag = whole.headers.get('etag')!;
      for (const [range, from, to] of [
        ['bytes=10-19', 10, 20],
        ['bytes=990-', 990, 1000],
        ['bytes=-5', 995, 1000],
        ['bytes=0-9999', 0, 1000],
      ] as const) {
        const part = await server.ask(path, { headers: { range } });
        expect(part.status).toBe(206);
        expect(part.headers.get('content-range')).toBe(`bytes ${from}-${to - 1}/1000`);
        expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(from, to));
      }
      expect((await server.ask(path, { headers: { range: 'bytes=1000-' } })).status).toBe(416);
      expect((await server.ask(path, { headers: { range: 'bytes=0-1', 'if-range': '"other"' } })).status).toBe(200);
      expect((await server.ask(path, { headers: { 'if-none-match': etag } })).status).toBe(304);
      const head = await server.ask(path, { method: 'HEAD' });
      expect([head.status, head.headers.get('content-length')]).toEqual([200, '1000']);
      for (const name of ['nothing.glb', '..%2F..%2Finput%2Ftransforms.json', '../../../../etc/passwd']) {
        expect((await server.ask(`/v1/jobs/${id}/files/${name}`)).status).toBe(404);
      }
      const download = Buffer.from(await (await client.download(id)).arrayBuffer());
      expect(download.subarray(0, 2).toString()).toBe('PK');
      expect(download.includes('asset.glb')).toBe(true);
    });
  });

  describe('events', () => {
    test('are sent as they come, resumed after the last id, and end with the job', async () => {
      const { id } = await client.submit([
        { name: 'transforms.json', data: new Blob(['{}']) },
        { name: 'do-slow-2.png', data: new Blob([PIXEL]) },
      ]);
      const all = [];
      for await (const event of client.watch(id)) all.push(event);
      expect(all.map((e) => e.id)).toEqual(all.map((_, i) => i + 1));
      expect(all[0]).toMatchObject({ type: 'state', state: 'queued' });
      expect(all.at(-1)).toMatchObject({ type: 'state', state: 'succeeded' });
      expect(all.filter((e) => e.type === 'progress').at(-1)).toMatchObject({ stage: 'report', metrics: { psnr: 23 } });
      const preview = all.find((e) => e.type === 'preview')!;
      expect((await server.ask(preview.type === 'preview' ? preview.url : '')).headers.get('content-type')).toBe(
        'image/png',
      );
      const later = [];
      for await (const event of client.watch(id, { after: 5 })) later.push(event.id);
      expect(later).toEqual(all.slice(5).map((e) => e.id));
      const over = await server.ask(`/v1/jobs/${id}/events`, { headers: { 'last-event-id': String(all.length) } });
      expect(over.status).toBe(204);
      const refused = await server.ask(`/v1/jobs/${id}/events`, { headers: { accept: 'application/json' } });
      expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([406, 'NOT_ACCEPTABLE']);
    });
  });

  describe('uploads', () => {
    test('a raw zip becomes a job', async () => {
      const response = await sendZip(await zip(capture));
      expect(response.status).toBe(202);
      const job = (await response.json()) as { id: string; input: object };
      expect(job.input).toMatchObject({ kind: 'zip', files: 2 });
      await server.until(job.id, 'succeeded');
    });

    test('a bundled example becomes a job', async () => {
      const [example] = await client.examples();
      const job = await client.submitStored({ example: example.name });
      expect(job).toMatchObject({ name: example.name, input: { kind: 'example', files: example.files } });
      const picture = await server.ask(example.picture);
      expect(picture.headers.get('content-type')).toMatch(/^image\//);
      expect((await picture.arrayBuffer()).byteLength).toBeGreaterThan(1000);
      await expect(client.examplePicture('..')).rejects.toMatchObject({ status: 404 });
      await expect(client.examplePicture('none')).rejects.toMatchObject({ code: 'EXAMPLE_NOT_FOUND' });
      await expect(client.submitStored({ example: 'none' })).rejects.toMatchObject({
        code: 'EXAMPLE_NOT_FOUND',
        status: 404,
      });
      await server.until(job.id, 'succeeded');
    });

    test('an interrupted upload goes on where it broke off', async () => {
      const picture = Buffer.concat([PIXEL, Buffer.alloc(300_000, 7)]);
      const files = [
        { name: 'transforms.json', data: new Blob(['{"frames": []}']) },
        { name: 'images/r_0.png', data: new Blob([picture]) },
      ];
      const stop = new AbortController();
      let id = '';
      const first = client.upload(files, {
        partBytes: 100_000,
        signal: stop.signal,
        onProgress: (p) => {
          id = p.id;
          if (p.received > 100_000) stop.abort();
        },
      });
      await expect(first).rejects.toThrow();
      const before = await client.getUpload(id);
      expect(before.received).toBeGreaterThanOrEqual(100_000);
      expect(before.complete).toBe(false);
      await expect(client.submitStored({ upload: id })).rejects.toMatchObject({ code: 'UPLOAD_INCOMPLETE' });
      const wrong = await server.ask(`/v1/uploads/${id}/files/images/r_0.png`, {
        method: 'PATCH',
        body: 'x',
        headers: { 'content-type': 'application/offset+octet-stream', 'upload-offset': '5' },
      });
      expect(wrong.status).toBe(409);
      const upload = await client.upload(files, { resume: id });
      expect(upload.complete).toBe(true);
      const job = await client.submitStored({ upload: id }, {}, 'resumed');
      expect((await client.submitStored({ upload: id }, {}, 'resumed')).id).toBe(job.id);
      const kept = await buffer(await server.service.artifacts.read(`jobs/${job.id}/input/images/r_0.png`));
      expect(kept.equals(picture)).toBe(true);
      await server.until(job.id, 'succeeded');
    });
  });

  describe('hostile uploads', () => {
    const incoming = async (): Promise<string[]> => await readdir(server.service.incoming);
    const jobs = async (): Promise<number> => (await server.service.artifacts.children('jobs')).length;

    /** Sends, expects the status and code, and that nothing is left on disk. */
    async function refused(send: () => Promise<Response>, status: number, code: string): Promise<void> {
      const before = await jobs();
      const response = await send();
      const body = (await response.json()) as { code: string; detail: string };
      expect([response.status, body.code], body.detail).toEqual([status, code]);
      expect(body.detail).not.toContain(server.settings.data);
      expect(await incoming()).toEqual([]);
      expect(await jobs()).toBe(before);
    }

    test('archives that harm are refused with a code, and the disk is as before', async () => {
      const bomb = await zip((a) => {
        capture(a);
        a.append(Buffer.alloc(60 * 2 ** 20), { name: 'images/big.png' });
      });
      expect(bomb.length).toBeLessThan(200_000);
      await refused(() => sendZip(bomb), 413, 'ARCHIVE_TOO_LARGE');
      const link = await zip((a) => {
        capture(a);
        a.symlink('images/passwd.png', '/etc/passwd');
      });
      await refused(() => sendZip(link), 422, 'ARCHIVE_UNSAFE_PATH');
      const outside = (
        await zip((a) => {
          capture(a);
          a.append(PIXEL, { name: 'xx/evil1.png' });
        })
      )
        .toString('latin1')
        .replaceAll('xx/evil1.png', '../evil1.png');
      await refused(() => sendZip(Buffer.from(outside, 'latin1')), 422, 'ARCHIVE_UNSAFE_PATH');
      const many = await zip((a) => {
        capture(a);
        for (let i = 0; i < 60; i++) a.append('', { name: `images/${i}.png` });
      });
      const manyRefused = await sendZip(many);
      expect(manyRefused.status).toBe(413);
      await refused(async () => sendZip((await zip(capture)).subarray(0, 150)), 422, 'ARCHIVE_INVALID');
      await refused(() => sendZip(Buffer.from('no zip at all')), 422, 'ARCHIVE_INVALID');
      const text = await zip((a) => void a.append('hello', { name: 'readme.txt' }));
      await refused(() => sendZip(text), 422, 'CAPTURE_UNRECOGNISED');
      const fake = await zip((a) => {
        capture(a);
        a.append('#!/bin/sh', { name: 'images/r_1.png' });
      });
      await refused(() => sendZip(fake), 422, 'IMAGE_UNREADABLE');
      const advice = ((await (await sendZip(bomb)).json()) as { remedy: string }).remedy;
      expect(advice).toContain('limits.unpackedBytes');
      expect((await server.ask('/health')).status).toBe(200);
    });

    test('pictures beyond the limit of pixels are refused before the job is accepted', async () => {
      const strict = await start({ flags: { 'limits.pixels': 1000 } });
      try {
        const job = { example: 'vase-six' };
        await expect(new PlinthClient({ url: strict.url }).submitStored(job)).rejects.toMatchObject({
          status: 413,
          code: 'IMAGE_TOO_LARGE',
        });
        expect(await readdir(strict.service.incoming)).toEqual([]);
        await strict.until((await strict.submit()).id, 'succeeded');
      } finally {
        await strict.destroy();
      }
    });

    test('forms that harm are refused with a code, and the disk is as before', async () => {
      const send =
        (form: FormData): (() => Promise<Response>) =>
        () =>
          server.ask('/v1/jobs', { method: 'POST', body: form });
      const evil = captureForm();
      evil.append('files', new Blob([PIXEL]), '../../evil.png');
      await refused(send(evil), 422, 'ARCHIVE_UNSAFE_PATH');
      const large = captureForm();
      large.append('files', new Blob([new Uint8Array(3 * 2 ** 20)]), 'large.png');
      await refused(send(large), 413, 'UPLOAD_TOO_LARGE');
      const many = captureForm();
      for (let i = 0; i < 60; i++) many.append('files', new Blob([PIXEL]), `${i}.png`);
      await refused(send(many), 413, 'UPLOAD_TOO_MANY_FILES');
      const twice = captureForm();
      twice.append('files', new Blob([PIXEL]), 'r_0.png');
      await refused(send(twice), 400, 'REQUEST_INVALID');
      await refused(send(new FormData()), 400, 'UPLOAD_EMPTY');
      const pictures = new FormData();
      pictures.append('files', new Blob([PIXEL]), 'a.png');
      await refused(send(pictures), 422, 'CAPTURE_NO_CAMERAS');
      await refused(
        () => server.ask('/v1/jobs', { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } }),
        415,
        'UPLOAD_TYPE_UNSUPPORTED',
      );
      await refused(
        () => server.ask('/v1/jobs', { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } }),
        400,
        'REQUEST_INVALID',
      );
    });

    /** Writes raw bytes and answers the first line of what comes back. */
    async function raw(text: string, options: { end: boolean }): Promise<string> {
      const { hostname, port } = new URL(server.url);
      return await new Promise((resolve) => {
        const socket = connect(Number(port), hostname, () => {
          socket.write(text);
          if (options.end) socket.end();
        });
        let answer = '';
        socket.on('data', (data) => {
          answer += data;
          if (answer.includes('\r\n')) socket.destroy();
        });
        socket.on('error', () => {});
        socket.on('close', () => resolve(answer.split('\r\n')[0]));
      });
    }

    /** Sends a body that ends too early, and waits until the server, which answers nobody then, is done with it. */
    async function brokenOff(text: string): Promise<void> {
      const ended = async (): Promise<number> =>
        Number(/plinth_uploads_total\{outcome="UPLOAD_TRUNCATED"\} (\d+)/.exec(await client.metrics())?.[1] ?? 0);
      const before = await ended();
      await raw(text, { end: true });
      await vi.waitUntil(async () => (await ended()) > before, { timeout: 300_000, interval: 50 });
    }

    test('a body that stands still is ended, and one that breaks off leaves nothing', async () => {
      const head =
        'POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/zip\r\nContent-Length: 100000\r\n\r\nPK';
      expect(await raw(head, { end: false })).toContain('408');
      expect(await incoming()).toEqual([]);
      await brokenOff(head);
      expect(await incoming()).toEqual([]);
      const form =
        'POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; ' +
        'boundary=b\r\nContent-Length: 100000\r\n\r\n--b\r\nContent-Disposition: form-data; name="files"; ' +
        'filename="a.png"\r\n\r\nxxx';
      expect(await raw(form, { end: false })).toContain('408');
      expect(await incoming()).toEqual([]);
      await brokenOff(form);
      expect(await incoming()).toEqual([]);
      const short = '--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nxxx';
      await refused(
        () =>
          server.ask('/v1/jobs', {
            method: 'POST',
            body: short,
            headers: { 'content-type': 'multipart/form-data; boundary=b' },
          }),
        400,
        'UPLOAD_TRUNCATED',
      );
      expect((await server.ask('/health/ready')).status).toBe(200);
    });
  });
});
