import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PrivatePostgres, postgresPrograms, startPostgres } from './postgres.js';
import { type ServerProcess, startServerProcess } from './serverProcess.js';

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

if (!postgresPrograms()) console.warn('PostgreSQL is not installed (apt-get install postgresql): workers are left out');

describe.skipIf(!postgresPrograms())('a worker without the API', () => {
  let postgres: PrivatePostgres;
  const data = mkdtempSync(join(tmpdir(), 'plinth-worker-'));
  const started: ServerProcess[] = [];
  afterEach(() => {
    for (const worker of started.splice(0)) worker.process.kill('SIGKILL');
  });
  const start = async (environment: Record<string, string>): Promise<ServerProcess> => {
    const databaseUrl = await postgres.createDatabase();
    const worker = await startServerProcess(data, { mode: 'worker', databaseUrl, environment });
    started.push(worker);
    return worker;
  };
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(async () => {
    await postgres.stop();
    rmSync(data, { recursive: true, force: true });
  });

  it('answers health and metrics on its own port, nothing else, and ends with 0', async () => {
    const port = await freePort();
    const worker = await start({ PLINTH_WORKER_HEALTH_PORT: String(port) });
    const ask = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
    expect((await ask('/health/live')).status).toBe(200);
    const ready = async (): Promise<unknown> => (await ask('/health/ready')).json();
    // Its process may still be starting.
    await expect.poll(ready).toMatchObject({ status: 'healthy', workers: [{ own: true }] });
    expect((await ask('/health/ready')).status).toBe(200);
    expect(await (await ask('/metrics')).text()).toContain('plinth_workers');
    expect((await ask('/v1/jobs')).status).toBe(404);
    expect(await worker.end('SIGTERM')).toBe(0);
  });

  it('asks for an API key where others can reach its metrics', async () => {
    const port = await freePort();
    const worker = await start({ PLINTH_WORKER_HEALTH_PORT: String(port), PLINTH_AUTH_MODE: 'on' });
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
    const refused = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await worker.end('SIGTERM')).toBe(0);
  });
});
