/** A real server on a loopback port with the stand-in engine, on the embedded database or a private PostgreSQL. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '../../src/api/job.js';
import { type RunningServer, type ServeHooks, startServer } from '../../src/server/serve.js';
import { loadSettings, type Settings } from '../../src/server/settings.js';
import { PIXEL } from './standInEngine.js';
import { copyDatabase } from './template.js';

export const STAND_IN = new URL('./standInEngine.ts', import.meta.url).href;

export interface TestServer extends RunningServer {
  settings: Settings;
  /** `fetch` against the server; a key in `authorization` is the caller's. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** Submits pictures whose names tell the stand-in what to do, such as `do-slow-5`. */
  submit(does?: string[], fields?: Record<string, string>, headers?: Record<string, string>): Promise<Job>;
  /** Waits until the job is in one of the states. */
  until(id: string, ...states: string[]): Promise<Job>;
  /** Stops the server and removes its data. */
  destroy(): Promise<void>;
}

export interface TestServerOptions {
  databaseUrl?: string;
  data?: string;
  flags?: Record<string, unknown>;
  hooks?: ServeHooks;
}

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), 'plinth-test-')));
  if (!options.data && !options.databaseUrl) await copyDatabase(data);
  const settings = loadSettings({
    environment: {},
    flags: {
      port: 0,
      data,
      'database.url': options.databaseUrl,
      'worker.engine': STAND_IN,
      'log.level': process.env.TEST_LOG ?? 'silent',
      'retention.minimumFreeBytes': 0,
      'limits.requestsPerMinute': 1_000_000,
      'limits.failuresPerMinute': 1_000_000,
      ...options.flags,
    },
  }).value;
  const server = await startServer(settings, options.hooks);
  const ask = (path: string, init?: RequestInit): Promise<Response> => fetch(server.url + path, init);
  return {
    ...server,
    settings,
    ask,
    async submit(does = [], fields = {}, headers = {}) {
      const response = await ask('/v1/jobs', { method: 'POST', body: captureForm(does, fields), headers });
      const body = await response.json();
      if (response.status !== 202) throw new Error(`${response.status} ${JSON.stringify(body)}`);
      return body as Job;
    },
    async until(id, ...states) {
      const deadline = Date.now() + 300_000;
      for (;;) {
        const job = (await (await ask(`/v1/jobs/${id}`)).json()) as Job;
        if (states.includes(job.state)) return job;
        if (Date.now() > deadline || !job.state) throw new Error(`job is ${JSON.stringify(job)}, wanted ${states}`);
        await sleep(50);
      }
    },
    async destroy() {
      await server.close();
      await rm(data, { recursive: true, force: true });
    },
  };
}

/**
 * A form that passes for a capture: metadata, a picture, and pictures whose names are orders for the stand-in engine.
 */
export function captureForm(does: string[] = [], fields: Record<string, string> = {}): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.append('files', new Blob(['{"frames": []}']), 'transforms.json');
  for (const name of ['r_0', ...does.map((d) => `do-${d}`)]) form.append('files', new Blob([PIXEL]), `${name}.png`);
  return form;
}
