import type { JobEvent, JobProgress, Warning } from '../../api.js';

export interface SeenStage {
  run: string;
  stage: string;
  title: string;
  /** Milliseconds since 1970. */
  begin: number;
  end: number;
}

/** What the events of a job add up to. */
export interface Watched {
  progress?: JobProgress;
  stages: SeenStage[];
  /** Values over time for each run and metric, such as `fusion loss`. */
  curves: Map<string, { x: number; y: number }[]>;
  previews: { name: string; title: string; url: string }[];
  warnings: (Warning & { run: string })[];
}

export const nothingSeen = (): Watched => ({ stages: [], curves: new Map(), previews: [], warnings: [] });

/** Takes one event in; answers whether the job's own state changed. */
export function takeIn(seen: Watched, event: JobEvent): boolean {
  const at = Date.parse(event.at);
  switch (event.type) {
    case 'state': {
      const last = seen.stages.at(-1);
      if (last && event.state !== 'running' && event.state !== 'queued') last.end = at;
      return true;
    }
    case 'progress': {
      seen.progress = event;
      const last = seen.stages.at(-1);
      // A stage lasts until the next begins: what it does after its last word is its own too.
      if (last) last.end = at;
      if (!last || last.stage !== event.stage || last.run !== event.run) {
        // A job that was taken up again walks through a stage once more: it counts from its last beginning.
        seen.stages = seen.stages.filter((s) => s.stage !== event.stage || s.run !== event.run);
        seen.stages.push({ run: event.run, stage: event.stage, title: event.title, begin: at, end: at });
      }
      for (const [metric, y] of Object.entries(event.metrics ?? {})) {
        const name = event.runs > 1 ? `${event.run} ${metric}` : metric;
        const curve = seen.curves.get(name) ?? [];
        if (Number.isFinite(y)) curve.push({ x: event.elapsedSeconds, y });
        seen.curves.set(name, curve);
      }
      return false;
    }
    case 'preview':
      seen.previews.push({ name: event.name, title: event.title, url: event.url });
      return false;
    case 'warning':
      seen.warnings.push(event);
      return false;
  }
}
