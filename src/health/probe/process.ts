/**
 * Main module of the probe's child process. A driver that hangs keeps the thread that called it for good, and a process
 * with such a thread cannot even exit in order; so vendor interfaces are called here, where the parent can kill.
 */
import type { Answer, GpuFacts, GpuFigures } from '../figures.js';
import { NvidiaReader } from './nvidia.js';
import { SysfsReader } from './sysfs.js';

export interface ProbeSettings {
  /** Path or name of NVIDIA's library. */
  nvml: string;
  /** Stands for `/sys`. */
  sysfs: string;
}

export interface ProbeRequest {
  id: number;
  operation: 'facts' | 'figures';
}

export interface ProbeReply {
  id: number;
  nvidia: Answer<GpuFacts | GpuFigures>;
  others: Answer<GpuFacts | GpuFigures>;
}

/** Sent on each call into a vendor's library, so that the parent can name the one that hangs. */
export interface ProbeCall {
  calling: string;
}

/** Sent once, when the child can be asked. */
export interface ProbeReady {
  ready: true;
}

function main(): void {
  const send = (message: ProbeReply | ProbeCall | ProbeReady): void => {
    if (process.connected) process.send?.(message);
  };
  const settings = JSON.parse(process.env.PLINTH_PROBE_SETTINGS ?? '{}') as ProbeSettings;
  const nvidia = new NvidiaReader(settings.nvml, (name) => {
    if (name) send({ calling: name });
  });
  const others = new SysfsReader(settings.sysfs);
  let last: Promise<void> = Promise.resolve();
  process.on('message', ({ id, operation }: ProbeRequest) => {
    // One at a time: the libraries are told the same things twice at once by nobody else.
    last = last.then(async () => {
      if (operation === 'facts') send({ id, nvidia: await nvidia.facts(), others: await others.facts() });
      else send({ id, nvidia: await nvidia.figures(), others: await others.figures() });
    });
  });
  // An orderly exit would wait for a hanging thread.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  send({ ready: true });
}

main();
