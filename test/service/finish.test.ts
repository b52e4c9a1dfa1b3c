/**
 * The moments at which a finished result was once lost: the engine's own handling of its output, and real kills.
 * `bench/service/finish.ts` does this at every single write.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Job } from '../../src/api/job.js';
import { type PrivatePostgres, postgresPrograms, startPostgres } from './postgres.js';
import { type StandInS3, startS3 } from './s3.js';
import { type ServerProcess, startServerProcess } from './serverProcess.js';
import { copyDatabase } from './template.js';
import { captureForm } from './testServer.js';

vi.setConfig({ testTimeout: 400_000, hookTimeout: 200_000 });

const ENGINE = new URL('./preparedEngine.ts', import.meta.url).href;

/** A service whose processes stop before a write of their finish. */
class Stage {
  private constructor(
    private readonly data: string,
    private readonly faults: string,
    private readonly databaseUrl: string | undefined,
    private readonly s3: StandInS3 | undefined,
    private server: ServerProcess,
  ) {}

  static async open(databaseUrl?: string, s3?: StandInS3): Promise<Stage> {
    const data = await mkdtemp(join(tmpdir(), 'plinth-finish-'));
    const faults = await mkdtemp(join(tmpdir(), 'plinth-faults-'));
    if (!databaseUrl) await copyDatabase(data);
    const server = await Stage.start(data, faults, databaseUrl, s3);
    return new Stage(data, faults, databaseUrl, s3, server);
  }

  private static async start(data: string, faults: string, databaseUrl?: string, s3?: StandInS3) {
    const environment = {
      FAULT_FOLDER: faults,
      PLINTH_WORKER_ENGINE: ENGINE,
      ...(s3 && {
        PLINTH_STORAGE_KIND: 's3',
        PLINTH_STORAGE_BUCKET: 'bucket',
        PLINTH_STORAGE_ENDPOINT: s3.url,
        PLINTH_STORAGE_ACCESS_KEY_ID: 'id',
        PLINTH_STORAGE_SECRET_ACCESS_KEY: 'secret',
      }),
    };
    return await startServerProcess(data, { databaseUrl, environment });
  }

  /** Submits a job and waits until a process stops before the write. */
  async until(write: string, methods: number): Promise<string> {
    for (const name of ['hit', 'go', 'writes']) await rm(join(this.faults, name), { force: true });
    await writeFile(join(this.faults, 'at'), write);
    const runs = Array.from({ length: methods }, () => ({ method: 'fusion' }));
    const body = captureForm([], { request: JSON.stringify({ methods: runs }) });
    const response = await fetch(`${this.server.url}/v1/jobs`, { method: 'POST', body });
    const { id } = (await response.json()) as Job;
    await vi.waitUntil(() => existsSync(join(this.faults, 'hit')), { timeout: 120_000, interval: 20 });
    return id;
  }

  async goOn(): Promise<void> {
    await writeFile(join(this.faults, 'go'), '');
  }

  async killWorker(): Promise<void> {
    for (const pid of await this.server.workers()) process.kill(pid, 'SIGKILL');
  }

  async killServer(): Promise<void> {
    await this.server.end('SIGKILL');
    await this.goOn();
    this.server = await Stage.start(this.data, this.faults, this.databaseUrl, this.s3);
  }

  /** Waits for the job's end, and that it is whole and single. */
  async expectWhole(id: string, methods: number): Promise<Job> {
    const ask = (path: string): Promise<Response> => fetch(`${this.server.url}/v1/jobs/${id}${path}`);
    let job: Job | undefined;
    for (let i = 0; i < 600 && !job?.finishedAt; i++) {
      await sleep(200);
      const response = await ask('').catch(() => undefined);
      if (response?.ok) job = (await response.json()) as Job;
    }
    expect(job).toMatchObject({ state: 'succeeded', failure: null });
    const each = ['asset.glb', 'previews/textured-000.png', 'quality.json'];
    const names =
      methods === 1
        ? each
        : ['comparison.json', ...['fusion', 'fusion-2'].flatMap((run) => each.map((f) => `${run}/${f}`))];
    const { files } = (await (await ask('/files')).json()) as { files: { name: string }[] };
    expect(files.map((f) => f.name)).toEqual(names.sort());
    for (const name of names) {
      const file = await ask(`/files/${name}`);
      expect(file.status, name).toBe(200);
      if (name.endsWith('glb')) expect(Buffer.from(await file.arrayBuffer()).toString('latin1', 0, 36)).toBe(id);
    }
    expect((await (await ask('/events')).text()).match(/"state":"succeeded"/g)).toHaveLength(1);
    // Nothing stays but what belongs to the job.
    await expect
      .poll(() => this.left(id), { timeout: 60_000, interval: 200 })
      .toEqual(['input', 'log.txt', 'results/1']);
    return job!;
  }

  private async left(id: string): Promise<string[]> {
    const prefix = `jobs/${id}/`;
    const keys = this.s3
      ? [...this.s3.objects.keys()].filter((k) => k.startsWith(prefix)).map((k) => k.slice(prefix.length))
      : await readdir(join(this.data, 'store', prefix), { recursive: true });
    const claims = new Set(keys.filter((k) => /^results\/./.test(k)).map((k) => k.split('/')[1]));
    const names = new Set(
      keys.map((k) => k.split('/')[0]).map((k) => (k === 'results' ? `results/${claims.size}` : k)),
    );
    // A folder stays when the last file in it is gone.
    const empty = (name: string): boolean => !keys.some((k) => k.startsWith(`${name}/`)) && !keys.includes(name);
    const work = (await readdir(join(this.data, 'work'))).map((w) => `work/${w}`);
    return [...names, ...work].filter((n) => n.startsWith('work') || n.startsWith('results') || !empty(n)).sort();
  }

  async close(): Promise<void> {
    await this.server.end('SIGKILL');
    await rm(this.data, { recursive: true, force: true });
    await rm(this.faults, { recursive: true, force: true });
  }
}

describe('a finished result (embedded database)', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage.close());

  test.each([
    ['pending/', 1],
    ['COMMIT', 2],
  ])('outlives a server that is killed before %s, with %i methods', async (write, methods) => {
    const id = await stage.until(write, methods);
    await stage.killServer();
    expect((await stage.expectWhole(id, methods)).attempt).toBe(2);
  });

  test('outlives a worker that is killed before it has noted its run', async () => {
    const id = await stage.until('fusion.result.json', 1);
    await stage.killWorker();
    await stage.goOn();
    await stage.expectWhole(id, 1);
  });
});

describe.skipIf(!postgresPrograms())('a finished result (PostgreSQL and S3)', () => {
  let postgres: PrivatePostgres;
  let s3: StandInS3;
  let stage: Stage;
  beforeAll(async () => {
    postgres = await startPostgres();
    s3 = await startS3('bucket');
    stage = await Stage.open(await postgres.createDatabase(), s3);
  });
  afterAll(async () => {
    await stage.close();
    await postgres.stop();
    await s3.stop();
  });

  test.each([
    ['UPDATE plinth.jobs', 2],
    ['COMMIT', 1],
  ])('waits for a database that stops before %s, with %i methods', async (write, methods) => {
    const id = await stage.until(write, methods);
    await postgres.crash();
    await stage.goOn();
    await sleep(1_500);
    await postgres.revive();
    expect((await stage.expectWhole(id, methods)).attempt).toBe(1);
  });
});
