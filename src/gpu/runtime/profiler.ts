import type { Profile, ProfileSpan, ProfileStage } from './profile.js';

/** Queries of one set: two a pass. A set holds at most 4,096; long batches take several. */
const QUERIES = 512;
const BYTES_OF_SET = QUERIES * 8;

type PassKind = 'compute' | 'render';

interface Pass {
  name: string;
  kind: PassKind;
  calls: number;
}

/** A batch that has been submitted: its passes, and what was read of their times. */
interface Submitted {
  stage?: string;
  passes: Pass[];
  /** Milliseconds of `performance.now()`. */
  at: number;
  /** Begin and end of each pass in nanoseconds of the device's clock. */
  times: BigUint64Array;
}

/**
 * Keeps the times of a device's work: with the feature `timestamp-query` those of each pass, else those of each
 * submission. It changes nothing about the work but where compute passes end.
 */
export class Profiler {
  readonly timestamps: boolean;
  private readonly device: GPUDevice;
  private readonly name: string;
  private readonly sets: GPUQuerySet[] = [];
  private readonly pending = new Set<Promise<void>>();
  private submitted: Submitted[] = [];
  private waits: { span: ProfileSpan; begin: number }[] = [];
  private stages: { name: string; begin: number; end?: number }[] = [];
  private begin = performance.now();
  private lost = 0;

  constructor(device: GPUDevice, name: string) {
    this.device = device;
    this.name = name;
    this.timestamps = device.features.has('timestamp-query');
  }

  /** Work submitted from now on belongs to the stage `name`; again the same name changes nothing. */
  stage(name: string | undefined): void {
    const current = this.stages.at(-1);
    if (current && current.end === undefined) {
      if (current.name === name) return;
      current.end = performance.now();
    }
    if (name !== undefined) this.stages.push({ name, begin: performance.now() });
  }

  /** For a batch that begins. */
  batch(): BatchProfile {
    return new BatchProfile(this);
  }

  /** The profile of all work since the last call, or since the device was opened. Waits for the work. */
  async take(): Promise<Profile> {
    this.stage(undefined);
    while (this.pending.size > 0) await Promise.all(this.pending);
    const now = performance.now();
    const stages = this.stages.map(({ name, begin, end }): ProfileStage => {
      return { name, start: (begin - this.begin) / 1e3, seconds: ((end ?? now) - begin) / 1e3 };
    });
    const spans = this.timestamps ? this.deviceSpans() : this.waitSpans();
    const profile: Profile = {
      device: this.name,
      clock: this.timestamps ? 'device' : 'wall',
      seconds: (now - this.begin) / 1e3,
      stages,
      spans: spans.sort((a, b) => a.start - b.start),
      lost: this.lost,
    };
    this.submitted = [];
    this.waits = [];
    this.stages = [];
    this.begin = now;
    this.lost = 0;
    return profile;
  }

  /**
   * The device's clock has an origin of its own. Nothing begins before it is submitted, so the smallest shift that
   * makes this true of every batch puts device times on the wall clock.
   */
  private deviceSpans(): ProfileSpan[] {
    const origin = this.submitted[0]?.times[0] ?? 0n;
    const wall = (time: bigint): number => Number(time - origin) / 1e9;
    const since = (ms: number): number => (ms - this.begin) / 1e3;
    const shift = this.submitted.reduce((most, s) => Math.max(most, since(s.at) - wall(s.times[0])), -Infinity);
    return this.submitted.flatMap(({ stage, passes, times }) =>
      passes.map((pass, i): ProfileSpan => {
        const start = wall(times[2 * i]) + shift;
        const seconds = Math.max(0, Number(times[2 * i + 1] - times[2 * i]) / 1e9);
        return { ...pass, stage, start: Math.max(0, start), seconds };
      }),
    );
  }

  /** The queue takes one submission after the other: each begins when the one before it ends, at the earliest. */
  private waitSpans(): ProfileSpan[] {
    let free = 0;
    return this.waits.map(({ span, begin }) => {
      const end = (begin - this.begin) / 1e3 + span.seconds;
      const start = Math.min(end, Math.max(free, (begin - this.begin) / 1e3));
      free = end;
      return { ...span, start, seconds: end - start };
    });
  }

