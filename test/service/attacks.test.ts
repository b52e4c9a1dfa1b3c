/** What was found when the service was attacked over real HTTP, and what it answers now. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createKey } from '../../src/server/access/apiKeys.js';
import { onBothDatabases } from './databases.js';
import { PIXEL } from './standInEngine.js';
import { captureForm, startTestServer, type TestServer } from './testServer.js';

const JSON_TYPE = { 'content-type': 'application/json' };

onBothDatabases('attacks', (url) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ databaseUrl: await url(), flags: { 'limits.eventStreamsPerKey': 3 } });
  });
  afterAll(() => server.destroy());

  /** Writes raw bytes and answers all that comes until the server ends the connection. */
  async function raw(text: string): Promise<string> {
    const { hostname, port } = new URL(server.url);
    return await new Promise((resolve) => {
      let answer = '';
      const socket = connect(Number(port), hostname, () => socket.write(text));
      socket.setEncoding('utf8').on('data', (data) => {
        answer += data;
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(answer));
    });
  }

  test.each([
    ['two hosts', '/v1/jobs', 'Host: localhost\r\nHost: evil.example\r\n', 400, 'REQUEST_INVALID'],
    ['no host', '/v1/jobs', '', 400, 'REQUEST_INVALID'],
    ['a foreign host in the address', 'http://evil.example/v1/jobs', 'Host: localhost\r\n', 421, 'HOST_REFUSED'],
    ['more headers than fit', '/v1/jobs', `Host: localhost\r\nX: ${'x'.repeat(20_000)}\r\n`, 431, 'REQUEST_INVALID'],
  ])('%s: refused in the words of all refusals', async (_, path, headers, status, code) => {
    const answer = await raw(`GET ${path} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toMatch(/content-type: application\/problem\+json/i);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ status, code });
  });

  test('an own host in the address is as good as one in the header', async () => {
    const answer = await raw('GET http://localhost/v1/jobs HTTP/1.1\r\nHost: x.example\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  const post = (body: RequestInit['body'], headers?: Record<string, string>, path = '/v1/jobs'): Promise<Response> =>
    server.ask(path, { method: 'POST', body, headers });
  const form = (fields: Record<string, string>): Promise<Response> => post(captureForm([], fields));
  const deep = `${'['.repeat(150_000)}${']'.repeat(150_000)}`;
  const part = (name: string, text: string, type = ''): string =>
    `--b\r\nContent-Disposition: form-data; name="${name}"${type}\r\n\r\n${text}\r\n`;
  const file = (name: string, text: string): string =>
    `--b\r\nContent-Disposition: form-data; name="files"; filename="${name}"\r\n\r\n${text}\r\n`;
  const parts = (...given: string[]): Promise<Response> =>
    post(`${given.join('')}${file('transforms.json', '{"frames": []}')}--b--\r\n`, {
      'content-type': 'multipart/form-data; boundary=b',
    });
  const twice = (name: string): FormData => {
    const both = captureForm();
    both.append('files', new Blob([PIXEL]), name);
    return both;
  };
  const REFUSED: Record<string, [() => Promise<Response>, number, string]> = {
    'JSON deeper than is read': [
      () => post(`{"example":"vase-six","options":{"a":${deep}}}`, JSON_TYPE),
      400,
      'REQUEST_INVALID',
    ],
    'the same in a form': [() => form({ options: `{"a":${deep}}` }), 400, 'REQUEST_INVALID'],
    'the same in a part that is JSON': [
      () => parts(part('request', deep, '\r\nContent-Type: application/json')),
      400,
      'REQUEST_INVALID',
    ],
    'a part that is said to be JSON': [
      () => parts(part('request', '{', '\r\nContent-Type: application/json')),
      400,
      'REQUEST_INVALID',
    ],
    'half a character in the JSON of a form': [() => form({ request: '{"name":"\\ud800"}' }), 400, 'REQUEST_INVALID'],
    'half a character in the address of a webhook': [
      () => form({ webhook: '{"url":"http://192.0.2.1/\\ud800"}' }),
      400,
      'REQUEST_INVALID',
    ],
    'a field that is there twice': [() => parts(part('name', 'one'), part('name', 'two')), 400, 'REQUEST_INVALID'],
    'a file in another case': [() => post(twice('R_0.PNG')), 400, 'REQUEST_INVALID'],
    'a boundary that no parser takes': [
      () => post('x', { 'content-type': `multipart/form-data; boundary=${'b'.repeat(5000)}` }),
      415,
      'UPLOAD_TYPE_UNSUPPORTED',
    ],
    'no boundary': [() => post('x', { 'content-type': 'multipart/form-data' }), 415, 'UPLOAD_TYPE_UNSUPPORTED'],
    'a body that is packed': [
      () => post('{"example":"vase-six"}', { ...JSON_TYPE, 'content-encoding': 'gzip' }),
      415,
      'UPLOAD_TYPE_UNSUPPORTED',
    ],
    'a zip that is packed again': [
      () => post('x', { 'content-type': 'application/zip', 'content-encoding': 'br' }),
      415,
      'UPLOAD_TYPE_UNSUPPORTED',
    ],
    'a part of tus that is not spoken': [
      () => post(null, { 'upload-length': '5', 'upload-concat': 'partial' }, '/v1/tus'),
      400,
      'REQUEST_INVALID',
    ],
    'the address of direct uploads read as one of them': [
      () => server.ask('/v1/uploads/direct'),
      405,
      'METHOD_NOT_ALLOWED',
    ],
    'a cursor of the year 0': [
      () => server.ask(`/v1/jobs?cursor=0000-01-01T00:00:00.000Z_${crypto.randomUUID()}`),
      400,
      'REQUEST_INVALID',
    ],
  };
  test.each(Object.entries(REFUSED))('%s: the client’s fault', async (_, [send, status, code]) => {
    const answer = await send();
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([status, code]);
  });

  test('a part of a form that is JSON, and says so, is read', async () => {
    const request = part('request', '{"name":"spoken of"}', '\r\nContent-Type: application/json');
    const body = Buffer.concat([
      Buffer.from(`${request}--b\r\nContent-Disposition: form-data; name="files"; filename="r_0.png"\r\n\r\n`),
      PIXEL,
      Buffer.from(`\r\n${file('transforms.json', '{"frames": []}')}--b--\r\n`),
    ]);
    const good = await post(new Uint8Array(body), { 'content-type': 'multipart/form-data; boundary=b' });
    expect([good.status, await good.json()]).toMatchObject([202, { name: 'spoken of' }]);
  });

  test('conditions of RFC 9110 hold for files', async () => {
    const { id } = await server.submit();
    await server.until(id, 'succeeded');
    const path = `/v1/jobs/${id}/files/asset.glb`;
    const { headers } = await server.ask(path);
    const [etag, modified] = [headers.get('etag')!, headers.get('last-modified')!];
    const status = async (asked: Record<string, string>): Promise<number> => {
      const answer = await server.ask(path, { headers: asked });
      await answer.arrayBuffer();
      return answer.status;
    };
    expect(await status({ 'if-modified-since': modified })).toBe(304);
    expect(await status({ 'if-match': '"other"' })).toBe(412);
    expect(await status({ 'if-match': etag })).toBe(200);
    expect(await status({ 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' })).toBe(412);
    expect(await status({ range: 'bytes=0-1', 'if-range': modified })).toBe(206);
    expect(await status({ range: 'bytes=0-1', 'if-range': '"other"' })).toBe(200);
  });

  test('streams of events are counted, and a HEAD is none', async () => {
    const { id } = await server.submit(['slow-100']);
    const path = `/v1/jobs/${id}/events`;
    const open = await Promise.all([1, 2, 3].map(() => server.ask(path)));
    expect(open.map((answer) => answer.status)).toEqual([200, 200, 200]);
    const fourth = await server.ask(path);
    expect(fourth.status).toBe(429);
    expect(await fourth.json()).toMatchObject({ code: 'RATE_LIMITED', found: expect.stringContaining('3 streams') });
    const head = await server.ask(path, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, expect.stringContaining('event-stream')]);
    await open[0].body!.cancel();
    await vi.waitUntil(
      async () => {
        const again = await server.ask(path);
        if (again.status === 200) open.push(again);
        return again.status === 200;
      },
      { timeout: 30_000, interval: 100 },
    );
    expect((await server.ask(path)).status).toBe(429);
    await server.ask(`/v1/jobs/${id}/cancel`, { method: 'POST' });
    await server.until(id, 'cancelled');
    // They end with the job, and make room.
    for (const answer of open.slice(1)) expect(await answer.text()).toContain('"state":"cancelled"');
    await sleep(50);
    expect((await server.ask(path)).status).toBe(200);
  });
});

test('streams are counted for each key', async () => {
  const server = await startTestServer({
    flags: { 'auth.mode': 'on', 'worker.adapters': '', 'limits.eventStreamsPerKey': 1, 'limits.eventStreams': 2 },
  });
  try {
    const keys = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        createKey(server.service.db, { name, scope: 'submit', project: 'p' }, { name: 'test' }),
      ),
    );
    const headers = keys.map(({ key }) => ({ authorization: `Bearer ${key}` }));
    const { id } = await server.submit([], {}, headers[0]);
    const watch = (i: number): Promise<Response> => server.ask(`/v1/jobs/${id}/events`, { headers: headers[i] });
    const [first, second] = [await watch(0), await watch(1)];
    expect([first.status, second.status]).toEqual([200, 200]);
    expect((await watch(0)).status).toBe(429);
    expect((await watch(2)).status).toBe(429);
    await first.body!.cancel();
    await second.body!.cancel();
  } finally {
    await server.destroy();
  }
});
