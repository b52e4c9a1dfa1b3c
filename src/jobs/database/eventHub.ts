import type { Database } from './database.js';
import { JOB_CHANNEL } from './jobStore.js';

/** Listeners look for events at least this often, should a notification be lost. */
const POLL_MS = 2_000;

/** Tells watchers of a job that something about it changed, whichever process changed it. */
export class EventHub {
  private readonly watchers = new Map<string, Set<() => void>>();
  private unlisten: (() => Promise<void>) | undefined;

  async open(db: Database): Promise<void> {
    this.unlisten = await db.listen(JOB_CHANNEL, (job) => {
      for (const wake of this.watchers.get(job) ?? []) wake();
    });
  }

  /**
   * Resolves at the next change of the job, after two seconds, or when the signal is aborted. Take it before looking,
   * so that none is missed.
   */
  changed(job: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const watchers = this.watchers.get(job) ?? new Set();
      this.watchers.set(job, watchers);
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        watchers.delete(wake);
        if (watchers.size === 0 && this.watchers.get(job) === watchers) this.watchers.delete(job);
        resolve();
      };
      const timer = setTimeout(wake, POLL_MS);
      signal.addEventListener('abort', wake, { once: true });
      watchers.add(wake);
      if (signal.aborted) wake();
    });
  }

  async close(): Promise<void> {
    await this.unlisten?.();
    for (const watchers of [...this.watchers.values()]) for (const wake of [...watchers]) wake();
  }
}
