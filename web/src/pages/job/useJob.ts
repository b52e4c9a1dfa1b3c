import { useEffect, useState } from 'react';
import { ApiError, api, type Job } from '../../api.js';
import { nothingSeen, takeIn, type Watched } from './watched.js';

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
