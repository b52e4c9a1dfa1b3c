/**
 * Lists, searches and submissions with many jobs in the database, over HTTP: `tsx bench/service/list.ts [jobs = 100000]
 * [rounds = 100]`, on the embedded database and, where it is installed, PostgreSQL.
 */
import type { PrivatePostgres } from '../../test/service/postgres.js';
import { postgresPrograms, startPostgres } from '../../test/service/postgres.js';
import { seedJobs } from '../../test/service/seedJobs.js';
import { startTestServer, type TestServer } from '../../test/service/testServer.js';

const jobs = Number(process.argv[2] ?? 100_000);
const rounds = Number(process.argv[3] ?? 100);

/** Milliseconds of each call: the median and the 95th percentile. */
async function time(count: number, call: (round: number) => Promise<unknown>): Promise<{ p50: number; p95: number }> {
  const taken: number[] = [];
  for (let round = 0; round < count; round++) {
    const begin = performance.now();
    await call(round);
    taken.push(performance.now() - begin);
  }
  taken.sort((a, b) => a - b);
  const at = (share: number): number => Number(taken[Math.floor((taken.length - 1) * share)].toFixed(1));
  return { p50: at(0.5), p95: at(0.95) };
}

async function measure(server: TestServer): Promise<Record<string, unknown>> {
  const { db } = server.service;
  const seeded = performance.now();
  await seedJobs(db, jobs);
  const seedSeconds = Math.round((performance.now() - seeded) / 1000);
  const read = async (path: string): Promise<{ jobs: { id: string }[]; next: string | null }> => {
    const response = await server.ask(path);
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as { jobs: { id: string }[]; next: string | null };
  };
  const lists: Record<string, string> = {
    list: '/v1/jobs',
    listLong: '/v1/jobs?limit=200',
    listRareState: '/v1/jobs?state=failed',
    listStates: '/v1/jobs?state=queued,failed',
    searchCommon: '/v1/jobs?search=capture',
    searchRare: `/v1/jobs?search=number%20${Math.floor(jobs / 2)}`,
    searchNothing: '/v1/jobs?search=nowhere',
    searchTwoLetters: '/v1/jobs?search=ca',
    searchInState: '/v1/jobs?state=failed&search=capture',
  };
  const result: Record<string, unknown> = { database: db.kind, jobs, seedSeconds };
  for (const [name, path] of Object.entries(lists)) {
    await read(path);
    result[name] = await time(rounds, () => read(path));
  }
  let next: string | null = null;
  for (let page = 0; page < 20; page++) {
    next = (await read(`/v1/jobs?limit=200${next ? `&cursor=${encodeURIComponent(next)}` : ''}`)).next;
  }
  const deep = `/v1/jobs?cursor=${encodeURIComponent(next ?? '')}`;
  if (next) result.listDeep = await time(rounds, () => read(deep));
  const { id } = await server.submit();
  result.submit = await time(rounds, () => server.submit());
  result.counts = await time(rounds, () => server.service.store.counts());
  result.getUnder50Lists = await time(10, async () => {
    const others = Array.from({ length: 50 }, () => read('/v1/jobs'));
    const begin = performance.now();
    await server.ask(`/v1/jobs/${id}`);
    const own = performance.now() - begin;
    await Promise.all(others);
    return own;
  });
  return result;
}

for (const kind of ['embedded', 'postgres'] as const) {
  let postgres: PrivatePostgres | undefined;
  if (kind === 'postgres') {
    if (!postgresPrograms()) continue;
    postgres = await startPostgres();
  }
  const server = await startTestServer({
    databaseUrl: await postgres?.createDatabase(),
    flags: { 'worker.adapters': '' },
  });
  console.log(JSON.stringify(await measure(server), null, 1));
  await server.destroy();
  await postgres?.stop();
}
process.exit(0);
