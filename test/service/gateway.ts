/** A real S3-compatible server with one bucket, where the program of one is installed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './cluster.js';

export interface Gateway {
  url: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  stop(): Promise<void>;
}

/** versitygw (Apache-2.0): `go install github.com/versity/versitygw/cmd/versitygw@v1.8.0`. Absent: not installed. */
export function gatewayProgram(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), join(homedir(), 'go/bin')];
  return folders.map((folder) => join(folder, 'versitygw')).find((path) => existsSync(path));
}

export async function startGateway(): Promise<Gateway> {
  const program = gatewayProgram();
  if (!program) throw new Error('versitygw is not installed');
  const folder = await mkdtemp(join(tmpdir(), 'plinth-gateway-'));
  const facts = { bucket: 'plinth', accessKeyId: 'plinth', secretAccessKey: 'a-secret-key-for-tests' };
  // Folders below the one that is served are its buckets.
  await mkdir(join(folder, facts.bucket));
  const port = await freePort();
  const keys = ['--access', facts.accessKeyId, '--secret', facts.secretAccessKey];
  const server: ChildProcess = spawn(program, [...keys, '--port', `127.0.0.1:${port}`, '--quiet', 'posix', folder], {
    stdio: 'ignore',
    cwd: folder,
  });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(url).catch(() => undefined))) {
    if (server.exitCode !== null) throw new Error(`versitygw ended with code ${server.exitCode}`);
    await sleep(50);
  }
  return {
    url,
    ...facts,
    async stop() {
      server.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
