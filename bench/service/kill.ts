/**
 * Kills the server or its worker process with SIGKILL at random moments while jobs come and run, and checks that every
 * accepted job ends exactly once, with one whole result. `tsx bench/service/kill.ts [kills = 100] [--postgres]`
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '../../src/api/job.js';
import { Random } from '../../src/core/random.js';
import { type PrivatePostgres, startPostgres } from '../../test/service/postgres.js';
import { type ServerProcess, startServerProcess } from '../../test/service/serverProcess.js';
import { captureForm } from '../../test/service/testServer.js';

const kills = Number(process.argv[2] ?? 100);
const random = new Random(7);
const data = await mkdtemp(join(tmpdir(), 'plinth-kill-'));
const postgres: PrivatePostgres | undefined = process.argv.includes('--postgres') ? await startPostgres() : undefined;
const databaseUrl = await postgres?.createDatabase();
// Workers are killed far more often than any machine fails, so attempts are not limited here.
const environment = { PLINTH_JOBS_MAX_ATTEMPTS: '100' };
const accepted: string[] = [];
let server: ServerProcess;
let up = false;

async function submitForever(stop: AbortSignal): Promise<void> {
  for (let i = 0; !stop.aborted; i++) {
    await sleep(150 + random.float() * 300);
    if (!up || accepted.length > kills * 2) continue;
    try {
      const body = captureForm([`slow-${1 + (i % 2)}`]);
      const response = await fetch(`${server.url}/v1/jobs`, {
        method: 'POST',
        body,
        signal: AbortSignal.timeout(5_000),
      });
      // Only what the server has answered for counts as accepted.
      if (response.status === 202) accepted.push(((await response.json()) as Job).id);
    } catch {
      // Killed while it was asked.
    }
  }
}

const stop = new AbortController();
server = await startServerProcess(data, { databaseUrl, environment });
up = true;
const submitting = submitForever(stop.signal);
let ofServer = 0;
let ofWorker = 0;
for (let i = 0; i < kills; i++) {
  await sleep(100 + random.float() * 1_500);
  const workers = await server.workers();
  if (random.float() < 0.5 && workers.length > 0) {
    process.kill(workers[0], 'SIGKILL');
    ofWorker++;
    continue;
  }
  up = false;
  await server.end('SIGKILL');
  ofServer++;
  server = await startServerProcess(data, { databaseUrl, environment });
  up = true;
}
stop.abort();
await submitting;

const states: Record<string, number> = {};
const problems: string[] = [];
const deadline = Date.now() + 600_000;
for (const id of accepted) {
  for (;;) {
    const response = await fetch(`${server.url}/v1/jobs/${id}`);
    const job = (await response.json()) as Job;
    if (response.status === 404) {
      problems.push(`${id} is lost`);
      break;
    }
    if (job.state === 'queued' || job.state === 'running') {
      if (Date.now() > deadline) {
        problems.push(`${id} is still ${job.state}`);
        break;
      }
      await sleep(100);
      continue;
    }
    states[job.state] = (states[job.state] ?? 0) + 1;
    if (job.state !== 'succeeded') {
      problems.push(`${id} ${job.state}: ${job.failure?.code}`);
      break;
    }
    const results = await readdir(join(data, 'store/jobs', id, 'results'));
    if (results.length !== 1) problems.push(`${id} has ${results.length} results`);
    const files = await readdir(join(data, 'store/jobs', id, 'results', results[0]));
    const quality = JSON.parse(
      await readFile(join(data, 'store/jobs', id, 'results', results[0], 'quality.json'), 'utf8'),
    ) as { job: string };
    if (quality.job !== id || !files.includes('asset.glb')) problems.push(`${id} has half a result`);
    const events = await (await fetch(`${server.url}/v1/jobs/${id}/events`)).text();
    const ends = events.match(/"state":"succeeded"/g)?.length ?? 0;
    if (ends !== 1) problems.push(`${id} ended ${ends} times`);
    break;
  }
}
const left = await readdir(join(data, 'work'));
await server.end('SIGTERM');
await postgres?.stop();
await rm(data, { recursive: true, force: true });
console.log(
  JSON.stringify({
    database: databaseUrl ? 'postgres' : 'embedded',
    kills: { server: ofServer, worker: ofWorker },
    accepted: accepted.length,
    states,
    leftInWork: left.length,
    problems,
  }),
);
process.exit(problems.length === 0 ? 0 : 1);
