/**
 * Kills server, worker or database before every single write of a job's finish, and checks that the job ends once, with
 * its whole result. `tsx bench/service/finish.ts [--victim server|worker|both|database] [--methods 1|2] [--store
 * folder|s3] [--postgres] [--from n] [--to n]`
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Job } from '../../src/api/job.js';
import { startPostgres } from '../../test/service/postgres.js';
import { startS3 } from '../../test/service/s3.js';
import { type ServerProcess, startServerProcess } from '../../test/service/serverProcess.js';
import { copyDatabase } from '../../test/service/template.js';
import { captureForm } from '../../test/service/testServer.js';

const { values } = parseArgs({
  options: {
    victim: { type: 'string', default: 'server' },
    methods: { type: 'string', default: '1' },
    store: { type: 'string', default: 'folder' },
    postgres: { type: 'boolean', default: false },
    from: { type: 'string', default: '1' },
    to: { type: 'string', default: '1000' },
  },
});
const data = await mkdtemp(join(tmpdir(), 'plinth-finish-'));
const faults = await mkdtemp(join(tmpdir(), 'plinth-faults-'));
const postgres = values.postgres ? await startPostgres() : undefined;
const databaseUrl = await postgres?.createDatabase();
const s3 = values.store === 's3' ? await startS3('bucket') : undefined;
if (!postgres) await copyDatabase(data);
const environment = {
  FAULT_FOLDER: faults,
  PLINTH_WORKER_ENGINE: new URL('../../test/service/preparedEngine.ts', import.meta.url).href,
  ...(s3 && {
    PLINTH_STORAGE_KIND: 's3',
    PLINTH_STORAGE_BUCKET: 'bucket',
    PLINTH_STORAGE_ENDPOINT: s3.url,
    PLINTH_STORAGE_ACCESS_KEY_ID: 'id',
    PLINTH_STORAGE_SECRET_ACCESS_KEY: 'secret',
  }),
};
const start = (): Promise<ServerProcess> => startServerProcess(data, { databaseUrl, environment });
let server = await start();
const ask = async (path: string): Promise<Response | undefined> =>
  await fetch(server.url + path, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined);

/** Sent again with the same key until it is answered: the server may be stopped, or gone, before it can say so. */
async function submit(): Promise<string> {
  const methods = Array.from({ length: Number(values.methods) }, () => ({ method: 'fusion', preset: 'draft' }));
  const headers = { 'idempotency-key': randomUUID() };
  for (const deadline = Date.now() + 120_000; Date.now() < deadline; await sleep(100)) {
    const body = captureForm([], { request: JSON.stringify({ methods }) });
    const init = { method: 'POST', body, headers, signal: AbortSignal.timeout(30_000) };
    const response = await fetch(`${server.url}/v1/jobs`, init).catch(() => undefined);
    if (response?.status === 202) return ((await response.json()) as Job).id;
  }
  throw new Error('no job was accepted');
}

const isHit = (): boolean => existsSync(join(faults, 'hit')) && !existsSync(join(faults, 'go'));

/** Resolves when a write was reached, or `others` are done. */
async function hit(others: Promise<unknown>): Promise<void> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  others.then(end, end);
  while (!over && !isHit()) await sleep(20);
}

async function ended(id: string): Promise<Job | undefined> {
  for (const deadline = Date.now() + 90_000; Date.now() < deadline; await sleep(50)) {
    const response = await ask(`/v1/jobs/${id}`);
    const job = response?.ok ? ((await response.json()) as Job) : undefined;
    if (job && job.state !== 'queued' && job.state !== 'running') return job;
    if (isHit()) return undefined;
  }
  throw new Error(`job ${id} does not end`);
}

async function strike(): Promise<void> {
  const workers = await server.workers();
  if (values.victim === 'database') await postgres!.crash();
  if (values.victim === 'server' || values.victim === 'both') await server.end('SIGKILL');
  if (values.victim === 'worker' || values.victim === 'both') for (const pid of workers) kill(pid);
  await writeFile(join(faults, 'go'), '');
  if (values.victim === 'database') {
    await sleep(1_500);
    await postgres!.revive();
  }
  if (values.victim === 'server' || values.victim === 'both') server = await start();
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended with its server.
  }
}

