import { Worker } from 'node:worker_threads';
import { PlinthError, toPlinthError } from '../../core/errors.js';

/** What a module that runs in a thread sends. */
export type ThreadMessage<Result> = { progress: number } | { result: Result };

/**
 * Runs a module in a thread of its own and returns its result, so that long synchronous work (WebAssembly) neither blocks the event loop
 * nor outlives a cancellation: aborting ends the thread at once.
 *
 * The module reads `workerData` and posts `ThreadMessage`s. From a source tree that runs through tsx or vitest the module is TypeScript,
 * which a thread cannot load by itself: there it starts through tsx.
 *
 * @param module URL without extension: `new URL('./name', import.meta.url)`. It is of the same form (.ts or .js) as this file.
 * @throws CANCELLED, or whatever the module threw, as INTERNAL.
 */
export function runInThread<Result>(
  module: URL,
  data: unknown,
  options: { signal?: AbortSignal; progress?: (fraction: number) => void } = {},
): Promise<Result> {
  const { signal, progress } = options;
  const cancelled = () => new PlinthError('CANCELLED', 'The work was cancelled');
  if (signal?.aborted) return Promise.reject(cancelled());
  const bootstrap = `
    const { workerData } = require('node:worker_threads');
    const start = async () => {
      if (workerData.module.endsWith('.ts')) (await import(workerData.loader)).register();
      await import(workerData.module);
    };
    start().catch((error) => setImmediate(() => { throw error; }));`;
  const typescript = import.meta.url.endsWith('.ts');
  const loader = typescript ? import.meta.resolve('tsx/esm/api') : undefined;
  const worker = new Worker(bootstrap, {
    eval: true,
    execArgv: [],
    workerData: { module: `${module.href}${typescript ? '.ts' : '.js'}`, loader, data },
  });
  return new Promise<Result>((resolve, reject) => {
    const finish = (act: () => void) => {
      signal?.removeEventListener('abort', abort);
      worker.removeAllListeners();
      // Errors of a thread that is being ended are nobody's concern.
      worker.on('error', () => {});
      void worker.terminate().then(act, act);
    };
    const abort = () => finish(() => reject(cancelled()));
    signal?.addEventListener('abort', abort, { once: true });
    worker.on('message', (message: ThreadMessage<Result>) => {
      if ('progress' in message) progress?.(message.progress);
      else finish(() => resolve(message.result));
    });
    worker.on('error', (error) => finish(() => reject(toPlinthError(error))));
    worker.on('exit', (code) =>
      finish(() => reject(new PlinthError('INTERNAL', `A thread ended with code ${code} and no result`))),
    );
  });
}
