/** What is refused is in the audit log, keys run as many jobs as they may, and say what they have used. */
import { request as ask } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AuditEntry, PlinthClient, type Scope } from '../../src/api/client.js';
import { createKey } from '../../src/server/access/apiKeys.js';
import { onBothDatabases } from './databases.js';
import { PIXEL } from './standInEngine.js';
import { captureForm, startTestServer, type TestServer } from './testServer.js';

const BY = { name: 'test' };

/** Sends headers that `fetch` does not let one choose. */
const raw = (url: string, headers: Record<string, string>): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = ask(url, { method: 'POST', headers }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode!));
    });
    sent.once('error', reject).end();
  });

onBothDatabases('refusals, running jobs, and what a key has used', (database) => {
  const start = async (flags: Record<string, unknown>): Promise<TestServer> =>
    await startTestServer({ databaseUrl: await database(), flags });

  test('secrets are not made anew while keys are off, and who tries is in the audit log', async () => {
    const server = await start({});
    try {
      const client = new PlinthClient({ url: server.url });
      await expect(client.rotateWebhookSecret()).rejects.toMatchObject({ status: 403, code: 'KEYS_OFF' });
      await expect(client.createKey('mine', 'admin')).rejects.toMatchObject({ status: 403, code: 'KEYS_OFF' });
      expect(await raw(`${server.url}/v1/jobs`, { origin: 'https://evil.example' })).toBe(403);
      expect(await raw(`${server.url}/v1/jobs`, { host: 'evil.example' })).toBe(421);
      await expect.poll(async () => (await client.audit({ refused: 'true' })).entries).toHaveLength(4);
      const { entries } = await client.audit({ refused: 'true' });
      const sorted = entries.map(({ action, refusal, name }) => `${action} ${refusal} ${name}`).sort();
      expect(sorted).toEqual([
        'createKey KEYS_OFF anybody',
        'rotateWebhookSecret KEYS_OFF anybody',
        'submitJob HOST_REFUSED anybody',
        'submitJob ORIGIN_REFUSED anybody',
      ]);
      expect(await client.ownKey()).toMatchObject({ key: null, used: null });
      expect(await server.service.db.query('SELECT 1 FROM plinth.webhook_secrets')).toEqual([]);
    } finally {
      await server.destroy();
    }
  });

  describe('with keys', () => {
    let server: TestServer;
    beforeAll(async () => {
      server = await start({ 'auth.mode': 'on', 'quotas.gpuSecondsPerDay': 1000, 'worker.adapters': ['auto', 'auto'] });
    });
    afterAll(() => server.destroy());

    const key = async (name: string, scope: Scope, quotas: Record<string, number> = {}) => {
      const made = await createKey(server.service.db, { name, scope, quotas, project: `of ${name}` }, BY);
      return { id: made.id, text: made.key, client: new PlinthClient({ url: server.url, key: made.key }) };
    };
    const pictures = (does: string[] = []) => [
      { name: 'transforms.json', data: new Blob(['{}']) },
      ...['r_0', ...does.map((d) => `do-${d}`)].map((name) => ({ name: `${name}.png`, data: new Blob([PIXEL]) })),
    ];

    test('who has no key, too little scope, or asks for another’s job is in the audit log', async () => {
      const [mine, other, reader, admin] = await Promise.all([
        key('mine', 'submit'),
        key('other', 'submit'),
        key('reader', 'read'),
        key('admin', 'admin'),
      ]);
      const job = await mine.client.submit(pictures());
      await expect(new PlinthClient({ url: server.url }).get(job.id)).rejects.toMatchObject({ status: 401 });
      await expect(reader.client.submit(pictures())).rejects.toMatchObject({ status: 403 });
      await expect(other.client.delete(job.id)).rejects.toMatchObject({ status: 404 });
      await expect(other.client.log(job.id)).rejects.toMatchObject({ status: 404 });
      // A job that is nobody's says nothing of who asks.
      await expect(other.client.get('11111111-1111-4111-8111-111111111111')).rejects.toMatchObject({ status: 404 });
      const refused = async (): Promise<AuditEntry[]> => (await admin.client.audit({ refused: 'true' })).entries;
      await expect.poll(refused).toHaveLength(4);
      const entries = (await refused()).map(({ key, name, action, subject, refusal, address, times }) => {
        expect([address, times]).toEqual(['127.0.0.1', 1]);
        return [name, key, action, subject, refusal];
      });
      expect(entries).toEqual(
        expect.arrayContaining([
          ['anybody', null, 'getJob', job.id, 'UNAUTHENTICATED'],
          ['reader', reader.id, 'submitJob', null, 'FORBIDDEN'],
          ['other', other.id, 'deleteJob', job.id, 'JOB_NOT_FOUND'],
          ['other', other.id, 'getLog', job.id, 'JOB_NOT_FOUND'],
        ]),
      );
      const done = (await admin.client.audit({ refused: 'false' })).entries;
      expect(done.map((entry) => entry.refusal)).toEqual(done.map(() => null));
      expect(done).toContainEqual(expect.objectContaining({ action: 'submitJob', subject: job.id, times: 1 }));
      await expect(mine.client.audit()).rejects.toMatchObject({ status: 403 });
    });

    test('a key runs as many jobs as it may, its others wait in nobody’s way, and none is forgotten', async () => {
      const [two, free] = await Promise.all([key('two', 'submit', { runningJobs: 1 }), key('free', 'submit')]);
      const own = [];
      for (let i = 0; i < 5; i++) own.push(await two.client.submit(pictures(['slow-2'])));
      let most = 0;
      let watching = true;
      const watch = (async () => {
        while (watching) {
          const [{ count }] = await server.service.db.query<{ count: number }>(
            `SELECT count(*)::int AS count FROM plinth.jobs WHERE key = $1 AND state = 'running'`,
            [two.id],
          );
          most = Math.max(most, count);
        }
      })();
      const passing = await free.client.submit(pictures());
      expect((await free.client.wait(passing.id)).state).toBe('succeeded');
      // It came last and was done while most of the others had to wait.
      expect((await two.client.list({ state: ['queued'] })).jobs.length).toBeGreaterThan(0);
      const used = await two.client.ownKey();
      expect(used.used!.runningJobs).toBeLessThanOrEqual(1);
      expect(used.used!.jobs).toBeGreaterThan(0);
      // One that is cancelled while it is held, and one while it runs, hold up nobody.
      await two.client.cancel(own[4].id);
      await two.client.cancel(own[0].id).catch(() => {});
      for (const { id } of own) expect(['succeeded', 'cancelled']).toContain((await two.client.wait(id)).state);
      watching = false;
      await watch;
      expect(most).toBe(1);
      expect((await two.client.get(own[3].id)).state).toBe('succeeded');
    });

    test('a worker that dies under the only job that a key may run leaves its others neither stuck nor doubled', async () => {
      const one = await key('one', 'submit', { runningJobs: 1 });
      const first = await one.client.submit(pictures(['crash-1']));
      const second = await one.client.submit(pictures());
      for (const { id } of [first, second]) expect((await one.client.wait(id)).state).toBe('succeeded');
    });

    test('a key says whose it is, what it may and what it has used', async () => {
      const { id, client } = await key('asks', 'submit', { jobs: 7, storedBytes: 10_000_000 });
      const job = await client.wait((await client.submit(pictures())).id);
      const own = await client.ownKey();
      expect(own.key).toMatchObject({ id, name: 'asks', scope: 'submit', project: 'of asks' });
      expect(own.quotas).toEqual({ jobs: 7, storedBytes: 10_000_000, gpuSecondsPerDay: 1000, runningJobs: 0 });
      expect(own.used).toMatchObject({
        jobs: 0,
        runningJobs: 0,
        storedBytes: job.input.bytes + job.result!.bytes,
        gpuSecondsToday: expect.any(Number),
      });
      expect(own.used!.gpuSecondsToday).toBeGreaterThan(0);
    });

    test('a flood of refusals is a few lines with their number, and hides nobody else', async () => {
      const { db } = server.service;
      const count = async (): Promise<number> =>
        (await db.query<{ n: number }>('SELECT count(*)::int AS n FROM plinth.audit WHERE refusal IS NOT NULL'))[0].n;
      const before = await count();
      const flood = Array.from({ length: 200 }, (_, i) =>
        server.ask(`/v1/jobs/${String(i).padStart(8, '0')}-1111-4111-8111-111111111111`, {
          headers: { authorization: `Bearer plinth_wrong${i}` },
        }),
      );
      const wrong = Array.from({ length: 100 }, () => server.ask('/v1/jobs', { method: 'POST', body: captureForm() }));
      for (const answer of await Promise.all([...flood, ...wrong])) expect(answer.status).toBe(401);
      expect((await count()) - before).toBeLessThanOrEqual(10);
      // The end of the server is the end of the minute.
      const { data } = server.settings;
      await server.close();
      server = await startTestServer({
        data,
        databaseUrl: server.settings.database.url,
        flags: { 'auth.mode': 'on' },
      });
      const rows = await server.service.db.query<{ times: number; refusal: string }>(
        'SELECT times, refusal FROM plinth.audit WHERE refusal IS NOT NULL ORDER BY id DESC LIMIT 11',
      );
      expect(rows[0].refusal).toBe('several');
      const [{ sum }] = await server.service.db.query<{ sum: number }>(
        `SELECT sum(times)::int AS sum FROM plinth.audit WHERE refusal IN ('UNAUTHENTICATED', 'several')`,
      );
      // All of the flood, and the one of the first test.
      expect(sum).toBe(301);
    });
  });
});
