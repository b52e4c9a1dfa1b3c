import { createServer, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PlinthClient } from '../../src/api/client.js';
import { createKey } from '../../src/server/access/apiKeys.js';
import { onBothDatabases } from './databases.js';
import { captureForm, startTestServer, type TestServer, type TestServerOptions } from './testServer.js';

const BY = { name: 'test' };
const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

onBothDatabases('who may do what', (url) => {
  const start = async (options: TestServerOptions = {}): Promise<TestServer> =>
    await startTestServer({ databaseUrl: await url(), ...options });
  let server: TestServer;
  beforeAll(async () => {
    server = await start({ flags: { 'webhooks.allowPrivate': true, 'webhooks.secret': SECRET } });
  });
  afterAll(() => server.destroy());

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
      for (let i = 0; i < 6000 && received.length < 2; i++) await sleep(50);
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
      const strict = await start({ flags: { 'webhooks.secret': SECRET } });
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
      const secured = await start({ flags: { 'auth.mode': 'on' } });
      try {
        const read = await createKey(secured.service.db, { name: 'reader', scope: 'read', project: 'p' }, BY);
        const admin = await createKey(secured.service.db, { name: 'boss', scope: 'admin' }, BY);
        const as = (key?: string): PlinthClient => new PlinthClient({ url: secured.url, key });
        await expect(as().list()).rejects.toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
        await expect(as('plinth_wrong').list()).rejects.toMatchObject({ status: 401 });
        expect((await as(read.key).list()).jobs).toEqual([]);
        await expect(as(read.key).submitStored({ example: 'vase-six' })).rejects.toMatchObject({
          status: 403,
          code: 'FORBIDDEN',
        });
        await expect(as(read.key).keys()).rejects.toMatchObject({ status: 403 });
        const submit = await as(admin.key).createKey('tool', 'submit', { project: 'p' });
        const job = await as(submit.key).submitStored({ example: 'vase-six' });
        expect((await as(read.key).wait(job.id)).state).toBe('succeeded');
        // Neither PostgreSQL's text nor its JSON holds it, so it must be refused before.
        await expect(as(admin.key).createKey('a\0b', 'read')).rejects.toMatchObject({
          status: 400,
          code: 'REQUEST_INVALID',
        });
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
      await expect(start({ flags: { host: '0.0.0.0', 'auth.mode': 'off' } })).rejects.toMatchObject({
        code: 'AUTHENTICATION_REQUIRED',
      });
    });
  });

  describe('limits', () => {
    test('low disk refuses new jobs with 507 and too many requests get 429', async () => {
      const strict = await start({
        flags: { 'retention.minimumFreeBytes': 9e15, 'limits.requestsPerMinute': 20 },
      });
      try {
        const response = await strict.ask('/v1/jobs', { method: 'POST', body: captureForm() });
        expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([507, 'DISK_LOW']);
        const answers = await Promise.all(Array.from({ length: 30 }, () => strict.ask('/v1/methods')));
        const limited = answers.find((a) => a.status === 429)!;
        expect(limited.headers.get('retry-after')).toBeTruthy();
        expect(((await limited.json()) as { code: string }).code).toBe('RATE_LIMITED');
        const health = await strict.ask('/health');
        expect([health.status, ((await health.json()) as { reasons: string[] }).reasons]).toEqual([
          503,
          [expect.stringContaining('Too little disk')],
        ]);
      } finally {
        await strict.destroy();
      }
    });
  });
});
