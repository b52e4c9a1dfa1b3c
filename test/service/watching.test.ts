import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PlinthClient } from '../../src/api/client.js';
import { onBothDatabases } from './databases.js';
import { startTestServer, type TestServer, type TestServerOptions } from './testServer.js';

onBothDatabases('watching the service', (url) => {
  const start = async (options: TestServerOptions = {}): Promise<TestServer> =>
    await startTestServer({ databaseUrl: await url(), ...options });
  let server: TestServer;
  let client: PlinthClient;
  beforeAll(async () => {
    server = await start();
    client = new PlinthClient({ url: server.url });
  });
  afterAll(() => server.destroy());

  describe('health and metrics', () => {
    test('tell adapter, self-test, queue and workers', async () => {
      await server.until((await server.submit()).id, 'succeeded');
      // For a moment after the job's end its worker tidies up.
      await expect
        .poll(() => client.ready())
        .toMatchObject({
          status: 'healthy',
          reasons: [],
          adapter: { device: 'stand-in' },
          selfTest: { ok: true },
          workers: [{ slots: [{ state: 'idle' }] }],
        });
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
      const other = await start({ hooks });
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
      const other = await start();
      try {
        const { id } = await other.submit(['hang-1']);
        await other.until(id, 'running');
        const ready = async (): Promise<unknown> => (await other.ask('/health/ready')).json();
        // A quiet job on a sound device: a process beside it says so.
        await expect
          .poll(ready, { interval: 500 })
          .toMatchObject({ status: 'healthy', selfTest: { ok: true }, workers: [{ slots: [{ state: 'busy' }] }] });
        process.env.STAND_IN_PROBE = 'fail';
        await expect
          .poll(ready, { interval: 500 })
          .toMatchObject({ status: 'unhealthy', reasons: [expect.stringContaining('self-test')] });
      } finally {
        delete process.env.STAND_IN_PROBE;
        await other.destroy();
      }
    });

    test('a worker that makes no progress is stalled and then replaced', async () => {
      const other = await start({ flags: { 'jobs.stallSeconds': 1 } });
      try {
        const { id } = await other.submit(['hang-1']);
        let health: Response | undefined;
        for (let i = 0; i < 3000 && health?.status !== 503; i++) {
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
    const other = await start({ flags: { 'retention.days': 1, 'retention.quotaBytes': 5000 } });
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
    const other = await start({ flags: { 'telemetry.endpoint': endpoint } });
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
});
