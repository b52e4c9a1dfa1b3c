import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(fileURLToPath(new URL('..', import.meta.url)));
export const example = (name: string): string => join(ROOT, 'examples/captures', name);

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts the built `plinth` command; `npm test` builds it first. */
export function startPlinth(args: readonly string[]): { child: ChildProcess; finished: Promise<Finished> } {
  const child = spawn(process.execPath, [join(ROOT, 'bin/plinth.js'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (d) => {
    stdout += d;
  });
  child.stderr!.on('data', (d) => {
    stderr += d;
  });
  const finished = new Promise<Finished>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
  return { child, finished };
}

export const plinth = async (...args: string[]): Promise<Finished> => await startPlinth(args).finished;
