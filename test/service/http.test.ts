import { readdir, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { ZipArchive } from 'archiver';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ERROR_CODES } from '../../src/core/errors.js';
import { createKey } from '../../src/server/apiKeys.js';
import { ApiError, OPERATIONS, PlinthClient } from '../../src/server/client.js';
import type { OpenApiDocument } from '../../src/server/openapi.js';
import { PIXEL } from './standInEngine.js';
import { captureForm, startTestServer, type TestServer } from './testServer.js';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
let server: TestServer;
let client: PlinthClient;
beforeAll(async () => {
  server = await startTestServer({
    flags: {
      'limits.bodyBytes': 2 * 2 ** 20,
      'limits.unpackedBytes': 50 * 2 ** 20,
      'limits.files': 50,
      'limits.stallSeconds': 1,
      'webhooks.allowPrivate': true,
      'webhooks.secret': SECRET,
    },
  });
  client = new PlinthClient({ url: server.url });
});
afterAll(() => server.destroy());

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

const sendZip = (body: Buffer): Promise<Response> =>
  server.ask('/v1/jobs?preset=draft', {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { 'content-type': 'application/zip' },
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
    const strict = await startTestServer({ flags: { 'limits.pixels': 1000 } });
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
    await vi.waitUntil(async () => (await ended()) > before, { timeout: 10_000, interval: 50 });
  }

  test('a body that stands still is ended, and one that breaks off leaves nothing', async () => {
    const head =
      'POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/zip\r\nContent-Length: 100000\r\n\r\nPK';
    expect(await raw(head, { end: false })).toContain('408');
    expect(await incoming()).toEqual([]);
    await brokenOff(head);
    expect(await incoming()).toEqual([]);
    const form =
      'POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nxxx';
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

describe('webhooks', () => {
  let receiver: Server;
  const received: { headers: Record<string, string>; body: string }[] = [];
  let answers: number[] = [];
  beforeAll(async () => {
    receiver = createServer(async (request, response) => {
      const body = (await buffer(request)).toString();
      received.push({ headers: request.headers as Record<string, string>, body });
      response.writeHead(answers.shift() ?? 204).end();
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => receiver.once('listening', listening));
  });
  afterAll(() => receiver.close());
  const address = (): string => `http://127.0.0.1:${(receiver.address() as { port: number }).port}/hook`;

  test('are signed, and sent again when they are not taken', async () => {
    answers = [503];
    const job = await server.submit([], { webhook: JSON.stringify({ url: address() }) });
    await server.until(job.id, 'succeeded');
    for (let i = 0; i < 200 && received.length < 2; i++) await sleep(50);
    expect(received).toHaveLength(2);
    expect(received[0].headers['webhook-id']).toBe(received[1].headers['webhook-id']);
    for (const { headers, body } of received) {
      expect(new Webhook(SECRET).verify(body, headers)).toMatchObject({
        type: 'job.succeeded',
        data: { id: job.id, state: 'succeeded' },
      });
    }
  });

  test('to private addresses are refused unless allowed', async () => {
    const strict = await startTestServer({ flags: { 'webhooks.secret': SECRET } });
    try {
      for (const url of [
        address(),
        'http://localhost/',
        'http://169.254.169.254/latest',
        'http://[::1]/',
        'http://[::ffff:10.0.0.1]/',
        'http://user:pw@example.com/',
      ]) {
        const response = await strict.ask('/v1/jobs', {
          method: 'POST',
          body: captureForm([], { webhook: JSON.stringify({ url }) }),
        });
        expect([response.status, ((await response.json()) as { code: string }).code], url).toEqual([
          422,
          'WEBHOOK_URL_REFUSED',
        ]);
      }
    } finally {
      await strict.destroy();
    }
  });
});

describe('API keys', () => {
  test('are asked for with their scopes when on', async () => {
    const secured = await startTestServer({ flags: { 'auth.mode': 'on' } });
    try {
      const read = await createKey(secured.service.db, 'reader', 'read');
      const admin = await createKey(secured.service.db, 'boss', 'admin');
      const as = (key?: string): PlinthClient => new PlinthClient({ url: secured.url, key });
      await expect(as().list()).rejects.toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
      await expect(as('plinth_wrong').list()).rejects.toMatchObject({ status: 401 });
      expect((await as(read.key).list()).jobs).toEqual([]);
      await expect(as(read.key).submitStored({ example: 'vase-six' })).rejects.toMatchObject({
        status: 403,
        code: 'FORBIDDEN',
      });
      await expect(as(read.key).keys()).rejects.toMatchObject({ status: 403 });
      const submit = await as(admin.key).createKey('tool', 'submit');
      const job = await as(submit.key).submitStored({ example: 'vase-six' });
      expect((await as(read.key).wait(job.id)).state).toBe('succeeded');
      await as(admin.key).revokeKey(submit.id);
      await expect(as(submit.key).get(job.id)).rejects.toMatchObject({ status: 401 });
      const stored = await secured.service.db.query<{ row: string }>('SELECT k::text AS row FROM plinth.api_keys k');
      for (const { row } of stored) for (const { key } of [read, admin, submit]) expect(row).not.toContain(key);
      expect((await secured.ask('/health/live')).status).toBe(200);
    } finally {
      await secured.destroy();
    }
  });

  test('may be off on a loopback address only', async () => {
    await expect(startTestServer({ flags: { host: '0.0.0.0', 'auth.mode': 'off' } })).rejects.toMatchObject({
      code: 'AUTHENTICATION_REQUIRED',
    });
  });
});

describe('limits', () => {
  test('low disk refuses new jobs with 507 and too many requests get 429', async () => {
    const strict = await startTestServer({
      flags: { 'retention.minimumFreeBytes': 9e15, 'limits.requestsPerMinute': 20 },
    });
    try {
      const response = await strict.ask('/v1/jobs', { method: 'POST', body: captureForm() });
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([507, 'DISK_LOW']);
      const answers = await Promise.all(Array.from({ length: 30 }, () => strict.ask('/v1/methods')));
      const limited = answers.find((a) => a.status === 429)!;
      expect(limited.headers.get('retry-after')).toBeTruthy();
      expect(((await limited.json()) as { code: string }).code).toBe('RATE_LIMITED');
      expect((await strict.ask('/health')).status).toBe(200);
    } finally {
      await strict.destroy();
    }
  });
});

describe('the API document', () => {
  test('holds every operation of the client, every error code, and no other way round', async () => {
    const document = (await (await server.ask('/openapi.json')).json()) as OpenApiDocument;
    expect(document.openapi).toBe('3.1.1');
    const documented: Record<string, string> = {};
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        if (method === 'head') continue;
        documented[operation.operationId!] = `${method.toUpperCase()} ${path}`;
        expect(operation.responses, path).toHaveProperty('500');
      }
    }
    expect(documented).toEqual(OPERATIONS);
    expect((document.components!.schemas!.ErrorCode as { enum: string[] }).enum).toEqual(Object.keys(ERROR_CODES));
    // Every reference leads somewhere.
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(document.components!.schemas).toHaveProperty(name);
    const submit = document.paths['/v1/jobs'].post as unknown as {
      requestBody: { content: object };
      responses: Record<string, { content: object }>;
    };
    expect(Object.keys(submit.requestBody.content)).toEqual([
      'multipart/form-data',
      'application/zip',
      'application/json',
    ]);
    expect(JSON.stringify(submit.responses['413'])).toMatch(/UPLOAD_TOO_LARGE.*ARCHIVE_TOO_LARGE/);
  });

  test('is valid OpenAPI 3.1, and every operation has an example of its answers and bodies that fits its schema', async () => {
    const document = (await (await server.ask('/openapi.json')).json()) as OpenApiDocument;
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);

    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    ajv.addSchema(document, 'document');
    const fits = (pointer: string, value: unknown): void => {
      const check = ajv.getSchema(`document#${pointer}`)!;
      expect(check(value), `${pointer}: ${ajv.errorsText(check.errors)}`).toBe(true);
    };
    const escaped = (part: string): string => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
    interface Media {
      example?: unknown;
      examples?: Record<string, { value: unknown }>;
    }
    let examined = 0;
    const examine = (pointer: string, content: Record<string, Media> = {}): void => {
      for (const [type, { examples, example }] of Object.entries(content)) {
        if (/octet-stream|zip|form-data|\*/.test(type)) continue;
        const where = `${pointer}/content/${escaped(type)}`;
        expect(example ?? examples, where).toBeDefined();
        for (const { value } of Object.values(examples ?? { example: { value: example } })) {
          fits(`${where}/schema`, value);
          examined++;
        }
      }
    };
    const all = [...Object.entries(document.paths), ...Object.entries(document.webhooks as typeof document.paths)];
    for (const [path, operations] of all) {
      for (const [method, operation] of Object.entries(operations)) {
        if (method === 'head') continue;
        const base = `/${path in document.paths ? 'paths' : 'webhooks'}/${escaped(path)}/${method}`;
        const body = operation.requestBody as { content?: Record<string, Media> } | undefined;
        examine(`${base}/requestBody`, body?.content);
        for (const [status, answer] of Object.entries(operation.responses)) {
          examine(`${base}/responses/${status}`, answer.content as Record<string, Media> | undefined);
        }
      }
    }
    expect(examined).toBeGreaterThan(200);
    // Each schema is used, and headers that clients depend on are told.
    for (const name of Object.keys(document.components!.schemas!)) expect(name).not.toMatch(/Input$/);
    expect(document.paths['/v1/jobs'].post.responses['202'].headers).toHaveProperty('Location');
    expect(document.paths['/v1/jobs/{id}/files/{name}'].get.responses['206'].headers).toHaveProperty('Content-Range');
  });

  test('/docs brings all it needs itself', async () => {
    const page = await server.ask('/docs/');
    expect(page.status).toBe(200);
    const html = await page.text();
    expect(html).not.toMatch(/(src|href)="https?:/);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(page.headers.get('content-security-policy')).not.toContain("script-src 'self' 'unsafe");
  });

  test('unknown addresses and methods are problems too, and headers keep pages safe', async () => {
    await expect(client.get('00000000-0000-4000-8000-000000000000')).rejects.toBeInstanceOf(ApiError);
    const put = await server.ask('/v1/jobs', { method: 'PUT' });
    expect([put.status, put.headers.get('allow')]).toEqual([405, expect.stringContaining('POST')]);
    const nothing = await server.ask('/v1/nothing');
    expect([nothing.status, nothing.headers.get('content-type')]).toEqual([
      404,
      expect.stringContaining('problem+json'),
    ]);
    expect(nothing.headers.get('content-security-policy')).toContain("script-src 'self' 'wasm-unsafe-eval'");
    expect(nothing.headers.get('x-content-type-options')).toBe('nosniff');
    expect(nothing.headers.get('x-request-id')).toMatch(/^req-/);
  });
});

describe('health and metrics', () => {
  test('tell adapter, self-test, queue and workers', async () => {
    const health = await client.ready();
    expect(health).toMatchObject({
      status: 'healthy',
      reasons: [],
      adapter: { device: 'stand-in' },
      selfTest: { ok: true },
    });
    expect(health.workers[0].slots[0].state).toBe('idle');
    const metrics = await client.metrics();
    for (const name of [
      'plinth_jobs{state="succeeded"}',
      'plinth_self_test_success 1',
      'plinth_queue_seconds_count',
      'plinth_http_request_duration_seconds_bucket',
      'plinth_job_psnr_decibels_sum',
      'plinth_stage_seconds_bucket',
    ]) {
      expect(metrics).toContain(name);
    }
  });

  test('GPU figures of the health source appear, and a failing query is unhealthy', async () => {
    let error: string | undefined;
    const hooks = {
      health: {
        facts: () => ({ driver: '570' }),
        live: async () => [{ index: 0, name: 'GPU', vendor: 'nvidia', memoryUsedBytes: 5, utilization: 0.5, error }],
      },
    };
    const other = await startTestServer({ hooks });
    try {
      const ask = new PlinthClient({ url: other.url });
      expect(await ask.ready()).toMatchObject({
        status: 'healthy',
        facts: { driver: '570' },
        gpus: [{ memoryUsedBytes: 5 }],
      });
      expect(await ask.metrics()).toContain('plinth_gpu_memory_used_bytes{gpu="0",name="GPU",uuid=""} 5');
      error = 'the driver is dead';
      const sick = await other.ask('/health/ready');
      expect(sick.status).toBe(503);
      expect(await sick.json()).toMatchObject({ status: 'unhealthy', reasons: ['GPU 0: the driver is dead'] });
    } finally {
      await other.destroy();
    }
  });

  test('a dead driver shows while a job is quiet, long before the job counts as stalled', async () => {
    const other = await startTestServer();
    try {
      const { id } = await other.submit(['hang-1']);
      await other.until(id, 'running');
      const ready = async (): Promise<unknown> => (await other.ask('/health/ready')).json();
      // A quiet job on a sound device: a process beside it says so.
      await expect
        .poll(ready, { timeout: 30_000, interval: 500 })
        .toMatchObject({ status: 'healthy', selfTest: { ok: true }, workers: [{ slots: [{ state: 'busy' }] }] });
      process.env.STAND_IN_PROBE = 'fail';
      await expect
        .poll(ready, { timeout: 30_000, interval: 500 })
        .toMatchObject({ status: 'unhealthy', reasons: [expect.stringContaining('self-test')] });
    } finally {
      delete process.env.STAND_IN_PROBE;
      await other.destroy();
    }
  });

  test('a worker that makes no progress is stalled and then replaced', async () => {
    const other = await startTestServer({ flags: { 'jobs.stallSeconds': 1 } });
    try {
      const { id } = await other.submit(['hang-1']);
      let health: Response | undefined;
      for (let i = 0; i < 60 && health?.status !== 503; i++) {
        await sleep(100);
        health = await other.ask('/health/ready');
      }
      expect(await health!.json()).toMatchObject({
        status: 'unhealthy',
        reasons: [expect.stringContaining('stalled')],
      });
      const done = await other.until(id, 'succeeded', 'failed');
      expect(done).toMatchObject({ state: 'succeeded', attempt: 2 });
    } finally {
      await other.destroy();
    }
  });
});

test('retention removes finished jobs by age and quota, with their files', async () => {
  const other = await startTestServer({ flags: { 'retention.days': 1, 'retention.quotaBytes': 5000 } });
  try {
    const ids: string[] = [];
    for (let i = 0; i < 6; i++) ids.push((await other.until((await other.submit()).id, 'succeeded')).id);
    await other.service.db.query(`UPDATE plinth.jobs SET finished_at = now() - interval '2 days' WHERE id = $1`, [
      ids[5],
    ]);
    await other.service.janitor.run();
    const left = await other.service.artifacts.children('jobs');
    // Each job holds about 1,300 bytes; the newest stay, the aged one goes first.
    expect(left.sort()).toEqual(ids.slice(2, 5).sort());
    expect(await stat(join(other.settings.data, 'store', 'jobs', ids[4])).then((s) => s.isDirectory())).toBe(true);
    expect((await other.ask(`/v1/jobs/${ids[0]}`)).status).toBe(404);
  } finally {
    await other.destroy();
  }
});

test('traces go to the configured receiver: requests under their caller, attempts with their stages', async () => {
  interface SentSpan {
    name: string;
    traceId: string;
    parentSpanId?: string;
    attributes: { key: string; value: { stringValue?: string; intValue?: string } }[];
  }
  const spans: SentSpan[] = [];
  const receiver = createServer(async (request, response) => {
    const body = JSON.parse((await buffer(request)).toString()) as {
      resourceSpans: { scopeSpans: { spans: SentSpan[] }[] }[];
    };
    spans.push(...body.resourceSpans[0].scopeSpans[0].spans);
    response.writeHead(request.url === '/v1/traces' ? 200 : 404).end('{}');
  }).listen(0, '127.0.0.1');
  await new Promise((listening) => receiver.once('listening', listening));
  const endpoint = `http://127.0.0.1:${(receiver.address() as { port: number }).port}`;
  const other = await startTestServer({ flags: { 'telemetry.endpoint': endpoint } });
  const traceId = 'a'.repeat(32);
  const { id } = await other.until((await other.submit()).id, 'succeeded');
  await other.ask(`/v1/jobs/${id}`, { headers: { traceparent: `00-${traceId}-${'b'.repeat(16)}-01` } });
  await other.destroy();
  receiver.close();
  expect(spans.find((s) => s.traceId === traceId)).toMatchObject({
    name: 'GET /v1/jobs/:id',
    parentSpanId: 'b'.repeat(16),
  });
  const attempt = spans.find((s) => s.name === 'job attempt')!;
  expect(attempt.attributes).toContainEqual({ key: 'plinth.job.id', value: { stringValue: id } });
  const stages = spans.filter((s) => s.traceId === attempt.traceId && s !== attempt).map((s) => s.name);
  expect(stages).toEqual(['read', 'fuse', 'texture', 'report']);
});
