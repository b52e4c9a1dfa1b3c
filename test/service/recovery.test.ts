import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Job } from '../../src/api/job.js';
import { onBothDatabases } from './databases.js';
import { type ServerProcess, startServerProcess } from './serverProcess.js';
import { copyDatabase } from './template.js';
import { captureForm } from './testServer.js';

onBothDatabases('what survives', (url) => {
  let data: string;
  let databaseUrl: string | undefined;
  const running: ServerProcess[] = [];
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'plinth-test-'));
    databaseUrl = await url();
    if (!databaseUrl) await copyDatabase(data);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((s) => s.end('SIGKILL')));
    await rm(data, { recursive: true, force: true });
  });

  const start = async (options: Parameters<typeof startServerProcess>[1] = {}): Promise<ServerProcess> => {
    const server = await startServerProcess(data, { databaseUrl, ...options });
    running.push(server);
    return server;
  };
  const submit = async (server: ServerProcess, does: string[]): Promise<string> => {
    const response = await fetch(`${server.url}/v1/jobs`, { method: 'POST', body: captureForm(does) });
    return ((await response.json()) as Job).id;
  };
  const until = async (server: ServerProcess, id: string, wanted: (job: Job) => boolean): Promise<Job> => {
    for (let i = 0; i < 3000; i++) {
      const job = (await (await fetch(`${server.url}/v1/jobs/${id}`)).json()) as Job;
      if (wanted(job)) return job;
      await sleep(100);
    }
    throw new Error('the job did not get there');
  };

  test(
    'kill -9 of the server loses neither the running nor the queued job, and the first goes on from its ' +
      'checkpoint',
    async () => {
      const first = await start();
      const ids = [await submit(first, ['slow-8']), await submit(first, ['plain'])];
      await until(first, ids[0], (job) => job.progress?.stage === 'texture');
      await first.end('SIGKILL');
      const second = await start();
      for (const id of ids)
        expect(await until(second, id, (job) => job.state === 'succeeded')).toMatchObject({ failure: null });
      const done = await until(second, ids[0], () => true);
      expect(done.attempt).toBe(2);
      const log = await (await fetch(second.url + done.links.log)).text();
      // The second attempt does not begin with the first stage.
      expect(log.slice(log.indexOf('attempt 2'))).not.toContain('stage read');
      expect(await readdir(join(data, 'store', 'jobs', ids[0], 'results'))).toHaveLength(1);
      expect(await readdir(join(data, 'work'))).toEqual([]);
    },
  );

  test('SIGTERM ends the service with 0 while a job runs, which goes on afterwards', async () => {
    const first = await start();
    const id = await submit(first, ['slow-10']);
    await until(first, id, (job) => job.progress?.stage === 'fuse');
    expect(await first.end('SIGTERM')).toBe(0);
    const second = await start();
    const done = await until(second, id, (job) => job.state === 'succeeded');
    const log = await (await fetch(second.url + done.links.log)).text();
    expect(log).toContain('goes on later from its checkpoint');
    expect(log.match(/stage read/g)).toHaveLength(1);
  });

  test(
    'a second process on the same data is refused where it would harm, and shares the work where it ' + 'may',
    async () => {
      const first = await start();
      if (databaseUrl === undefined) {
        await expect(start()).rejects.toThrow(/code 3.*DATA_FOLDER_IN_USE/);
        return;
      }
      const worker = await start({ mode: 'worker', environment: { PLINTH_DATA: data } });
      const ids = await Promise.all([submit(first, ['slow-5']), submit(first, ['slow-5'])]);
      const jobs = await Promise.all(ids.map((id) => until(first, id, (job) => job.state === 'running')));
      expect(jobs.map((j) => j.attempt)).toEqual([1, 1]);
      const health = (await (await fetch(`${first.url}/health`)).json()) as { workers: { own: boolean }[] };
      expect(health.workers.map((w) => w.own).sort()).toEqual([false, true]);
      expect(await worker.end('SIGTERM')).toBe(0);
      for (const id of ids) await until(first, id, (job) => job.state === 'succeeded');
    },
  );
});
