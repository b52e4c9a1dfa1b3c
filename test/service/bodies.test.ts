import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { captureZip } from './captureZip.js';
import { onBothDatabases } from './databases.js';
import { captureForm, startTestServer, type TestServer } from './testServer.js';

onBothDatabases('bodies and what they say', (url) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({
      databaseUrl: await url(),
      flags: {
        'limits.bodyBytes': 2 ** 20,
        'limits.stallSeconds': 1,
        'limits.minimumBytesPerSecond': 1000,
        'limits.queuedJobs': 3,
        'worker.adapters': '',
      },
    });
  });
  afterAll(() => server.destroy());

  /**
   * Writes text at once, then a byte again and again; answers the first line and how long after it the server ended the
   * connection.
   */
  async function trickle(text: string, byte: string): Promise<{ answer: string; lingerMs: number }> {
    const { hostname, port } = new URL(server.url);
    return await new Promise((resolve) => {
      let answer = '';
      let answeredAt = 0;
      const socket = connect(Number(port), hostname, () => socket.write(text));
      const timer = setInterval(() => socket.write(byte), 100);
      socket.on('data', (data) => {
        answeredAt ||= Date.now();
        answer += data;
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        clearInterval(timer);
        resolve({ answer: answer.split('\r\n')[0], lingerMs: Date.now() - answeredAt });
      });
    });
  }
  const head = (path: string, type: string): string =>
    `POST ${path} HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\nContent-Type: ${type}\r\nContent-Length: ` +
    `100000\r\n\r\n`;

  test.each([
    ['a JSON body', '/v1/jobs', 'application/json', '{"example": "', 'x'],
    ['the names of an upload', '/v1/uploads', 'application/json', '{"files": [', ' '],
    ['a raw zip', '/v1/jobs', 'application/zip', 'PK', 'x'],
  ])('%s that comes byte by byte is ended, and its connection soon after', async (_, path, type, begin, byte) => {
    const { answer, lingerMs } = await trickle(head(path, type) + begin, byte);
    expect(answer).toContain('408');
    expect(lingerMs).toBeLessThan(30_000);
    expect(await readdir(server.service.incoming)).toEqual([]);
  });

  test('a body that nobody reads keeps no connection', async () => {
    const begin = head('/v1/jobs', 'application/json').replace('POST', 'GET');
    const { answer, lingerMs } = await trickle(begin, ' ');
    expect(answer).toContain('200');
    expect(lingerMs).toBeLessThan(30_000);
  });

  /** Sends a body without saying how long it is. */
  async function chunked(type: string, body: Iterable<Buffer>): Promise<[number, string]> {
    return await new Promise((resolve, reject) => {
      const post = request(`${server.url}/v1/jobs`, { method: 'POST', headers: { 'content-type': type } }, (answer) => {
        let text = '';
        answer.on('data', (data) => {
          text += data;
        });
        answer.once('end', () => {
          post.destroy();
          resolve([answer.statusCode!, (JSON.parse(text) as { code: string }).code]);
        });
      });
      // The server answers and then hears no more, which is no fault while the answer comes.
      post.on('error', () => {});
      post.once('close', () => reject(new Error('there was no answer')));
      Readable.from(body).pipe(post);
    });
  }

  test('bodies of unknown length end at the limit with 413', async () => {
    const mebibytes = function* (begin = ''): Generator<Buffer> {
      yield Buffer.from(begin);
      for (let i = 0; i < 8; i++) yield Buffer.alloc(2 ** 20);
    };
    expect(await chunked('application/zip', mebibytes())).toEqual([413, 'UPLOAD_TOO_LARGE']);
    const part = '--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n';
    expect(await chunked('multipart/form-data; boundary=b', mebibytes(part))).toEqual([413, 'UPLOAD_TOO_LARGE']);
    expect(await chunked('application/json', mebibytes())).toEqual([413, 'UPLOAD_TOO_LARGE']);
    expect(await readdir(server.service.incoming)).toEqual([]);
    expect((await server.ask('/health/live')).status).toBe(200);
  });

  test('an accepted request is answered again though the queue is full, in every form', async () => {
    const zip = await captureZip(1000);
    const forms: Record<string, () => RequestInit> = {
      form: () => ({ body: captureForm([], { name: 'one' }) }),
      zip: () => ({ body: new Uint8Array(zip), headers: { 'content-type': 'application/zip' } }),
      json: () => ({
        body: JSON.stringify({ example: 'vase-six' }),
        headers: { 'content-type': 'application/json' },
      }),
    };
    const send = (init: RequestInit, key: string): Promise<Response> =>
      server.ask('/v1/jobs', { method: 'POST', ...init, headers: { ...init.headers, 'idempotency-key': key } });
    const ids: Record<string, string> = {};
    for (const [name, init] of Object.entries(forms)) {
      const accepted = await send(init(), name);
      expect(accepted.status).toBe(202);
      ids[name] = ((await accepted.json()) as { id: string }).id;
    }
    const full = await send(forms.form(), 'another');
    expect([full.status, ((await full.json()) as { code: string }).code]).toEqual([503, 'QUEUE_FULL']);
    for (const [name, init] of Object.entries(forms)) {
      const again = await send(init(), name);
      expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
      expect(((await again.json()) as { id: string }).id).toBe(ids[name]);
    }
    const other = await send({ body: captureForm([], { name: 'two' }) }, 'form');
    expect([other.status, ((await other.json()) as { code: string }).code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(await readdir(server.service.incoming)).toEqual([]);
    for (const id of Object.values(ids)) await server.ask(`/v1/jobs/${id}/cancel`, { method: 'POST' });
  });

  const NUL = '\0';
  const HALF = '\ud800';
  const ID = '00000000-0000-4000-8000-000000000000';
  const json = (path: string, value: unknown): [string, RequestInit] => [
    path,
    { method: 'POST', body: JSON.stringify(value), headers: { 'content-type': 'application/json' } },
  ];
  const TEXT: Record<string, [string, RequestInit?]> = {
    'NUL in a search': ['/v1/jobs?search=a%00b'],
    'a month that is none in a cursor': [`/v1/jobs?cursor=2024-13-01T00:00:00.000Z_${ID}`],
    'a day that is none in a cursor': [`/v1/jobs?cursor=2024-02-31T00:00:00.000Z_${ID}`],
    '36 characters that are no UUID in a cursor': [`/v1/jobs?cursor=2024-01-01T00:00:00.000Z_${'-'.repeat(36)}`],
    'NUL in the name of a job': json('/v1/jobs', { example: 'vase-six', name: `a${NUL}` }),
    'half a character in the name of a job': json('/v1/jobs', { example: 'vase-six', name: `a${HALF}` }),
    'NUL in an option': json('/v1/jobs', { example: 'vase-six', methods: [{ method: 'fusion', options: { a: NUL } }] }),
    'NUL in the name of an option': json('/v1/jobs', {
      example: 'vase-six',
      methods: [{ method: 'fusion', options: { [NUL]: 1 } }],
    }),
    'NUL in the name of an upload': json('/v1/uploads', { name: NUL, files: [{ name: 'a', bytes: 1 }] }),
    'half a character in the name of an upload': json('/v1/uploads', { name: HALF, files: [{ name: 'a', bytes: 1 }] }),
    'a file that is the folder of another': json('/v1/uploads', {
      files: [
        { name: 'a', bytes: 1 },
        { name: 'a/b', bytes: 1 },
      ],
    }),
    'NUL in a field of a form': ['/v1/jobs', { method: 'POST', body: captureForm([], { name: `a${NUL}` }) }],
    'NUL in the query of a zip': [
      '/v1/jobs?name=a%00',
      { method: 'POST', body: 'PK', headers: { 'content-type': 'application/zip' } },
    ],
  };
  test.each(Object.entries(TEXT))('%s is the client’s fault', async (_, [path, init]) => {
    const response = await server.ask(path, init);
    const body = (await response.json()) as { code: string };
    expect([response.status, body.code]).toEqual([400, 'REQUEST_INVALID']);
    expect(await readdir(server.service.incoming)).toEqual([]);
  });
});
