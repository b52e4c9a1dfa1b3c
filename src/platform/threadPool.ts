import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { PlinthError, toPlinthError } from '../core/errors.js';
import { startThread } from './modules.js';

/** What is sent to a thread, and what comes back. */
export interface Job {
  id: number;
  data: unknown;
}
export type Answer = { id: number; result: unknown } | { id: number; error: { code?: string; message: string } };

interface Waiting {
  data: unknown;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

/** Most threads: what each keeps for itself adds up. */
const MOST_THREADS = 8;

/**
 * Threads that all run one module, each with one job at a time. The module answers a `Job` with an `Answer`.
 */
export class ThreadPool {
  private readonly threads: { worker: Worker; job?: Waiting }[] = [];
  private readonly queue: Waiting[] = [];
  private next = 0;
  private closed = false;

  /** @param module URL without extension: `new URL('./name', import.meta.url)` */
  constructor(module: URL, count = Math.min(MOST_THREADS, availableParallelism())) {
    for (let i = 0; i < count; i++) {
      const worker = startThread(module, undefined);
      const thread: { worker: Worker; job?: Waiting } = { worker };
      worker.unref();
      worker.on('message', (answer: Answer) => {
        const { job } = thread;
        thread.job = undefined;
        if ('error' in answer) job?.reject(asError(answer.error));
        else job?.resolve(answer.result);
        this.feed();
      });
      worker.on('error', (error) => this.fail(toPlinthError(error)));
      worker.on('exit', () => this.fail(new PlinthError('INTERNAL', 'A thread ended without a result')));
      this.threads.push(thread);
    }
  }

  /** Runs one job in whichever thread is free next. */
  run<Result>(data: unknown): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.queue.push({ data, resolve: resolve as (result: unknown) => void, reject });
      this.feed();
    });
  }

  /** Ends all threads at once; what they work on is thrown away, and its promises fail with CANCELLED. */
  close(): void {
    this.fail(new PlinthError('CANCELLED', 'The work was cancelled'));
  }

  private feed(): void {
    for (const thread of this.threads) {
      if (this.closed || thread.job || this.queue.length === 0) continue;
      thread.job = this.queue.shift();
      thread.worker.postMessage({ id: this.next++, data: thread.job?.data } satisfies Job);
      thread.worker.ref();
    }
    for (const thread of this.threads) if (!thread.job) thread.worker.unref();
  }

  private fail(error: PlinthError): void {
    if (this.closed) return;
    this.closed = true;
    const waiting = [...this.threads.flatMap(({ job }) => job ?? []), ...this.queue.splice(0)];
    for (const { worker } of this.threads) {
      worker.removeAllListeners();
      worker.on('error', () => {});
      void worker.terminate();
    }
    for (const { reject } of waiting) reject(error);
  }
}

function asError({ code, message }: { code?: string; message: string }): PlinthError {
  return new PlinthError(code === 'IMAGE_UNREADABLE' ? code : 'INTERNAL', message);
}