  /** @internal */
  acquireSet(): GPUQuerySet {
    return this.sets.pop() ?? this.device.createQuerySet({ type: 'timestamp', count: QUERIES, label: 'profile' });
  }

  /** @internal Work on the queue is ordered, so sets can be used again right after the submission. */
  afterSubmit(
    passes: Pass[],
    label: string | undefined,
    sets: GPUQuerySet[],
    staging: GPUBuffer | undefined,
    at: number,
  ): void {
    this.sets.push(...sets);
    const open = this.stages.at(-1);
    const stage = open && open.end === undefined ? open.name : undefined;
    const work = staging
      ? this.readTimes(staging, { stage, passes, at })
      : this.device.queue.onSubmittedWorkDone().then(() => {
          const seconds = (performance.now() - at) / 1e3;
          const name = label ?? contents(passes);
          this.waits.push({
            span: { name, kind: 'submission', stage, calls: passes.length, start: 0, seconds },
            begin: at,
          });
        });
    const done: Promise<void> = work
      .catch(() => {
        this.lost += passes.length; // the failure itself is reported by the device
      })
      .finally(() => this.pending.delete(done));
    this.pending.add(done);
  }

  private async readTimes(staging: GPUBuffer, batch: Omit<Submitted, 'times'>): Promise<void> {
    try {
      await staging.mapAsync(GPUMapMode.READ);
      this.submitted.push({ ...batch, times: new BigUint64Array(staging.getMappedRange().slice(0)) });
    } finally {
      staging.destroy();
    }
  }
}

/** Names a submission without a label by what is in it. */
function contents(passes: readonly Pass[]): string {
  const names = [...new Set(passes.map((p) => p.name))];
  return `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`;
}

/** The passes of one batch while it is recorded. */
export class BatchProfile {
  private readonly profiler: Profiler;
  private readonly passes: Pass[] = [];
  private readonly sets: GPUQuerySet[] = [];
  private staging: GPUBuffer | undefined;

  constructor(profiler: Profiler) {
    this.profiler = profiler;
  }

  /**
   * Whether another dispatch of `name` can go into the pass that was begun last; then it counts as one more call of it.
   */
  joins(name: string): boolean {
    const last = this.passes.at(-1);
    if (last?.kind !== 'compute' || last.name !== name) return false;
    last.calls++;
    return true;
  }

  /** For a pass that begins: where its times are to be written. */
  pass(name: string, kind: PassKind): GPUComputePassTimestampWrites | undefined {
    const query = (2 * this.passes.length) % QUERIES;
    this.passes.push({ name, kind, calls: 1 });
    if (!this.profiler.timestamps) return undefined;
    if (query === 0) this.sets.push(this.profiler.acquireSet());
    return {
      querySet: this.sets[this.sets.length - 1],
      beginningOfPassWriteIndex: query,
      endOfPassWriteIndex: query + 1,
    };
  }

  /** Records the copy of all times at the end of the batch. */
  resolve(encoder: GPUCommandEncoder, device: GPUDevice): void {
    if (this.sets.length === 0) return;
    const queries = 2 * this.passes.length;
    const size = queries * 8;
    const make = (usage: number): GPUBuffer => device.createBuffer({ size, usage, label: 'profile' });
    const resolved = make(GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC);
    this.staging = make(GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
    this.sets.forEach((set, i) => {
      encoder.resolveQuerySet(set, 0, Math.min(QUERIES, queries - i * QUERIES), resolved, i * BYTES_OF_SET);
    });
    encoder.copyBufferToBuffer(resolved, 0, this.staging, 0, size);
  }

  /**
   * Once the batch has been submitted.
   *
   * @param at `performance.now()` just before: a device that begins at once has begun before the submission returns
   */
  submitted(label: string | undefined, at: number): void {
    if (this.passes.length > 0) this.profiler.afterSubmit(this.passes, label, this.sets, this.staging, at);
  }
}
