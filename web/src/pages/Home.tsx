import { useState } from 'react';
import { JobList } from './JobList.js';
import { Start } from './Start.js';

/** Start a model above, all models below. */
export function Home() {
  const [busy, setBusy] = useState(false);
  return (
    <>
      <h1>From pictures to a model</h1>
      <Start onBusy={setBusy} />
      {!busy && <JobList />}
    </>
  );
}
