import type { ChildProcess } from 'node:child_process';
import { startProcess } from '../platform/modules.js';
import type { Answer, GpuFacts, GpuFigures } from './figures.js';
import type { ProbeCall, ProbeReady, ProbeReply, ProbeRequest, ProbeSettings } from './probe/process.js';

export interface VendorProbeOptions {
  /**
   * NVIDIA's library. Default: environment variable `PLINTH_NVML_LIBRARY`, else `libnvidia-ml.so.1` (on Windows
   * `nvml.dll`).
   */
  nvml?: string;
  /** Stands for `/sys`. Default: environment variable `PLINTH_SYSFS`, else `/sys`. */
  sysfs?: string;
  /** Seconds to wait for an answer. Default 5. */
  timeout?: number;
  /** Seconds after a hang before the interface is asked again. Default 60. */
  retryAfter?: number;
}

/** Seconds that the child may take to start. */
const START_LIMIT = 30;

/** What the vendors' interfaces answered. */
export interface VendorAnswer<T> {
  nvidia: Answer<T>;
  /** AMD and Intel. */
  others: Answer<T>;
}

/**
 * Asks the vendors' interfaces in a child process of its own. Every question has a time-out; after one, the child is
 * killed, and no other is started before it is gone and some time has passed. Neither a hanging nor a crashing driver
 * touches this process.
 */
export class VendorProbe {
  private readonly settings: ProbeSettings;
  private readonly timeout: number;
  private readonly retryAfter: number;
  private child: ChildProcess | undefined;
  /** The child has loaded its code. */
  private ready = false;
  private pending:
    | { id: number; ready: () => void; resolve: (reply: ProbeReply) => void; reject: (error: Error) => void }
    | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private nextId = 1;
  private call = '';
  private hang: { message: string; at: number } | undefined;
  private cachedFacts: Promise<VendorAnswer<GpuFacts>> | undefined;
  private readonly shared = new Map<string, Promise<unknown>>();

  constructor(options: VendorProbeOptions = {}) {
    const library = process.platform === 'win32' ? 'nvml.dll' : 'libnvidia-ml.so.1';
    this.settings = {
      nvml: options.nvml ?? process.env.PLINTH_NVML_LIBRARY ?? library,
      sysfs: options.sysfs ?? process.env.PLINTH_SYSFS ?? '/sys',
    };
    this.timeout = options.timeout ?? 5;
    this.retryAfter = options.retryAfter ?? 60;
  }

  /** Facts that do not change, asked for once; again only where the answer failed. */
  async facts(): Promise<VendorAnswer<GpuFacts>> {
    this.cachedFacts ??= this.ask<GpuFacts>('facts');
    const facts = await this.cachedFacts;
    if (facts.nvidia.status === 'failed' || facts.others.status === 'failed') this.cachedFacts = undefined;
    return facts;
  }

  /** Figures of the moment. Questions asked while one is under way share its answer. Never throws and never hangs. */
  figures(): Promise<VendorAnswer<GpuFigures>> {
    return this.ask<GpuFigures>('figures');
  }

  /** Ends the child. The probe can be used again. */
  close(): void {
    const { child } = this;
    if (!child || this.hang) return; // a hanging one has been killed already
    this.child = undefined;
    this.pending?.reject(new Error('The probe was closed'));
    child.kill('SIGKILL');
  }

  private ask<T>(operation: ProbeRequest['operation']): Promise<VendorAnswer<T>> {
    const running = this.shared.get(operation);
    if (running) return running as Promise<VendorAnswer<T>>;
    const asked = this.last.then(() => this.askNow<T>(operation));
    this.last = asked;
    this.shared.set(operation, asked);
    void asked.then(() => this.shared.delete(operation));
    return asked;
  }

  private async askNow<T>(operation: ProbeRequest['operation']): Promise<VendorAnswer<T>> {
    if (this.hang && (this.child || performance.now() - this.hang.at < this.retryAfter * 1000))
      return failed(`${this.hang.message}; not asked again yet`, true);
    this.hang = undefined;
    try {
      const reply = await this.exchange(operation);
      return { nvidia: reply.nvidia, others: reply.others } as VendorAnswer<T>;
    } catch (error) {
      return failed((error as Error).message, this.hang !== undefined);
    }
  }

  private exchange(operation: ProbeRequest['operation']): Promise<ProbeReply> {
    const child = this.child ?? this.start();
    const request: ProbeRequest = { id: this.nextId++, operation };
    return new Promise<ProbeReply>((resolve, reject) => {
      let timer: NodeJS.Timeout;
      const limit = (seconds: number, message: () => string): void => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          this.hang = { message: message(), at: performance.now() };
          // Killed, it stays known until it is really gone, which a driver can delay for ever.
          child.kill('SIGKILL');
          this.pending?.reject(new Error(this.hang.message));
        }, seconds * 1000);
      };
      this.pending = {
        id: request.id,
        // The start of a process on a busy machine is no fault of the driver's.
        ready: () =>
          limit(this.timeout, () => {
            const place = this.call ? ` (in ${this.call})` : '';
            return `The GPU's management interface did not answer within ${this.timeout} s${place}`;
          }),
        resolve: (reply) => {
          clearTimeout(timer);
          this.pending = undefined;
          resolve(reply);
        },
        reject: (error) => {
          clearTimeout(timer);
          this.pending = undefined;
          reject(error);
        },
      };
      limit(START_LIMIT, () => `The GPU probe did not start within ${START_LIMIT} s`);
      if (this.ready) this.pending.ready();
      child.send(request, (error) => {
        if (error) this.pending?.reject(error);
      });
    });
  }

  private start(): ChildProcess {
    const child = startProcess(new URL('./probe/process', import.meta.url), [], {
      env: { ...process.env, PLINTH_PROBE_SETTINGS: JSON.stringify(this.settings), UV_THREADPOOL_SIZE: '2' },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.call = '';
    this.ready = false;
    child.on('message', (message: ProbeReply | ProbeCall | ProbeReady) => {
      if (this.child !== child) return;
      if ('ready' in message) {
        this.ready = true;
        this.pending?.ready();
      } else if ('calling' in message) this.call = message.calling;
      else if (this.pending?.id === message.id) this.pending.resolve(message);
    });
    const gone = (reason: string): void => {
      if (this.child !== child) return;
      this.child = undefined;
      this.pending?.reject(new Error(reason));
    };
    child.on('error', (error) => gone(`The GPU probe could not be started: ${error.message}`));
    child.on('exit', (code, signal) => {
      const place = this.call ? ` in ${this.call}` : '';
      gone(`The GPU's management interface crashed${place} (${signal ?? `exit code ${code}`})`);
    });
    // Neither the child nor its channel keeps this process alive.
    child.unref();
    child.channel?.unref();
    this.child = child;
    return child;
  }
}

function failed<T>(message: string, hung: boolean): VendorAnswer<T> {
  return { nvidia: { status: 'failed', message, hung }, others: { status: 'failed', message, hung } };
}