/** What is wrong with a job that has ended. */
async function faultsOf(job: Job): Promise<string[]> {
  const found: string[] = [];
  if (job.state !== 'succeeded') return [`${job.state} ${job.failure?.code}: ${job.failure?.message}`];
  const runs = values.methods === '1' ? [''] : ['fusion/', 'fusion-2/'];
  const expected = runs.flatMap((r) => ['asset.glb', 'previews/textured-000.png', 'quality.json'].map((f) => r + f));
  if (runs.length > 1) expected.push('comparison.json');
  const listed = ((await (await ask(`/v1/jobs/${job.id}/files`))!.json()) as { files: { name: string }[] }).files;
  if (JSON.stringify(listed.map((f) => f.name).sort()) !== JSON.stringify(expected.sort()))
    found.push(`files are ${listed.map((f) => f.name).join(', ') || 'none'}`);
  for (const name of expected) {
    const file = await ask(`/v1/jobs/${job.id}/files/${name}`);
    const bytes = file?.ok ? Buffer.from(await file.arrayBuffer().catch(() => new ArrayBuffer())) : undefined;
    if (!bytes) found.push(`${name} answers ${file?.status}`);
    else if (name.endsWith('glb')) {
      const run = name.includes('/') ? name.split('/')[0] : 'fusion';
      const whole = Buffer.alloc(3000, `${job.id} ${run.at(-1)}`);
      const hash = (b: Buffer): string => createHash('sha256').update(b).digest('hex');
      if (hash(bytes) !== hash(whole)) found.push(`${name} holds something else`);
    }
  }
  const events = await (await ask(`/v1/jobs/${job.id}/events`))!.text();
  const times = events.match(/"state":"succeeded"/g)?.length ?? 0;
  if (times !== 1) found.push(`succeeded ${times} times`);
  let left: string[] = [];
  for (let i = 0; i < 300; i++) {
    left = await leftovers(job.id);
    if (left.length === 0) break;
    await sleep(100);
  }
  return [...found, ...left];
}

async function leftovers(id: string): Promise<string[]> {
  const keys = s3
    ? [...s3.objects.keys()].filter((k) => k.startsWith(`jobs/${id}/`)).map((k) => k.slice(`jobs/${id}/`.length))
    : ((await readdir(join(data, 'store/jobs', id), { recursive: true })) as string[]);
  const claims = new Set(keys.filter((k) => /^results\/./.test(k)).map((k) => k.split('/')[1]));
  const others = [...new Set(keys.map((k) => k.split('/')[0]))].filter(
    (k) => !['input', 'previews', 'results', 'log.txt'].includes(k),
  );
  const found = claims.size === 1 ? [] : [`${claims.size} results in the store`];
  for (const other of others) {
    if (keys.some((k) => k.startsWith(`${other}/`))) found.push(`${other} is left in the store`);
  }
  if ((await readdir(join(data, 'work'))).includes(id)) found.push('its work folder is left');
  return found;
}

let bad = 0;
let n = Number(values.from);
for (; n <= Number(values.to); n++) {
  for (const name of ['hit', 'go', 'writes', 'at']) await rm(join(faults, name), { force: true });
  await writeFile(join(faults, 'at'), String(n));
  const sent = submit();
  await hit(sent);
  let job = isHit() ? undefined : await ended(await sent);
  const write = await readFile(join(faults, 'hit'), 'utf8').catch(() => undefined);
  if (write === undefined) break;
  const begin = Date.now();
  await strike();
  job ??= await ended(await sent);
  const wrong = await faultsOf(job!);
  if (wrong.length > 0) bad++;
  console.log(
    `${n}\t${write.slice(0, 90)}\tattempt ${job!.attempt}, ${((Date.now() - begin) / 1000).toFixed(1)} ` +
      `s\t${wrong.join('; ') || 'good'}`,
  );
}
console.log(JSON.stringify({ ...values, writes: n - 1, bad }));
if (process.env.SHOW_WRITES) console.log(await readFile(join(faults, 'writes'), 'utf8'));
await server.end('SIGKILL');
await postgres?.stop();
await s3?.stop();
await rm(data, { recursive: true, force: true });
await rm(faults, { recursive: true, force: true });
process.exit(bad === 0 ? 0 : 1);
