/** The work of one thread: the cut of a photo. See `ThreadPool`. */
import { parentPort } from 'node:worker_threads';
import type { Answer, Job } from '../platform/threadPool.js';
import { type CutJob, cutPhoto } from './cutPhoto.js';

parentPort?.on('message', ({ id, data }: Job) => {
  try {
    parentPort?.postMessage({ id, result: cutPhoto(data as CutJob) } satisfies Answer);
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    parentPort?.postMessage({ id, error: { message } } satisfies Answer);
  }
});
