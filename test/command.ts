import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const ROOT = join(fileURLToPath(new URL('..', import.meta.url)));
export const example = (name: string): string => join(ROOT, 'examples/captures', name);

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * How `plinth` is started: as built, which `npm test` sees to, or from the sources, where `npm run test:file` and
 * `test:watch` ask for that in PLINTH_TEST_SOURCES.
 */
const COMMAND =
  process.env.PLINTH_TEST_SOURCES === '1'
    ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href, join(ROOT, 'src/cli/main.ts')]
    : [join(ROOT, 'bin/plinth.js')];

/** Starts the `plinth` command. @param environment besides that of this process */
export function startPlinth(
  args: readonly string[],
  environment: Record<string, string> = {},
): { child: ChildProcess; finished: Promise<Finished> } {
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, [...COMMAND, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
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

/** The same with more environment variables. */
export const plinthIn = async (environment: Record<string, string>, ...args: string[]): Promise<Finished> =>
  await startPlinth(args, environment).finished;
