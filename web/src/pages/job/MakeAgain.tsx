import { useEffect, useState } from 'react';
import { api, type Job, type MethodFacts, type Preset } from '../../api.js';
import { go } from '../../route.js';
import { Dialog, Problem } from '../../ui/parts.js';
import { type Choice, MethodChoice, toRuns } from '../start/MethodChoice.js';

/** Chooses other settings for the pictures of a job, and begins. */
export function MakeAgain({ job, onClose }: { job: Job; onClose: () => void }) {
  const [methods, setMethods] = useState<MethodFacts[]>();
  const [choices, setChoices] = useState<Record<string, Choice>>(() =>
    Object.fromEntries(job.methods.map((m) => [m.method, { preset: m.preset as Preset, options: m.options }])),
  );
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    api.methods().then((answer) => setMethods(answer.methods), setError);
  }, []);
  const begin = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      const made = await api.submitStored({ again: job.id }, { methods: toRuns(choices) });
      onClose();
      go('jobs', made.id);
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Make “${job.name}” again`} onClose={onClose}>
      <p>From the same pictures, with the settings that you choose. What is there stays.</p>
      {methods && <MethodChoice methods={methods} choices={choices} onChange={setChoices} />}
      {error !== undefined && <Problem error={error} />}
      <div className="row end">
        <button type="button" onClick={onClose}>
          Close
        </button>
        <button
          type="button"
          className="primary"
          disabled={busy || !methods || Object.keys(choices).length === 0}
          onClick={() => void begin()}
        >
          Make again
        </button>
      </div>
    </Dialog>
  );
}
