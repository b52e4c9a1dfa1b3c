/** The work of one thread: pictures and renders held against each other. See `ThreadPool`. */
import { parentPort } from 'node:worker_threads';
import type { Answer, Job } from '../../platform/threadPool.js';
import { compareView, type ViewPair } from './compareView.js';

parentPort?.on('message', async ({ id, data }: Job) => {
  let answer: Answer;
  try {
    answer = { id, result: await compareView(data as ViewPair) };
  } catch (error) {
    answer = { id, error: { message: error instanceof Error ? (error.stack ?? error.message) : String(error) } };
  }
  parentPort?.postMessage(answer);
});
