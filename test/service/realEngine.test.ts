/**
 * The service with Plinth's own engine: methods in turn on one capture, and what a killed or stopped worker had
 * reached.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PlinthClient } from '../../src/api/client.js';
import { type ServerProcess, startServerProcess } from './serverProcess.js';
import { copyDatabase } from './template.js';

// Real work on what may be a busy CPU.
vi.setConfig({ testTimeout: 1_800_000 });

const ENGINE = new URL('../../src/jobs/worker/reconstructEngine.ts', import.meta.url).href;
const FUSION = {
  method: 'fusion',
  preset: 'draft',
  options: { maxResolution: 48, textureSize: 256, triangles: 2000 },
} as const;
const OPTIMISED = {
  method: 'nvdiffrec',
  preset: 'draft',
  options: { iterations: 200, batch: 2, imageSize: 96, textureSize: 128, triangles: 1000, resolution: 48 },
} as const;

let data: string;
let server: ServerProcess;
let client: PlinthClient;
const start = async (): Promise<void> => {
  server = await startServerProcess(data, { environment: { PLINTH_WORKER_ENGINE: ENGINE } });
  client = new PlinthClient({ url: server.url });
};
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'plinth-real-'));
  await copyDatabase(data);
  await start();
});
afterEach(async () => {
  await server.end('SIGKILL');
  await rm(data, { recursive: true, force: true });
});

/** Waits until steps of the optimisation are done. */
async function optimising(id: string): Promise<void> {
  for (;;) {
    const { state, progress, failure } = await client.get(id);
    expect(['queued', 'running'], failure?.message).toContain(state);
    if (progress?.stage === 'optimise' && progress.fraction > 0) return;
    await sleep(50);
  }
}

interface Quality {
  method: { facts?: { resumedAt?: number } };
}

/** What the log says of one attempt. */
async function attemptLog(id: string, attempt: number): Promise<string> {
  const log = await (await fetch(`${server.url}/v1/jobs/${id}/log`)).text();
  return log.slice(log.indexOf(`attempt ${attempt}:`));
}

test(
  'methods run in turn and are compared; kill -9 of the worker costs neither the finished run nor the start of ' +
    'the other',
  async () => {
    const { id } = await client.submitStored(
      { example: 'vase-six' },
      { methods: [FUSION, OPTIMISED], formats: ['glb'] },
    );
    await optimising(id);
    const [worker] = await server.workers();
    process.kill(worker, 'SIGKILL');
    const job = await client.wait(id);
    expect(job).toMatchObject({ state: 'succeeded', attempt: 2, failure: null });
    expect(job.result!.runs.map((r) => [r.name, r.quality?.status !== undefined])).toEqual([
      ['fusion', true],
      ['nvdiffrec', true],
    ]);
    expect(['fusion', 'nvdiffrec']).toContain(job.result!.best);
    expect(job.result!.comparison).toMatch(/fusion|nvdiffrec/);
    const names = (await client.files(id)).map((f) => f.name);
    for (const name of ['fusion/asset.glb', 'nvdiffrec/asset.glb', 'comparison.json']) expect(names).toContain(name);
    // The second attempt made neither the first run nor the start of the second one anew.
    const log = await attemptLog(id, 2);
    expect(log).not.toContain('fusion: ');
    const quality = (await (await client.file(id, 'nvdiffrec/quality.json')).json()) as Quality;
    expect(quality.method.facts?.resumedAt).toBeGreaterThanOrEqual(0);
  },
);

test('SIGTERM ends the optimisation at the step that it has reached, and it goes on from there', async () => {
  const { id } = await client.submitStored({ example: 'vase-six' }, { methods: [OPTIMISED], formats: ['glb'] });
  await optimising(id);
  expect(await server.end('SIGTERM')).toBe(0);
  await start();
  const job = await client.wait(id);
  expect(job).toMatchObject({ state: 'succeeded', attempt: 2, failure: null });
  const quality = (await (await client.file(id, 'quality.json')).json()) as Quality;
  expect(quality.method.facts?.resumedAt).toBeGreaterThan(0);
});
