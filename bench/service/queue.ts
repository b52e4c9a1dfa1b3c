/**
 * 1,000 jobs of a stand-in method on PostgreSQL with four worker processes: every job must run once; queue overhead is
 * what a job costs a worker beyond the stand-in's own time. `tsx bench/service/queue.ts [jobs = 1000] [workers = 4]`
 */
import { readFile } from 'node:fs/promises';
import { startPostgres } from '../../test/service/postgres.js';
import { startTestServer } from '../../test/service/testServer.js';

const jobs = Number(process.argv[2] ?? 1000);
const workers = Number(process.argv[3] ?? 4);
const postgres = await startPostgres();
const databaseUrl = await postgres.createDatabase();
// All jobs wait before the first begins, so that accepting them does not count.
const api = await startTestServer({ databaseUrl, flags: { 'worker.adapters': '' } });
const ids: string[] = [];
const submitted = performance.now();
while (ids.length < jobs) {
  const batch = await Promise.all(Array.from({ length: Math.min(8, jobs - ids.length) }, () => api.submit(['plain'])));
  ids.push(...batch.map((j) => j.id));
}
const acceptMs = (performance.now() - submitted) / jobs;
const pool = await startTestServer({
  databaseUrl,
  data: api.settings.data,
  flags: { 'worker.adapters': Array.from({ length: workers }, (_, i) => `stand-in-${i}`).join(',') },
});
const { db } = api.service;
for (;;) {
  const { queued, running } = await api.service.store.counts();
  if (queued + running === 0) break;
  await new Promise((resolve) => setTimeout(resolve, 100));
}
const [row] = await db.query<{ seconds: number; once: number; own: number; events: number }>(
  `SELECT extract(epoch FROM max(finished_at) - min(started_at))::double precision AS seconds,
     count(*) FILTER (WHERE attempt = 1 AND state = 'succeeded')::int AS once,
     sum((result->'runs'->0->>'seconds')::double precision) AS own FROM plinth.jobs`,
);
let wrong = 0;
for (const id of ids) {
  const job = await api.service.store.get(id);
  const quality = JSON.parse(
    await readFile(`${api.settings.data}/store/jobs/${id}/results/${job.resultClaim}/quality.json`, 'utf8'),
  ) as { job: string };
  if (quality.job !== id) wrong++;
}
console.log(
  JSON.stringify({
    jobs,
    workers,
    succeededAtFirstAttempt: row.once,
    wrongResults: wrong,
    acceptMs: Number(acceptMs.toFixed(1)),
    seconds: Number(row.seconds.toFixed(1)),
    wallMsPerJob: Number(((row.seconds * 1000) / jobs).toFixed(1)),
    overheadMsPerJobAndWorker: Number((((row.seconds * workers - row.own) * 1000) / jobs).toFixed(1)),
  }),
);
await pool.close();
await api.destroy();
await postgres.stop();
process.exit(row.once === jobs && wrong === 0 ? 0 : 1);
