/** Runs in a thread: does the task that `runInThread` sent it with. */
import { parentPort, workerData } from 'node:worker_threads';

export interface ThreadJob {
  /** URL of the module that exports the task's function. */
  module: string;
  name: string;
  job: unknown;
}

export type ThreadMessage = { progress: number } | { result: unknown };

type Task = (job: unknown, progress: (fraction: number) => void) => unknown;

const send = (message: ThreadMessage): void => parentPort?.postMessage(message);
const { module, name, job } = workerData.data as ThreadJob;
const task = ((await import(module)) as Record<string, Task>)[name];
send({ result: await task(job, (progress) => send({ progress })) });
