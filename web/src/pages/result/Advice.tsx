import { useState } from 'react';
import { api, type Job, type JobRequest } from '../../api.js';
import { go } from '../../route.js';
import { Icon } from '../../ui/Icon.js';
import { Problem } from '../../ui/parts.js';
import type { Quality } from './quality.js';
import { remedyOf } from './remedyOf.js';

interface Props {
  job: Job;
  run: string;
  quality: Quality;
  /** Stands at a view, by its name. */
  onLook: (view: string) => void;
}

/** What would make the model better, each with the button that does it, where a button can. */
export function Advice({ job, run, quality, onLook }: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const made = job.methods.find((m) => m.name === run);
  if (quality.advice.length === 0) return null;
  const again = async (request: JobRequest): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      go('jobs', (await api.submitStored({ again: job.id }, request)).id);
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };
  return (
    <section className="card" aria-labelledby="advice">
      <h2 id="advice">What would make it better</h2>
      <ul className="advice">
        {quality.advice.map((advice) => {
          const remedy = made && remedyOf(advice, quality, made);
          const [view] = advice.views ?? [];
          return (
            <li key={`${advice.code} ${advice.message}`}>
              <Icon name="info" />
              <div>
                <p>{advice.message}</p>
                {remedy && (
                  <button type="button" disabled={busy} onClick={() => void again(remedy.request)}>
                    <Icon name="retry" />
                    {remedy.words}
                  </button>
                )}
                {view !== undefined && (
                  <button type="button" className="plain" onClick={() => onLook(view)}>
                    <Icon name="eye" />
                    Look at {view}
                  </button>
                )}
              </div>
            </li>
          );
        })}
      </ul>
      {error !== undefined && <Problem error={error} />}
    </section>
  );
}
