/** Receivers that do harm, and what becomes of messages. */
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { PlinthClient } from '../../src/api/client.js';
import { readOperatorAccess } from '../../src/server/access/operator.js';
import { onBothDatabases } from './databases.js';
import { startTestServer, type TestServer } from './testServer.js';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

onBothDatabases('webhooks', (url) => {
  let server: TestServer;
  let client: PlinthClient;
  let receiver: Server;
  let silentDns: Socket;
  const tarpits: Server[] = [];
  let received: Received[] = [];
  let endless = false;
  const portOf = (s: Server): number => (s.address() as AddressInfo).port;
  const listen = async (handle: Parameters<typeof createServer>[1]): Promise<Server> => {
    const made = createServer(handle).listen(0, '127.0.0.1');
    await new Promise((listening) => made.once('listening', listening));
    return made;
  };
  beforeAll(async () => {
    receiver = await listen(async (request, response) => {
      received.push({ headers: request.headers, body: (await buffer(request)).toString() });
      if (!endless) return void response.writeHead(204).end();
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'.repeat(1000)), 10);
      response.once('close', () => clearInterval(timer));
    });
    // They take the connection and never answer.
    for (let i = 0; i < 4; i++) tarpits.push(await listen(() => {}));
    silentDns = createSocket('udp4');
    await new Promise<void>((bound) => silentDns.bind(0, '127.0.0.1', bound));
    server = await startTestServer({
      databaseUrl: await url(),
      flags: {
        'webhooks.allowPrivate': true,
        'webhooks.secret': SECRET,
        'webhooks.dnsServers': [`127.0.0.1:${silentDns.address().port}`],
      },
    });
    client = new PlinthClient({ url: server.url });
  });
  afterAll(async () => {
    await server.destroy();
    silentDns.close();
    for (const s of [receiver, ...tarpits]) {
      s.closeAllConnections();
      s.close();
    }
  });
  beforeEach(() => {
    received = [];
    endless = false;
  });

  const submit = async (to: string): Promise<string> =>
    (await server.submit([], { webhook: JSON.stringify({ url: to }) })).id;
  const good = (): string => `http://127.0.0.1:${portOf(receiver)}/hook`;
  const jobsOf = (): unknown[] => received.map((r) => (JSON.parse(r.body) as { data: { id: string } }).data.id);

  test('receivers that never answer hold up nobody else, and a silent name server blocks no submission', async () => {
    for (const tarpit of tarpits) for (let i = 0; i < 3; i++) await submit(`http://127.0.0.1:${portOf(tarpit)}/`);
    const nowhere = await submit('https://receiver.example/hook');
    const id = await submit(good());
    await server.until(id, 'succeeded');
    await expect.poll(jobsOf, { timeout: 30_000, interval: 50 }).toEqual([id]);
    // Not one of the others is over yet: had the messages been sent in turn, this one had waited for them.
    const waiting = await server.service.db.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM plinth.webhook_deliveries WHERE delivered_at IS NULL AND last_error IS NULL`,
    );
    expect(waiting[0].count).toBeGreaterThanOrEqual(10);
    await expect
      .poll(() => client.deliveries(nowhere), { timeout: 60_000, interval: 200 })
      .toMatchObject([{ state: 'waiting', lastStatus: null, lastError: expect.stringContaining('name server') }]);
  });

  test('an answer without end is taken for what its status says, and is not read', async () => {
    endless = true;
    const id = await submit(good());
    await expect
      .poll(() => client.deliveries(id), { timeout: 60_000, interval: 100 })
      .toMatchObject([{ type: 'job.succeeded', url: good(), state: 'delivered', attempts: 1, lastStatus: 200 }]);
  });

  test('messages are listed and sent again, with the same id, signed with every secret that is valid', async () => {
    const id = await submit(good());
    await expect.poll(() => received.length, { timeout: 30_000, interval: 50 }).toBe(1);
    await expect.poll(async () => (await client.deliveries(id))[0].state, { timeout: 30_000 }).toBe('delivered');
    const [delivery] = await client.deliveries(id);
    // Keys are off: only whoever may read the data folder makes another secret.
    await expect(client.rotateWebhookSecret()).rejects.toMatchObject({ status: 403, code: 'KEYS_OFF' });
    const { key } = (await readOperatorAccess(server.settings.data))!;
    const operator = new PlinthClient({ url: server.url, key });
    const { secret } = await operator.rotateWebhookSecret();
    expect((await client.redeliver(id, delivery.id))[0]).toMatchObject({ state: 'waiting', attempts: 0 });
    await expect.poll(() => received.length, { timeout: 30_000, interval: 50 }).toBe(2);
    const [before, after] = received;
    expect(after.headers['webhook-id']).toBe(delivery.id);
    expect(after.body).toBe(before.body);
    const verify = (message: Received, by: string) => () =>
      new Webhook(by).verify(message.body, message.headers as Record<string, string>);
    // For a day both are valid.
    expect(verify(before, SECRET)).not.toThrow();
    expect(verify(before, secret)).toThrow();
    for (const by of [SECRET, secret]) expect(verify(after, by)).not.toThrow();
    await server.service.db.query(
      `UPDATE plinth.webhook_secrets SET created_at = created_at - interval '2 days', expires_at = ` +
        `expires_at - interval '2 days'`,
    );
    const next = await operator.rotateWebhookSecret();
    await client.redeliver(id, delivery.id);
    await expect.poll(() => received.length, { timeout: 30_000, interval: 50 }).toBe(3);
    expect(verify(received[2], SECRET)).toThrow();
    for (const by of [secret, next.secret]) expect(verify(received[2], by)).not.toThrow();

    await expect(client.redeliver(id, '11111111-1111-4111-8111-111111111111')).rejects.toMatchObject({
      status: 404,
      code: 'DELIVERY_NOT_FOUND',
    });
    await expect(client.deliveries('11111111-1111-4111-8111-111111111111')).rejects.toMatchObject({
      code: 'JOB_NOT_FOUND',
    });
  });
});
