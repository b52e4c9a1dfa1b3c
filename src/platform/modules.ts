import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/**
 * Whether the program runs from its TypeScript sources, through tsx or vitest; a thread or process must be taught to
 * load them.
 */
const FROM_SOURCE = import.meta.url.endsWith('.ts');

/** The file of a module that is named without its extension: `new URL('./name', import.meta.url)`. */
export const moduleUrl = (module: URL): URL => new URL(`${module.href}${FROM_SOURCE ? '.ts' : '.js'}`);

/**
 * Starts a thread with a module of Plinth's, named without its extension. The module finds `data` as `workerData.data`.
 */
export function startThread(module: URL, data: unknown): Worker {
  // A thread's first module is loaded before anything could teach Node TypeScript, so the first one is JavaScript.
  const code = `
    const { workerData } = require('node:worker_threads');
    const start = async () => {
      if (workerData.loader) (await import(workerData.loader)).register();
      await import(workerData.module);
    };
    start().catch((error) => setImmediate(() => { throw error; }));`;
  const loader = FROM_SOURCE ? import.meta.resolve('tsx/esm/api') : undefined;
  return new Worker(code, { eval: true, execArgv: [], workerData: { module: moduleUrl(module).href, loader, data } });
}

/** Starts a process with a module of Plinth's, named without its extension, as `fork` does. */
export function startProcess(module: URL, args: readonly string[], options: ForkOptions): ChildProcess {
  const execArgv = FROM_SOURCE ? ['--import', import.meta.resolve('tsx')] : [];
  return fork(fileURLToPath(moduleUrl(module)), args, { ...options, execArgv });
}
