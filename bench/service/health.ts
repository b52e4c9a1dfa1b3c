/**
 * `/health` asked by 200 clients at once while a job runs: 99th percentile of the time to answer, and errors. `tsx
 * bench/service/health.ts`
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Job } from '../../src/api/job.js';
import { startServerProcess } from '../../test/service/serverProcess.js';
import { captureForm } from '../../test/service/testServer.js';

const CLIENTS = 200;
const SECONDS = 10;
/** Each client asks this often; probes and dashboards do not ask faster. */
const PAUSE_MS = 1_000;
const data = await mkdtemp(join(tmpdir(), 'plinth-health-'));
const server = await startServerProcess(data);
const response = await fetch(`${server.url}/v1/jobs`, { method: 'POST', body: captureForm(['slow-40']) });
const { id } = (await response.json()) as Job;
while (((await (await fetch(`${server.url}/v1/jobs/${id}`)).json()) as Job).progress === null) {
  await new Promise((resolve) => setTimeout(resolve, 100));
}
const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
const times: number[] = [];
let errors = 0;

/** Processor time that the server has taken. Says what a request costs however busy the machine is. */
async function cpuMs(): Promise<number> {
  const text = await readFile(`/proc/${server.process.pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const ask = (): Promise<void> =>
  new Promise((resolve) => {
    const begin = performance.now();
    get(`${server.url}/health`, { agent }, (answer) => {
      answer.resume();
      answer.once('end', () => {
        times.push(performance.now() - begin);
        if (answer.statusCode !== 200) errors++;
        resolve();
      });
    }).once('error', () => {
      errors++;
      resolve();
    });
  });
const end = performance.now() + SECONDS * 1000;
await Promise.all(
  Array.from({ length: CLIENTS }, async (_, i) => {
    await new Promise((resolve) => setTimeout(resolve, (i * PAUSE_MS) / CLIENTS));
    while (performance.now() < end) {
      await ask();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }),
);
// And all at the same moment.
const spread = [...times].sort((a, b) => a - b);
times.length = 0;
const cpuBefore = await cpuMs();
for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: CLIENTS }, ask));
const burst = [...times].sort((a, b) => a - b);
const cpu = (await cpuMs()) - cpuBefore;
const job = (await (await fetch(`${server.url}/v1/jobs/${id}`)).json()) as Job;
const at = (sorted: number[], share: number): number => Number(sorted[Math.floor(sorted.length * share)].toFixed(1));
console.log(
  JSON.stringify({
    clients: CLIENTS,
    errors,
    jobState: job.state,
    spread: { requests: spread.length, p50: at(spread, 0.5), p99: at(spread, 0.99) },
    cpuMsPerRequest: Number((cpu / burst.length).toFixed(2)),
    burst: { requests: burst.length, p50: at(burst, 0.5), p99: at(burst, 0.99) },
  }),
);
agent.destroy();
await server.end('SIGKILL');
await rm(data, { recursive: true, force: true });
