import type { ProgressSink, RunProgress } from '../core/context.js';
import type { MethodStage } from '../methods/method.js';

/** Seconds of one stage, in the order of their beginning. */
export interface StageTiming {
  stage: string;
  seconds: number;
}

/** Turns stage events into overall progress with remaining time, and keeps the time of each stage. */
export class ProgressTracker {
  readonly timings: StageTiming[] = [];
  private readonly starts = new Map<string, number>();
  private readonly total: number;
  private readonly begin: number;
  private stageBegin: number;
  private current: string | undefined;
  private overall = 0;
  /** What an earlier run did, of `overall`. */
  private inherited = 0;

  /**
   * @param stages all stages of the run, in order, with weights.
   * @param now clock in seconds; for tests.
   */
  constructor(
    stages: readonly MethodStage[],
    private readonly sink: ((event: RunProgress) => void) | undefined,
    private readonly now: () => number = () => performance.now() / 1000,
  ) {
    let sum = 0;
    for (const stage of stages) {
      this.starts.set(stage.name, sum);
      this.weights.set(stage.name, stage.weight);
      sum += stage.weight;
    }
    this.total = sum || 1;
    this.begin = this.now();
    this.stageBegin = this.begin;
  }

  private readonly weights = new Map<string, number>();

  readonly report: ProgressSink = ({ resumed, ...event }) => {
    const now = this.now();
    if (event.stage !== this.current) {
      this.closeStage(now);
      this.current = event.stage;
    }
    const start = this.starts.get(event.stage);
    if (start !== undefined) {
      const reached = (start + this.weights.get(event.stage)! * Math.min(1, Math.max(0, event.fraction))) / this.total;
      if (resumed) this.inherited += Math.max(0, reached - this.overall);
      this.overall = Math.max(this.overall, reached);
    }
    const elapsedSeconds = now - this.begin;
    const own = this.overall - this.inherited;
    // Before a twentieth of the way an estimate would jump about.
    const known = own > 0.05 * (1 - this.inherited);
    const remainingSeconds = known ? (elapsedSeconds * (1 - this.overall)) / own : undefined;
    this.sink?.({ ...event, overall: this.overall, elapsedSeconds, remainingSeconds });
  };

  /** Ends the last stage. */
  finish(): void {
    this.closeStage(this.now());
    this.current = undefined;
  }

  private closeStage(now: number): void {
    if (this.current !== undefined) {
      const existing = this.timings.find((t) => t.stage === this.current);
      if (existing) existing.seconds += now - this.stageBegin;
      else this.timings.push({ stage: this.current, seconds: now - this.stageBegin });
    }
    this.stageBegin = now;
  }
}
