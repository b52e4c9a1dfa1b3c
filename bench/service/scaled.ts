/**
 * `compose.scaled.yaml` for real, without Docker: PostgreSQL, an S3-compatible server, two APIs and four workers, each
 * with the command and the environment that the file gives it. 300 jobs come while everything is killed in turn,
 * PostgreSQL restarts and the storage is away for 30 s; nothing may be lost, doubled or half. Then a few jobs in
 * Plinth's own engine, one of whose workers is killed at work.
 *
 *     tsx bench/service/scaled.ts --s3 <program> [--jobs 300] [--real 3] [--away 30]
 *
 * `--s3`: versitygw (Apache-2.0), from `go install github.com/versity/versitygw/cmd/versitygw@v1.8.0`. It is no part of
 * Plinth.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Random } from '../../src/core/random.js';
import { example } from '../../test/command.js';
import { Cluster, freePort } from '../../test/service/cluster.js';
import { judge, type Sent, send, settled } from '../../test/service/ordeal.js';
import { startPostgres } from '../../test/service/postgres.js';

const { values } = parseArgs({
  options: {
    s3: { type: 'string' },
    jobs: { type: 'string', default: '300' },
    real: { type: 'string', default: '3' },
    away: { type: 'string', default: '30' },
  },
});
if (!values.s3) throw new Error('--s3: the program of an S3-compatible server is needed');
const random = new Random(11);
const say = (text: string): void => console.error(`scaled: ${text}`);

const buckets = await mkdtemp(join(tmpdir(), 'plinth-buckets-'));
const port = await freePort();
let storage: ChildProcess;
async function startStorage(): Promise<void> {
  await mkdir(join(buckets, 'data'), { recursive: true });
  const keys = ['--access', 'plinth', '--secret', 'a-secret-key-for-tests'];
  storage = spawn(values.s3!, [...keys, '--port', `127.0.0.1:${port}`, '--quiet', 'posix', join(buckets, 'data')], {
    stdio: 'ignore',
  });
  while (!(await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined))) await sleep(100);
}
async function stopStorage(): Promise<void> {
  const ended = new Promise((resolve) => storage.once('exit', resolve));
  storage.kill('SIGKILL');
  await ended;
}
const objects = async (): Promise<string[]> =>
  (await readdir(join(buckets, 'data/plinth'), { recursive: true, withFileTypes: true }))
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath, e.name).slice(join(buckets, 'data/plinth').length + 1));

const postgres = await startPostgres({ fsync: true });
await startStorage();
const begin = performance.now();
const since = (): string => `${((performance.now() - begin) / 1000).toFixed(0)} s`;
const cluster = await Cluster.start({
  postgres,
  storage: `http://127.0.0.1:${port}`,
  apis: 2,
  workers: 4,
  environment: {
    PLINTH_LIMITS_REQUESTS_PER_MINUTE: '1000000',
    PLINTH_JOBS_MAX_ATTEMPTS: '100',
    PLINTH_GPU_SKIP_SLOW_CHECKS: 'true',
  },
  log: (line) => process.env.TEST_LOG && console.error(line),
});
say(`${since()}: two APIs and four workers are up`);

const sent: Sent[] = [];
const count = Number(values.jobs);
const sending = (async () => {
  while (sent.length < count) {
    sent.push(await send(cluster, [`slow-${1 + (sent.length % 3)}`]));
    await sleep(300 + random.float() * 600);
  }
})();
let over = false;
const done = sending
  .then(() => settled(cluster, sent))
  .finally(() => {
    over = true;
  });

const codes: Record<string, (number | string)[]> = { SIGKILL: [], SIGTERM: [] };
const happened = {
  workersKilled: 0,
  workersStopped: 0,
  apisKilled: 0,
  apisStopped: 0,
  childrenKilled: 0,
  postgres: 0,
  storage: 0,
};
/** One after the other, so that each finds the cluster at work. */
const blows: (() => Promise<void>)[] = [
  ...[1, 2, 3, 4].map((i) => async () => {
    codes.SIGKILL.push(await cluster.down(`worker-${i}`, 'SIGKILL'));
    happened.workersKilled++;
    await cluster.up(`worker-${i}`);
  }),
  ...[1, 2].map((i) => async () => {
    codes.SIGKILL.push(await cluster.down(`api-${i}`, 'SIGKILL'));
    happened.apisKilled++;
    await cluster.up(`api-${i}`);
  }),
  async () => {
    await postgres.restart(3_000);
    happened.postgres++;
  },
  ...[2, 3].map((i) => async () => {
    codes.SIGTERM.push(await cluster.down(`worker-${i}`, 'SIGTERM'));
    happened.workersStopped++;
    await cluster.up(`worker-${i}`);
  }),
  async () => {
    await stopStorage();
    happened.storage++;
    say(`${since()}: the storage is away for ${values.away} s`);
    await sleep(Number(values.away) * 1000);
    await startStorage();
  },
  async () => {
    codes.SIGTERM.push(await cluster.down('api-2', 'SIGTERM'));
    happened.apisStopped++;
    await cluster.up('api-2');
  },
  async () => {
    await postgres.restart();
    happened.postgres++;
  },
];
for (let i = 0; i < blows.length || (!over && sent.length < count); i++) {
  await sleep(2_000 + random.float() * 3_000);
  await blows[i % blows.length]();
  say(`${since()}: blow ${i + 1}, ${sent.length} jobs sent`);
}
const jobs = await done;
say(`${since()}: all jobs have ended`);
const problems = await judge(cluster, sent, jobs, objects);

