/** Runs `cleanSurface` in a thread: see `runInThread`. */
import { parentPort, workerData } from 'node:worker_threads';
import { type CleanJob, cleanSurface } from './cleanSurface.js';

const result = await cleanSurface(workerData.data as CleanJob, (progress) => parentPort?.postMessage({ progress }));
parentPort?.postMessage({ result });
