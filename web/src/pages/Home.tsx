import { useState } from 'react';
import { JobList } from './JobList.js';
import { Start } from './start/Start.js';

/** Start a model above, all models below. */
export function Home() {
  const [busy, setBusy] = useState(false);
  return (
    <>
      <div className="hero">
        <h1>From pictures to a 3D model</h1>
        <p className="quiet">Textured, ready to use, and with a measure of how far to trust it.</p>
      </div>
      <Start onBusy={setBusy} />
      {!busy && <JobList />}
    </>
  );
}
