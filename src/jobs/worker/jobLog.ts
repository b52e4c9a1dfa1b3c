import { buffer } from 'node:stream/consumers';
import type { ArtifactStore } from '../storage/artifactStore.js';

export const logKey = (job: string): string => `jobs/${job}/log.txt`;

/** A log keeps its first and last half of this. */
const LIMIT_BYTES = 4 * 1024 * 1024;
const FLUSH_MS = 2_000;

/**
 * The log of one job, over all its attempts: text lines that begin with an ISO time. Written to the store every few
 * seconds.
 */
export class JobLog {
  private lines: string[] = [];
  private bytes = 0;
  private dropped = 0;
  private dirty = false;
  private writing: Promise<void> = Promise.resolve();
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly store: ArtifactStore,
    private readonly key: string,
    private readonly clean: (text: string) => string,
  ) {
    this.timer = setInterval(() => void this.flush(), FLUSH_MS);
    this.timer.unref();
  }

  /** Continues the log of earlier attempts. `clean` takes out of every text what clients need not know. */
  static async open(store: ArtifactStore, job: string, clean = (text: string): string => text): Promise<JobLog> {
    const log = new JobLog(store, logKey(job), clean);
    if (await store.stat(log.key)) {
      const text = (await buffer(await store.read(log.key))).toString('utf8');
      for (const line of text.split('\n')) if (line) log.push(line);
    }
    return log;
  }

  add(level: string, text: string): void {
    this.push(`${new Date().toISOString()} ${level.padEnd(5)} ${this.clean(text).replaceAll('\n', '\n    ')}`);
    this.dirty = true;
  }

  async flush(): Promise<void> {
    if (!this.dirty) return this.writing;
    this.dirty = false;
    const text = `${this.lines.join('\n')}\n`;
    this.writing = this.writing.then(() =>
      // A log that cannot be written must not end the job.
      this.store.put(this.key, Buffer.from(text)).catch(() => {
        this.dirty = true;
      }),
    );
    return this.writing;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  private push(line: string): void {
    this.lines.push(line);
    this.bytes += line.length + 1;
    if (this.bytes <= LIMIT_BYTES) return;
    const middle = Math.floor(this.lines.length / 2);
    const cut = this.lines.splice(middle - Math.floor(middle / 4), Math.max(1, Math.floor(middle / 2)));
    this.dropped += cut.length;
    this.bytes -= cut.reduce((sum, l) => sum + l.length + 1, 0);
    this.lines.splice(middle - Math.floor(middle / 4), 0, `… ${this.dropped} lines left out …`);
  }
}
