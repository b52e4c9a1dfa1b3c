/** Faults outside of Plinth: its database, its storage, its processes and its folders. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Job } from '../../src/api/job.js';
import { onBothDatabases } from './databases.js';
import { type PrivatePostgres, postgresPrograms, startPostgres } from './postgres.js';
import { type ServerProcess, startServerProcess } from './serverProcess.js';
import { copyDatabase } from './template.js';
import { captureForm, startTestServer, type TestServer } from './testServer.js';

vi.setConfig({ testTimeout: 240_000 });

const codeOf = async (response: Response): Promise<unknown> => ((await response.json()) as { code?: string }).code;

describe.skipIf(!postgresPrograms())('a database that is away', () => {
  let postgres: PrivatePostgres;
  let server: TestServer;
  beforeAll(async () => {
    postgres = await startPostgres();
    server = await startTestServer({ databaseUrl: await postgres.createDatabase() });
  });
  afterAll(async () => {
    await server.destroy();
    await postgres.stop();
  });

  const expectAway = async (): Promise<void> => {
    for (const init of [undefined, { method: 'POST', body: captureForm() }]) {
      const begin = performance.now();
      const response = await server.ask('/v1/jobs', init);
      expect([response.status, await codeOf(response)]).toEqual([503, 'DATABASE_UNAVAILABLE']);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      // It was 40 s once. On a machine that is not busy it is less than two.
      expect(performance.now() - begin).toBeLessThan(20_000);
    }
    expect((await server.ask('/health')).status).toBe(503);
    expect((await server.ask('/health/live')).status).toBe(200);
  };

  test('answers 503 with Retry-After when it has stopped, and is used again without a restart', async () => {
    const { id } = await server.submit(['slow-5']);
    await server.until(id, 'running');
    await postgres.crash();
    await expectAway();
    await postgres.revive();
    expect(await server.until(id, 'succeeded', 'failed')).toMatchObject({ state: 'succeeded', failure: null });
    expect(await server.until((await server.submit()).id, 'succeeded')).toMatchObject({ attempt: 1 });
  });

  test('answers 503 with Retry-After when it hangs', async () => {
    postgres.freeze(true);
    try {
      await expectAway();
    } finally {
      postgres.freeze(false);
    }
    expect(await server.until((await server.submit()).id, 'succeeded')).toMatchObject({ attempt: 1 });
  });
});

describe('the embedded database', () => {
  let data: string;
  afterEach(() => rm(data, { recursive: true, force: true }));

  test('goes on after its thread died', async () => {
    const server = await startTestServer();
    data = server.settings.data;
    const { id } = await server.until((await server.submit()).id, 'succeeded');
    const { thread } = server.service.db as unknown as { thread: { worker: Worker } };
    await thread.worker.terminate();
    expect((await server.ask(`/v1/jobs/${id}`)).status).toBe(200);
    expect(await server.until((await server.submit()).id, 'succeeded')).toMatchObject({ failure: null });
    await server.destroy();
  });

  test('whose files are damaged is refused with advice that fits', async () => {
    data = await mkdtemp(join(tmpdir(), 'plinth-damaged-'));
    await copyDatabase(data);
    await truncate(join(data, 'postgres', 'global', 'pg_control'), 100);
    const refused = await startTestServer({ data }).then(
      () => undefined,
      (error: Error & { code: string; remedy: unknown }) => error,
    );
    expect(refused).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    const advice = JSON.stringify(refused!.remedy);
    expect(advice).toMatch(/restore .*postgres from a backup/);
    expect(advice).not.toMatch(/password|DATABASE_URL/);
  });
});

onBothDatabases('processes that outlive others', (url) => {
  let data: string;
  const running: ServerProcess[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((s) => s.end('SIGKILL')));
    await rm(data, { recursive: true, force: true });
  });
  const alive = (pid: number): boolean => existsSync(`/proc/${pid}/exe`);

  test(
    'a busy worker ends with its server; one that cannot is ended by the next server, which goes on with the ' + 'job',
    async () => {
      data = await mkdtemp(join(tmpdir(), 'plinth-processes-'));
      const databaseUrl = await url();
      if (!databaseUrl) await copyDatabase(data);
      const start = async (): Promise<ServerProcess> => {
        const server = await startServerProcess(data, { databaseUrl });
        running.push(server);
        return server;
      };
      const first = await start();
      const response = await fetch(`${first.url}/v1/jobs`, { method: 'POST', body: captureForm(['busy-loop-2']) });
      const { id } = (await response.json()) as Job;
      const at = async (server: ServerProcess, attempt: number, stage: string): Promise<void> => {
        const job = async (): Promise<Job> => (await (await fetch(`${server.url}/v1/jobs/${id}`)).json()) as Job;
        await expect
          .poll(job, { timeout: 60_000, interval: 100 })
          .toMatchObject({ state: 'running', attempt, progress: { stage } });
      };
      await at(first, 1, 'fuse');
      const [busy] = await first.workers();
      await first.end('SIGKILL');
      await expect.poll(() => alive(busy), { timeout: 30_000, interval: 50 }).toBe(false);

      const second = await start();
      await at(second, 2, 'fuse');
      const [stuck] = await second.workers();
      // A process that is stopped sees nothing, its watching thread neither.
      process.kill(stuck, 'SIGSTOP');
      await second.end('SIGKILL');
      expect(alive(stuck)).toBe(true);
      const third = await start();
      expect(alive(stuck)).toBe(false);
      const done = async (): Promise<Job> => (await (await fetch(`${third.url}/v1/jobs/${id}`)).json()) as Job;
      await expect.poll(done, { timeout: 60_000, interval: 100 }).toMatchObject({ state: 'succeeded', attempt: 3 });
      expect(await readdir(join(data, 'processes'))).toHaveLength(1);
    },
  );
});

onBothDatabases('what is kept and what is not', (url) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ databaseUrl: await url(), flags: { 'jobs.stallSeconds': 1 } });
  });
  afterAll(() => server.destroy());
  const store = (path: string): string => join(server.settings.data, 'store', path);
  const stored = (path: string): Promise<string[]> => server.service.artifacts.list(path);
  const longAgo = new Date(Date.now() - 3 * 86_400_000);

  test('a worker that is busy without end is stalled and replaced', async () => {
    const { id } = await server.submit(['busy-loop-1']);
    expect(await server.until(id, 'succeeded', 'failed')).toMatchObject({ state: 'succeeded', attempt: 2 });
    const log = await (await server.ask(`/v1/jobs/${id}/log`)).text();
    expect(log).toContain('WORKER_STALLED');
  });

  test('a damaged file of a result is never sent for a good one', async () => {
    const { id } = await server.until((await server.submit()).id, 'succeeded');
    const path = `/v1/jobs/${id}/files/asset.glb`;
    const good = await server.ask(path);
    expect(good.headers.get('repr-digest')).toMatch(/^sha-256=:[\w+/=]{44}:$/);
    const [claim] = await server.service.artifacts.children(`jobs/${id}/results`);
    const file = store(`jobs/${id}/results/${claim}/asset.glb`);
    await writeFile(file, Buffer.alloc(1000, 'x'));
    for (const headers of [undefined, { range: 'bytes=0-9' }]) {
      const damaged = await server.ask(path, { headers });
      expect([damaged.status, await codeOf(damaged)]).toEqual([500, 'RESULT_DAMAGED']);
    }
    const zip = await server.ask(`/v1/jobs/${id}/download`);
    await expect(zip.arrayBuffer()).rejects.toThrow();
    await rm(file);
    expect(await codeOf(await server.ask(path))).toBe('RESULT_DAMAGED');
  });

  test('clients are not told where things lie on the server', async () => {
    const { id } = await server.submit(['path-error']);
    const failed = await server.until(id, 'failed');
    expect(failed.failure).toMatchObject({
      code: 'CAPTURE_FILE_MISSING',
      message: expect.stringContaining('front.png'),
    });
    const log = await (await server.ask(`/v1/jobs/${id}/log`)).text();
    const events = await (await server.ask(`/v1/jobs/${id}/events`)).text();
    for (const text of [JSON.stringify(failed), log, events]) {
      expect(text).not.toContain(server.settings.data);
      expect(text).not.toContain(process.cwd());
    }
    expect(log).toContain('CAPTURE_FILE_MISSING');
  });

  test(
    'the janitor leaves what has just begun and what belongs to a job alone, and removes what does ' + 'not',
    async () => {
      const { janitor, artifacts, db } = server.service;
      const done = await server.until((await server.submit()).id, 'succeeded');
      const work = join(server.settings.data, 'work');
      const [young, old] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
      for (const id of [young, old]) await mkdir(join(work, id, 'claim'), { recursive: true });
      await utimes(join(work, old), longAgo, longAgo);
      // Files that took days to arrive, stored a moment ago for a job that is about to be recorded.
      const upload = await mkdtemp(join(tmpdir(), 'plinth-upload-'));
      await writeFile(join(upload, 'r_0.png'), 'picture');
      await utimes(join(upload, 'r_0.png'), longAgo, longAgo);
      await artifacts.adopt(upload, `jobs/${young}/input`);
      // And those of a job that never came.
      await artifacts.put(`jobs/${old}/input/r_0.png`, Buffer.from('picture'));
      for (const path of ['', '/input', '/input/r_0.png']) await utimes(store(`jobs/${old}${path}`), longAgo, longAgo);
      await janitor.run();
      expect(await readdir(work)).toEqual([young]);
      expect(await stored(`jobs/${young}`)).toEqual(['input/r_0.png']);
      expect(await stored(`jobs/${old}`)).toEqual([]);

      // An answer that was lost does not make an accepted job a refused one.
      await janitor.removeUnaccepted(done.id);
      expect(await stored(`jobs/${done.id}/input`)).not.toEqual([]);
      await janitor.removeUnaccepted(young);
      expect(await stored(`jobs/${young}`)).toEqual([]);

      // What a worker left that died between a job's end and its tidying.
      const failed = await server.until((await server.submit(['input-error'])).id, 'failed');
      await artifacts.put(`jobs/${failed.id}/results/claim/asset.glb`, Buffer.from('orphan'));
      await artifacts.put(`jobs/${done.id}/pending/claim.json`, Buffer.from('{}'));
      await db.query(
        `UPDATE plinth.jobs SET tidied = false, finished_at = now() - interval '1 minute' WHERE id IN ($1, $2)`,
        [failed.id, done.id],
      );
      await janitor.tidy();
      expect(await stored(`jobs/${failed.id}/results`)).toEqual([]);
      expect(await stored(`jobs/${done.id}/pending`)).toEqual([]);
      expect((await server.ask(`/v1/jobs/${done.id}/files/asset.glb`)).status).toBe(200);
      await rm(join(work, young), { recursive: true });
    },
  );
});
