/** Runs `chartSurface` in a thread: see `runInThread`. */
import { parentPort, workerData } from 'node:worker_threads';
import { type ChartJob, chartSurface } from './chartSurface.js';

const result = await chartSurface(workerData.data as ChartJob, (progress) => parentPort?.postMessage({ progress }));
parentPort?.postMessage({ result });
