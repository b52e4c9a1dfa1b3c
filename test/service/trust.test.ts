/** Who may speak to the service, and what each may see, touch and use. */
import { request as rawRequest } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PlinthClient } from '../../src/api/client.js';
import type { Problem } from '../../src/api/problem.js';
import type { Scope } from '../../src/api/scopes.js';
import { createKey, revokeKey } from '../../src/server/access/apiKeys.js';
import { readOperatorAccess } from '../../src/server/access/operator.js';
import { onBothDatabases } from './databases.js';
import { PIXEL } from './standInEngine.js';
import { captureForm, startTestServer, type TestServer, type TestServerOptions } from './testServer.js';

const BY = { name: 'test' };

const codeOf = async (answer: Response): Promise<[number, string]> => [
  answer.status,
  ((await answer.json()) as Problem).code,
];

/** A request as a browser makes it: `fetch` lets nobody set these headers. */
function browser(
  server: TestServer,
  path: string,
  headers: Record<string, string>,
  method = 'GET',
  body = '',
): Promise<{ status: number; text: string; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const sent = rawRequest(server.url + path, { method, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode!, text, headers: answer.headers }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

onBothDatabases('trust', (url) => {
  const start = async (options: TestServerOptions = {}): Promise<TestServer> =>
    await startTestServer({ databaseUrl: await url(), ...options });

  describe('without keys', () => {
    let server: TestServer;
    beforeAll(async () => {
      server = await start({ flags: { hosts: 'plinth.example', 'cors.origins': 'https://tool.example' } });
    });
    afterAll(() => server.destroy());

    const own = (): string => new URL(server.url).host;
    const job = '{"example":"vase-six"}';
    const json = { 'content-type': 'application/json' };

    test('names that a foreign page made lead here are refused, own ones pass', async () => {
      for (const host of ['evil.example', `evil.example:${new URL(server.url).port}`, 'localhost.evil.example']) {
        for (const path of ['/v1/jobs', '/health', '/', '/openapi.json', '/v1/nothing']) {
          const { status, text } = await browser(server, path, { host });
          expect([status, JSON.parse(text).code], `${host}${path}`).toEqual([421, 'HOST_REFUSED']);
        }
        const posted = await browser(server, '/v1/jobs', { host, ...json }, 'POST', job);
        expect(posted.status).toBe(421);
      }
      for (const host of [own(), 'localhost', 'plinth.example', '127.0.0.1', '[::1]:7878', '10.1.2.3'])
        expect((await browser(server, '/v1/jobs', { host })).status, host).toBe(200);
      expect((await new PlinthClient({ url: server.url }).list()).jobs).toEqual([]);
    });

    test('what another page makes a browser send changes nothing', async () => {
      const form = { 'content-type': 'multipart/form-data; boundary=x' };
      const body =
        '--x\r\ncontent-disposition: form-data; name="files"; filename="transforms.json"\r\n\r\n{}\r\n--x--\r\n';
      for (const headers of [
        { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
        { origin: 'null', 'sec-fetch-site': 'cross-site' },
        { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' },
        { origin: 'https://evil.example' },
        { 'sec-fetch-site': 'cross-site' },
      ] as Record<string, string>[]) {
        const answer = await browser(server, '/v1/jobs', { ...form, ...headers }, 'POST', body);
        expect([answer.status, JSON.parse(answer.text).code], JSON.stringify(headers)).toEqual([403, 'ORIGIN_REFUSED']);
        const id = '00000000-0000-4000-8000-000000000000';
        expect((await browser(server, `/v1/jobs/${id}`, headers, 'DELETE')).status).toBe(403);
        expect((await browser(server, '/v1/uploads', { ...json, ...headers }, 'POST', '{}')).status).toBe(403);
      }
      expect((await new PlinthClient({ url: server.url }).list()).jobs).toEqual([]);
      for (const headers of [
        { origin: server.url, 'sec-fetch-site': 'same-origin' },
        { origin: 'https://plinth.example', host: 'inside:7878'.replace('inside', '127.0.0.1') },
        { origin: 'https://tool.example', 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'none' },
        {},
      ] as Record<string, string>[]) {
        const answer = await browser(server, '/v1/jobs', { ...json, ...headers }, 'POST', job);
        expect(answer.status, JSON.stringify(headers)).toBe(202);
      }
    });

    test('no key is made, listed or revoked', async () => {
      const body = '{"name":"mine","scope":"admin"}';
      const made = await server.ask('/v1/keys', { method: 'POST', body, headers: json });
      expect(await codeOf(made)).toEqual([403, 'KEYS_OFF']);
      expect(await codeOf(await server.ask('/v1/keys'))).toEqual([403, 'KEYS_OFF']);
      const id = '00000000-0000-4000-8000-000000000000';
      expect(await codeOf(await server.ask(`/v1/keys/${id}`, { method: 'DELETE' }))).toEqual([403, 'KEYS_OFF']);
      expect(await server.service.db.query('SELECT 1 FROM plinth.api_keys')).toEqual([]);
    });
  });

  describe('with keys', () => {
    let server: TestServer;
    beforeAll(async () => {
      server = await start({ flags: { 'auth.mode': 'on', 'limits.failuresPerMinute': 20 } });
    });
    afterAll(() => server.destroy());

    let count = 0;
    const key = async (scope: Scope, more: { project?: string; quotas?: Record<string, number> } = {}) => {
      const made = await createKey(server.service.db, { name: `key ${++count}`, scope, ...more }, BY);
      return { ...made, client: new PlinthClient({ url: server.url, key: made.key }) };
    };
    const pictures = (does: string[] = []) => [
      { name: 'transforms.json', data: new Blob(['{}']) },
      ...['r_0', ...does.map((d) => `do-${d}`)].map((name) => ({ name: `${name}.png`, data: new Blob([PIXEL]) })),
    ];

    test("a key sees and touches its own jobs and its project's, an admin all", async () => {
      const [mine, other, friend, reader, admin] = await Promise.all([
        key('submit', { project: 'vases' }),
        key('submit'),
        key('submit', { project: 'vases' }),
        key('read', { project: 'vases' }),
        key('admin'),
      ]);
      const job = await mine.client.submit(pictures());
      expect(job.key).toBe(mine.id);
      await mine.client.wait(job.id);
      const theirs = await other.client.submit(pictures());
      const hidden = { status: 404, code: 'JOB_NOT_FOUND' };
      const { client } = other;
      for (const tried of [
        () => client.get(job.id),
        () => client.cancel(job.id),
        () => client.retry(job.id),
        () => client.delete(job.id),
        () => client.files(job.id),
        () => client.file(job.id, 'asset.glb'),
        () => client.download(job.id),
        () => client.previews(job.id),
        () => client.preview(job.id, '00001-read.png'),
        () => client.log(job.id),
        () => client.wait(job.id),
        () => client.deliveries(job.id),
        () => client.redeliver(job.id, '00000000-0000-4000-8000-000000000000'),
      ])
        await expect(tried(), String(tried)).rejects.toMatchObject(hidden);
      const seen = async (by: PlinthClient): Promise<string[]> => (await by.list()).jobs.map((j) => j.id).sort();
      expect(await seen(other.client)).toEqual([theirs.id]);
      for (const by of [mine, friend, reader]) {
        expect(await seen(by.client)).toEqual([job.id]);
        expect((await by.client.get(job.id)).state).toBe('succeeded');
        await expect(by.client.get(theirs.id)).rejects.toMatchObject(hidden);
      }
      expect(await seen(admin.client)).toEqual([job.id, theirs.id].sort());
      await expect(reader.client.delete(job.id)).rejects.toMatchObject({ status: 403 });
      await friend.client.delete(job.id);
      await admin.client.wait(theirs.id);
      await admin.client.delete(theirs.id);
    });

    test('an upload belongs to the key that began it', async () => {
      const [mine, other] = await Promise.all([key('submit'), key('submit')]);
      const upload = await mine.client.upload(pictures());
      await expect(other.client.getUpload(upload.id)).rejects.toMatchObject({ status: 404 });
      await expect(other.client.submitStored({ upload: upload.id })).rejects.toMatchObject({
        code: 'UPLOAD_NOT_FOUND',
      });
      const job = await mine.client.submitStored({ upload: upload.id });
      expect((await mine.client.wait(job.id)).state).toBe('succeeded');
    });

    test('only an admin may raise the priority', async () => {
      const [mine, admin] = await Promise.all([key('submit'), key('admin')]);
      await expect(mine.client.submit(pictures(), { priority: 1 })).rejects.toMatchObject({
        status: 403,
        code: 'FORBIDDEN',
        field: 'priority',
      });
      const low = await mine.client.submit(pictures(), { priority: -1 });
      const high = await admin.client.submit(pictures(), { priority: 5 });
      for (const job of [low, high]) expect((await admin.client.wait(job.id)).state).toBe('succeeded');
    });

    test('quotas of a key hold, also for many requests at once', async () => {
      const few = await key('submit', { quotas: { jobs: 2 } });
      const outcomes = await Promise.allSettled(
        Array.from({ length: 6 }, () => few.client.submit(pictures(['slow-100']))),
      );
      const taken = outcomes.flatMap((o) => (o.status === 'fulfilled' ? [o.value] : []));
      expect(taken).toHaveLength(2);
      for (const o of outcomes)
        if (o.status === 'rejected') expect(o.reason).toMatchObject({ status: 429, code: 'QUOTA_JOBS' });
      for (const { id } of taken) await few.client.cancel(id);
      for (const { id } of taken) expect((await few.client.wait(id)).state).toBe('cancelled');
      await few.client.submit(pictures());

      const small = await key('submit', { quotas: { storedBytes: 200 } });
      const job = await small.client.submit(pictures());
      await small.client.wait(job.id);
      await expect(small.client.submit(pictures())).rejects.toMatchObject({ status: 507, code: 'QUOTA_STORAGE' });
      await small.client.delete(job.id);
      await small.client.submit(pictures());

      const brief = await key('submit', { quotas: { gpuSecondsPerDay: 1 } });
      await brief.client.wait((await brief.client.submit(pictures())).id);
      await server.service.db.query('UPDATE plinth.usage SET gpu_seconds = 0.5 WHERE key = $1', [brief.id]);
      await brief.client.wait((await brief.client.submit(pictures(['slow-2']))).id);
      const refused = await server.ask('/v1/jobs', {
        method: 'POST',
        body: captureForm(),
        headers: { authorization: `Bearer ${brief.key}` },
      });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await codeOf(refused)).toEqual([429, 'QUOTA_GPU_TIME']);
    });

    test('a quota that is used up leaves an accepted request as it was', async () => {
      const one = await key('submit', { quotas: { jobs: 1 } });
      const submit = () => one.client.submit(pictures(['slow-100']), {}, { idempotencyKey: 'same' });
      const job = await submit();
      expect((await submit()).id).toBe(job.id);
      await one.client.cancel(job.id);
    });

    test('the last admin key cannot revoke itself', async () => {
      const { db } = server.service;
      const [a, b] = await Promise.all([key('admin'), key('admin')]);
      const others = (await a.client.keys()).filter((k) => k.scope === 'admin' && ![a.id, b.id].includes(k.id));
      for (const { id, revokedAt } of others) if (!revokedAt) await a.client.revokeKey(id);
      // At the same moment, too, one is left.
      const outcomes = await Promise.allSettled([a.client.revokeKey(a.id), b.client.revokeKey(b.id)]);
      expect(outcomes.filter((o) => o.status === 'fulfilled')).toHaveLength(1);
      const left = outcomes[0].status === 'fulfilled' ? b : a;
      await expect(left.client.revokeKey(left.id)).rejects.toMatchObject({ status: 409, code: 'KEY_LAST_ADMIN' });
      await expect(left.client.revokeKey('00000000-0000-4000-8000-00000000000f')).rejects.toMatchObject({
        status: 404,
        code: 'KEY_NOT_FOUND',
      });
      expect(
        (await db.query("SELECT 1 FROM plinth.api_keys WHERE scopes->>0 = 'admin' AND revoked_at IS NULL")).length,
      ).toBe(1);
    });

    test("a revoked key's open streams end, wherever it is revoked", async () => {
      for (const elsewhere of [false, true]) {
        const [mine, admin] = await Promise.all([key('submit'), key('admin')]);
        const job = await mine.client.submit(pictures(['slow-100']));
        const stream = await server.ask(`/v1/jobs/${job.id}/events`, {
          headers: { authorization: `Bearer ${mine.key}` },
        });
        expect(stream.status).toBe(200);
        const ended = (async () => {
          for await (const _ of stream.body!);
        })().then(
          () => 'ended',
          () => 'ended',
        );
        expect(await Promise.race([ended, sleep(300, 'open')])).toBe('open');
        if (elsewhere) await revokeKey(server.service.db, mine.id, BY, false);
        else await admin.client.revokeKey(mine.id);
        expect(await Promise.race([ended, sleep(15_000, 'open', { ref: false })])).toBe('ended');
        await expect(mine.client.get(job.id)).rejects.toMatchObject({ status: 401 });
        await admin.client.cancel(job.id);
      }
    });

    test('health tells anybody states and numbers, an admin everything', async () => {
      const [reader, admin] = await Promise.all([key('read'), key('admin')]);
      const job = await admin.client.submit(pictures(['slow-100']));
      const { hostname } = await import('node:os');
      for (;;) {
        const health = await admin.client.health();
        if (health.workers.some((w) => w.host === hostname() && w.slots.some((s) => s.job === job.id))) break;
        await sleep(100);
      }
      for (const asker of [
        new PlinthClient({ url: server.url }),
        reader.client,
        new PlinthClient({ url: server.url, key: 'no' }),
      ])
        for (const health of [await asker.health(), await asker.ready()]) {
          const text = JSON.stringify(health);
          expect(text).not.toContain(job.id);
          expect(text).not.toContain(hostname());
          expect(health).toMatchObject({ status: 'healthy', queue: { running: expect.any(Number) } });
          expect(health.workers[0].slots[0].state).toBeDefined();
        }
      await admin.client.cancel(job.id);
    });

    test('pages of the documents ask for a key as everything does', async () => {
      for (const path of ['/docs', '/docs/', '/docs/json', '/docs/static/index.html'])
        expect([401, 302, 404]).toContain((await server.ask(path, { redirect: 'manual' })).status);
      const answer = await server.ask('/docs/');
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(await codeOf(answer)).toEqual([401, 'UNAUTHENTICATED']);
      const reader = await key('read');
      const headers = { authorization: `Bearer ${reader.key}` };
      expect((await server.ask('/docs/', { headers })).status).toBe(200);
    });

    test('who changed what is written down, for admins', async () => {
      const [mine, admin] = await Promise.all([key('submit', { project: 'audited' }), key('admin')]);
      const made = await admin.client.createKey('made', 'read');
      const job = await mine.client.submit(pictures());
      await mine.client.wait(job.id);
      await mine.client.delete(job.id);
      await admin.client.revokeKey(made.id);
      await expect(mine.client.audit()).rejects.toMatchObject({ status: 403 });
      const own = (await admin.client.audit({ limit: 500 })).entries.filter((e) =>
        [mine.id, admin.id].includes(e.key ?? ''),
      );
      expect(own.map((e) => [e.action, e.subject, e.name]).reverse()).toEqual([
        ['createKey', made.id, admin.name],
        ['submitJob', job.id, mine.name],
        ['deleteJob', job.id, mine.name],
        ['revokeKey', made.id, admin.name],
      ]);
      for (const entry of own) {
        expect(entry.address).toMatch(/^(::ffff:)?127\.0\.0\.1$/);
        expect(Date.now() - Date.parse(entry.at)).toBeLessThan(600_000);
        expect(entry.request).toMatch(/^req-/);
      }
      const page = await admin.client.audit({ limit: 1, key: admin.id });
      expect(page.entries).toHaveLength(1);
      const next = await admin.client.audit({ limit: 1, key: admin.id, before: page.next! });
      expect(Number(next.entries[0].id)).toBeLessThan(Number(page.entries[0].id));
      expect((await admin.client.audit({ action: 'deleteJob' })).entries.every((e) => e.action === 'deleteJob')).toBe(
        true,
      );
    });

    test('wrong keys and unknown addresses are told to wait before the database is asked', async () => {
      const works = await key('read');
      await works.client.list();
      let asked = 0;
      const { db } = server.service;
      const query = db.query;
      db.query = ((...args: Parameters<typeof query>) => {
        if (args[0].includes('plinth.api_keys WHERE hash')) asked++;
        return query.apply(db, args);
      }) as typeof query;
      try {
        const answers: number[] = [];
        for (let i = 0; i < 100; i++) {
          const headers = { authorization: `Bearer plinth_wrong${i}` };
          answers.push((await server.ask('/v1/jobs', { headers })).status);
        }
        expect(answers[0]).toBe(401);
        const limited = answers.filter((status) => status === 429).length;
        expect(limited).toBeGreaterThan(60);
        expect(asked).toBe(100 - limited);
      } finally {
        db.query = query;
      }
      // The budget fills up again while requests are slow, so both are asked among others that use it up.
      const wrong = () => server.ask('/v1/jobs', { headers: { authorization: 'Bearer plinth_wrong' } });
      const burst = await Promise.all(
        Array.from({ length: 40 }, (_, i) => (i === 39 ? server.ask('/v1/nothing') : wrong())),
      );
      const refused = burst[38];
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await codeOf(refused)).toEqual([429, 'RATE_LIMITED']);
      expect(await codeOf(burst[39])).toEqual([429, 'RATE_LIMITED']);
      // Who works with a key that is known goes on, from the same address.
      expect((await works.client.list()).jobs).toEqual([]);
      expect((await server.ask('/health')).status).toBe(200);
    });
  });

  test('whoever may read the data folder may make the first key while the service runs', async () => {
    for (const mode of ['on', 'off']) {
      const server = await start({ flags: { 'auth.mode': mode } });
      try {
        const access = (await readOperatorAccess(server.settings.data))!;
        const { key } = await new PlinthClient(access).createKey('first', 'admin');
        const keys = await new PlinthClient(access).keys();
        expect(keys.map((k) => k.name)).toEqual(['first']);
        if (mode === 'on') expect((await new PlinthClient({ url: server.url, key }).keys()).length).toBe(1);
        const [entry] = (await new PlinthClient(access).audit()).entries;
        expect(entry).toMatchObject({ action: 'createKey', name: 'operator', key: null });
        // The last admin key, too: whoever may read the folder can make another.
        await new PlinthClient(access).revokeKey(keys[0].id);
      } finally {
        await server.destroy();
      }
    }
  });

  test('keys take turns, however many jobs each has sent', async () => {
    const server = await start({ flags: { 'auth.mode': 'on' } });
    try {
      const { db } = server.service;
      const [many, one, admin] = await Promise.all(
        (['submit', 'submit', 'admin'] as const).map((scope) => createKey(db, { name: scope, scope }, BY)),
      );
      const submit = async (key: string, name: string, priority = 0): Promise<string> =>
        (
          await new PlinthClient({ url: server.url, key }).submit(
            [
              { name: 'transforms.json', data: new Blob(['{}']) },
              { name: 'r_0.png', data: new Blob([PIXEL]) },
              ...(name === 'first' ? [{ name: 'do-slow-40.png', data: new Blob([PIXEL]) }] : []),
            ],
            { name, priority },
          )
        ).id;
      // While one runs, the others queue up.
      const first = await submit(many.key, 'first');
      await server.until(first, 'running').catch(() => {});
      for (;;) {
        const [row] = await db.query<{ state: string }>('SELECT state FROM plinth.jobs WHERE id = $1', [first]);
        if (row.state === 'running') break;
        await sleep(20);
      }
      for (let i = 0; i < 4; i++) await submit(many.key, `many ${i}`);
      for (let i = 0; i < 2; i++) await submit(one.key, `one ${i}`);
      await submit(admin.key, 'urgent', 1);
      const client = new PlinthClient({ url: server.url, key: admin.key });
      for (;;) {
        const { jobs } = await client.list();
        if (jobs.every((job) => job.state === 'succeeded')) {
          const order = jobs.sort((a, b) => a.startedAt!.localeCompare(b.startedAt!)).map((job) => job.name);
          expect(order).toEqual(['first', 'urgent', 'many 0', 'one 0', 'many 1', 'one 1', 'many 2', 'many 3']);
          break;
        }
        await sleep(100);
      }
    } finally {
      await server.destroy();
    }
  });

  test('what is no text, no page and no address is the client’s fault', async () => {
    const server = await start();
    try {
      const post = (path: string, body: string): Promise<Response> =>
        server.ask(path, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
      const NUL = '\\u0000';
      const HALF = '\\ud800';
      for (const [what, asked] of [
        ['cursor with no such date', server.ask(`/v1/jobs?cursor=2026-13-45T00:00:00.000Z_${crypto.randomUUID()}`)],
        ['cursor with no UUID', server.ask(`/v1/jobs?cursor=2026-01-01T00:00:00.000Z_${'-'.repeat(36)}`)],
        ['NUL in a search', server.ask('/v1/jobs?search=a%00b')],
        ['NUL in a name', post('/v1/jobs', `{"example":"vase-six","name":"a${NUL}"}`)],
        ['half a pair in a name', post('/v1/jobs', `{"example":"vase-six","name":"${HALF}"}`)],
        ['NUL in an option', post('/v1/jobs', `{"example":"vase-six","options":{"a${NUL}":1}}`)],
        ['NUL in a form', server.ask('/v1/jobs', { method: 'POST', body: captureForm([], { name: 'a\0b' }) })],
        ['NUL in the name of an upload', post('/v1/uploads', `{"name":"a${NUL}","files":[{"name":"a","bytes":1}]}`)],
        ['half a pair there', post('/v1/uploads', `{"name":"${HALF}","files":[{"name":"a","bytes":1}]}`)],
        ['an address that is no UTF-8', server.ask('/v1/jobs/%E0%A4%A')],
        ['another', server.ask('/%ff')],
      ] as const) {
        const answer = await asked;
        expect(answer.headers.get('content-type'), what).toContain('application/problem+json');
        expect(await codeOf(answer), what).toEqual([400, 'REQUEST_INVALID']);
      }
      expect((await new PlinthClient({ url: server.url }).list()).jobs).toEqual([]);
    } finally {
      await server.destroy();
    }
  });
});

test('a proxy is believed where it is trusted, and nobody else', async () => {
  for (const trusted of [true, false]) {
    const server = await startTestServer({ flags: trusted ? { trustedProxies: '127.0.0.1' } : {} });
    try {
      const headers = { 'content-type': 'application/json', 'x-forwarded-for': '192.0.2.7' };
      const body = '{"example":"vase-six"}';
      expect((await browser(server, '/v1/jobs', headers, 'POST', body)).status).toBe(202);
      const [entry] = (await new PlinthClient({ url: server.url }).audit()).entries;
      expect(entry.address).toBe(trusted ? '192.0.2.7' : '127.0.0.1');
      const forwarded = await browser(server, '/v1/jobs', { 'x-forwarded-host': 'evil.example' });
      expect(forwarded.status).toBe(trusted ? 421 : 200);
    } finally {
      await server.destroy();
    }
  }
});

test('a request of HTTP/1.0 without a host is answered', async () => {
  const server = await startTestServer();
  try {
    const { port } = new URL(server.url);
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('GET /health/live HTTP/1.0\r\n\r\n'));
      socket.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
  } finally {
    await server.destroy();
  }
});