// What one job costs the database: nothing else happens now.
const before = postgres.cpuSeconds();
const quietly = performance.now();
const plain: Sent[] = [];
for (let i = 0; i < 100; i++) plain.push(await send(cluster, ['plain']));
await settled(cluster, plain);
const seconds = (performance.now() - quietly) / 1000;
const cpuMs = ((postgres.cpuSeconds() - before) * 1000) / plain.length;

// Plinth's own engine, smallest: two workers, of which one is killed while it works.
const real = Number(values.real);
const realJobs: Sent[] = [];
if (real > 0) {
  for (const i of [3, 4]) await cluster.down(`worker-${i}`, 'SIGTERM');
  for (const i of [1, 2]) await cluster.down(`worker-${i}`, 'SIGTERM');
  cluster.useRealEngine();
  await Promise.all(['worker-1', 'worker-2'].map((name) => cluster.up(name)));
  const options = JSON.stringify([
    { method: 'fusion', preset: 'draft', options: { triangles: 3000, textureSize: 512, maxResolution: 64 } },
  ]);
  for (let i = 0; i < real; i++) realJobs.push(await sendCapture(options));
  await sleep(15_000);
  codes.SIGKILL.push(await cluster.down('worker-1', 'SIGKILL'));
  happened.workersKilled++;
  await cluster.up('worker-1');
  problems.push(...(await judge(cluster, realJobs, await settled(cluster, realJobs), objects)));
  say(`${since()}: and those in the own engine`);
}

async function sendCapture(methods: string): Promise<Sent> {
  const { readFile } = await import('node:fs/promises');
  const form = new FormData();
  const name = `real ${realJobs.length}`;
  form.set('name', name);
  form.set('methods', methods);
  for (const path of await readdir(example('vase-six'), { recursive: true, withFileTypes: true })) {
    if (!path.isFile()) continue;
    const file = join(path.parentPath, path.name);
    form.append('files', new Blob([await readFile(file)]), file.slice(example('vase-six').length + 1));
  }
  const response = await cluster.ask('/v1/jobs', { method: 'POST', body: form });
  if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
  return { id: ((await response.json()) as { id: string }).id, name };
}

const ends = await cluster.stop();
await stopStorage();
await postgres.stop();
await rm(buckets, { recursive: true, force: true });
console.log(
  JSON.stringify(
    {
      jobs: jobs.length,
      real: realJobs.length,
      attempts: jobs.reduce((sum, j) => sum + j.attempt, 0),
      happened,
      endedWith: codes,
      stoppedWith: ends,
      seconds: Math.round((performance.now() - begin) / 1000),
      afterwards: {
        jobs: plain.length,
        seconds: Number(seconds.toFixed(1)),
        postgresCpuMsPerJob: Number(cpuMs.toFixed(1)),
      },
      problems,
    },
    null,
    1,
  ),
);
process.exit(problems.length === 0 ? 0 : 1);
