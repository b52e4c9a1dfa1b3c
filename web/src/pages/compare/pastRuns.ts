import { useEffect, useState } from 'react';
import { api } from '../../api.js';

/** How many finished jobs are looked at. */
const JOBS = 60;

/**
 * What runs of a method and preset (`fusion draft`) took on this service: the median, in seconds. Empty until known.
 */
export function usePastSeconds(): Map<string, number> {
  const [past, setPast] = useState(new Map<string, number>());
  useEffect(() => {
    let gone = false;
    api.list({ state: ['succeeded'], limit: JOBS }).then(
      ({ jobs }) => {
        if (gone) return;
        const times = new Map<string, number[]>();
        for (const job of jobs) {
          for (const run of job.result?.runs ?? []) {
            const changed = job.methods.find((m) => m.name === run.name)?.options ?? {};
            // Runs with options of their own say nothing about the preset.
            if (run.failure || Object.keys(changed).length > 0) continue;
            const key = `${run.method} ${run.preset}`;
            times.set(key, [...(times.get(key) ?? []), run.seconds]);
          }
        }
        setPast(new Map([...times].map(([key, list]) => [key, list.sort((a, b) => a - b)[list.length >> 1]])));
      },
      () => {},
    );
    return () => {
      gone = true;
    };
  }, []);
  return past;
}
