import { Worker } from 'node:worker_threads';

const LOOK_MS = 500;

/**
 * Ends this process when its parent is gone, whatever it is doing: a thread of its own looks, since the event loop may
 * be busy for minutes and a driver may never return. A process whose parent ended is given to another one, which shows
 * in the parent's id.
 */
export function dieWithParent(): void {
  const watch = new Worker(
    `const { ppid } = process;
     setInterval(() => process.ppid === ppid || process.kill(process.pid, 'SIGKILL'), ${LOOK_MS});`,
    {
      eval: true,
      execArgv: [],
      stdout: false,
      resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2 },
    },
  );
  watch.unref();
}
