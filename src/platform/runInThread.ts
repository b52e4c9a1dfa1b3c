import { PlinthError, toPlinthError } from '../core/errors.js';
import type { RunInThread, ThreadHooks, ThreadTask } from '../core/platform.js';
import { moduleUrl, startThread } from './modules.js';
import type { ThreadJob, ThreadMessage } from './taskThread.js';

/** `RunInThread` by Node's worker threads. */
export const runInThread: RunInThread = <Job, Result>(
  task: ThreadTask<Job, Result>,
  job: Job,
  { signal, progress }: ThreadHooks = {},
): Promise<Result> => {
  const cancelled = () => new PlinthError('CANCELLED', 'The work was cancelled');
  if (signal?.aborted) return Promise.reject(cancelled());
  const order: ThreadJob = { module: moduleUrl(task.module).href, name: task.name, job };
  const worker = startThread(new URL('./taskThread', import.meta.url), order);
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
    worker.on('message', (message: ThreadMessage) => {
      if ('progress' in message) progress?.(message.progress);
      else finish(() => resolve(message.result as Result));
    });
    worker.on('error', (error) => finish(() => reject(toPlinthError(error))));
    worker.on('exit', (code) =>
      finish(() => reject(new PlinthError('INTERNAL', `A thread ended with code ${code} and no result`))),
    );
  });
};
