/** The work of one thread: features of a photo, matches and geometry of a pair. See `ThreadPool`. */
import { parentPort } from 'node:worker_threads';
import { PlinthError } from '../core/errors.js';
import type { Answer, Job } from '../platform/threadPool.js';
import { type FeatureJob, FeatureWork } from './features/extractPhoto.js';
import { type PairJob, PairWork } from './matching/matchPair.js';

export type PhotoJob = ({ kind: 'features' } & FeatureJob) | ({ kind: 'pair' } & PairJob);

const features = new FeatureWork();
const pairs = new PairWork();

parentPort?.on('message', async ({ id, data }: Job) => {
  try {
    const job = data as PhotoJob;
    const result = job.kind === 'features' ? await features.run(job) : pairs.run(job);
    parentPort?.postMessage({ id, result } satisfies Answer);
  } catch (error) {
    const code = error instanceof PlinthError ? error.code : undefined;
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    parentPort?.postMessage({
      id,
      error: { code, message: code ? (error as Error).message : message },
    } satisfies Answer);
  }
});
