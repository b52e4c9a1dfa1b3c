/** A server (or worker) in a process of its own, to be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { STAND_IN } from './testServer.js';

export interface ServerProcess {
  url: string;
  process: ChildProcess;
  /** Process ids of its worker processes, and of none of its other children. */
  workers(): Promise<number[]>;
  /** Sends the signal and waits for the end. Answers the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export async function startServerProcess(
  data: string,
  options: { databaseUrl?: string; environment?: Record<string, string>; mode?: 'serve' | 'worker' } = {},
): Promise<ServerProcess> {
  const main = fileURLToPath(new URL('./serverMain.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', main, options.mode ?? 'serve'], {
    env: {
      ...process.env,
      PLINTH_PORT: '0',
      PLINTH_DATA: data,
      PLINTH_LOG_LEVEL: 'silent',
      PLINTH_WORKER_ENGINE: STAND_IN,
      PLINTH_RETENTION_MINIMUM_FREE_BYTES: '0',
      PLINTH_LIMITS_REQUESTS_PER_MINUTE: '1000000',
      PLINTH_LIMITS_FAILURES_PER_MINUTE: '1000000',
      ...(options.databaseUrl && { DATABASE_URL: options.databaseUrl }),
      ...options.environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const match = /^ready (\S+)$/m.exec(text);
      if (match) resolve(match[1]);
    });
    void ended.then((code) => reject(new Error(`the server ended with code ${code}: ${text}`)));
  });
  return {
    url,
    process: child,
    async workers() {
      const { execFileSync } = await import('node:child_process');
      try {
        return execFileSync('pgrep', ['-P', String(child.pid), '-f', 'workerMain'], { encoding: 'utf8' })
          .trim()
          .split('\n')
          .map(Number);
      } catch {
        return [];
      }
    },
    async end(signal) {
      child.kill(signal);
      return await ended;
    },
  };
}
