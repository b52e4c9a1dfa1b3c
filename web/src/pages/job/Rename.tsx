import { useState } from 'react';
import { api, type Job } from '../../api.js';
import { Dialog, Problem } from '../../ui/parts.js';

/** Gives a job another name. */
export function Rename({ job, onClose, onDone }: { job: Job; onClose: () => void; onDone: () => void }) {
  const [name, setName] = useState(job.name);
  const [error, setError] = useState<unknown>();
  return (
    <Dialog title="Rename" onClose={onClose}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          api.rename(job.id, name).then(() => {
            onClose();
            onDone();
          }, setError);
        }}
      >
        <label className="field">
          Name
          <input value={name} maxLength={200} onChange={(e) => setName(e.target.value)} />
        </label>
        {error !== undefined && <Problem error={error} />}
        <div className="row end">
          <button type="button" onClick={onClose}>
            Close
          </button>
          <button type="submit" className="primary" disabled={name.trim() === '' || name === job.name}>
            Rename
          </button>
        </div>
      </form>
    </Dialog>
  );
}
