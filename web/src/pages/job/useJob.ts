import { useEffect, useState } from 'react';
import { ApiError, api, type Job, type JobEvent, type JobProgress, type Warning } from '../../api.js';

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
    case 'state':
      return true;
    case 'progress': {
      seen.progress = event;
      const last = seen.stages.at(-1);
      if (last && last.stage === event.stage && last.run === event.run) last.end = at;
      else {
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

/** How often the page draws anew, however fast events come. */
const DRAW_MS = 150;

/** Follows a job: its record and its events from the first on. `epoch` begins anew, after a retry. */
export function useJob(
  id: string,
  epoch: number,
): { job?: Job; seen: Watched; error?: unknown; renew: () => Promise<void> } {
  const [job, setJob] = useState<Job>();
  const [seen, setSeen] = useState<Watched>(nothingSeen);
  const [error, setError] = useState<unknown>();
  const renew = async (): Promise<void> => setJob(await api.get(id));

  // biome-ignore lint/correctness/useExhaustiveDependencies: the epoch is what begins anew
  useEffect(() => {
    const gone = new AbortController();
    const { signal } = gone;
    let current = nothingSeen();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = (): void => {
      timer = undefined;
      if (!signal.aborted) setSeen({ ...current });
    };
    const load = async (): Promise<void> => {
      for (;;) {
        try {
          const found = await api.get(id);
          if (!signal.aborted) setJob(found);
          return;
        } catch (e) {
          if (signal.aborted) return;
          if (e instanceof ApiError && e.status < 500 && e.status !== 429) throw e;
          await new Promise((resolve) => setTimeout(resolve, 2000));
        }
      }
    };
    const follow = async (): Promise<void> => {
      await load();
      for await (const event of api.watch(id, { signal })) {
        if (takeIn(current, event)) await load();
        timer ??= setTimeout(draw, DRAW_MS);
      }
      await load();
    };
    follow().catch((e) => {
      if (!signal.aborted) setError(e);
    });
    return () => {
      gone.abort();
      clearTimeout(timer);
      current = nothingSeen();
    };
  }, [id, epoch]);
  return { job, seen, error, renew };
}
