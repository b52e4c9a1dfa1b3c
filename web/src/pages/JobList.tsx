import { useCallback, useEffect, useRef, useState } from 'react';
import { api, filePath, inWords, type Job, type JobState } from '../api.js';
import { ago, bytes, duration, percent } from '../format.js';
import { go, href } from '../route.js';
import { ApiImage, Bar, Confirm, Problem, QualityBadge, StateBadge, useNow } from '../ui/parts.js';

const FILTERS: { title: string; states?: JobState[] }[] = [
  { title: 'All' },
  { title: 'At work', states: ['queued', 'running'] },
  { title: 'Done', states: ['succeeded'] },
  { title: 'Failed', states: ['failed', 'cancelled'] },
];
const BUSY_MS = 2_500;
const IDLE_MS = 8_000;

/** All jobs, newest first: search, filter, retry, delete, and arrow keys. */
export function JobList() {
  const [jobs, setJobs] = useState<Job[]>();
  const [next, setNext] = useState<string | null>(null);
  const [filter, setFilter] = useState(0);
  const [search, setSearch] = useState('');
  const [error, setError] = useState<unknown>();
  const [doomed, setDoomed] = useState<Job>();
  const list = useRef<HTMLUListElement>(null);
  const pages = useRef(1);

  const load = useCallback(async (): Promise<Job[]> => {
    let found: Job[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < pages.current; page++) {
      const answer = await api.list({ state: FILTERS[filter].states, search, limit: 30, cursor });
      found = found.concat(answer.jobs);
      cursor = answer.next ?? undefined;
      if (!cursor) break;
    }
    setJobs(found);
    setNext(cursor ?? null);
    return found;
  }, [filter, search]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let gone = false;
    const again = async (): Promise<void> => {
      const found = document.hidden ? [] : await load().catch(() => []);
      const busy = found.some((j) => j.state === 'running' || j.state === 'queued');
      if (!gone) timer = setTimeout(() => void again(), busy ? BUSY_MS : IDLE_MS);
    };
    timer = setTimeout(() => void again(), 150);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [load]);

  const act = async (action: Promise<unknown>): Promise<void> => {
    setError(undefined);
    try {
      await action;
      await load();
    } catch (e) {
      setError(e);
    }
  };
  const move = (event: React.KeyboardEvent): void => {
    const rows = [...(list.current?.querySelectorAll<HTMLAnchorElement>('a.job-link') ?? [])];
    const at = rows.indexOf(document.activeElement as HTMLAnchorElement);
    if (at < 0) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      rows[Math.min(rows.length - 1, Math.max(0, to))].focus();
    } else if (event.key === 'Delete' && jobs) {
      const job = jobs[at];
      if (isOver(job)) setDoomed(job);
    }
  };

  return (
    <section aria-labelledby="models">
      <div className="row wrap">
        <h2 id="models">Models</h2>
        <span className="grow" />
        <label>
          <span className="hidden">Search by name</span>
          <input
            type="search"
            placeholder="Search by name"
            value={search}
            onChange={(e) => {
              pages.current = 1;
              setSearch(e.target.value);
            }}
          />
        </label>
        <fieldset className="segments">
          <legend className="hidden">Show</legend>
          {FILTERS.map((f, i) => (
            <button type="button" key={f.title} aria-pressed={filter === i} onClick={() => setFilter(i)}>
              {f.title}
            </button>
          ))}
        </fieldset>
      </div>
      {error !== undefined && <Problem error={error} />}
      {jobs?.length === 0 && (
        <p className="quiet">
          {search || filter > 0 ? 'No model fits the search.' : 'No model yet. Drop pictures above, or try an example.'}
        </p>
      )}
      <ul className="jobs" ref={list} onKeyDown={move}>
        {jobs?.map((job) => (
          <Row key={job.id} job={job} onRetry={() => void act(api.retry(job.id))} onDelete={() => setDoomed(job)} />
        ))}
      </ul>
      {next && (
        <button
          type="button"
          onClick={() => {
            pages.current++;
            void load();
          }}
        >
          Show more
        </button>
      )}
      {jobs && jobs.length > 1 && (
        <p className="quiet small">Arrow keys move through the list, Enter opens, Delete deletes.</p>
      )}
      {doomed && (
        <Confirm
          title={`Delete “${doomed.name}”?`}
          text="Its pictures and its result are removed for good."
          action="Delete"
          onClose={() => setDoomed(undefined)}
          onConfirm={() => void act(api.delete(doomed.id))}
        />
      )}
    </section>
  );
}

const isOver = (job: Job): boolean => job.state !== 'queued' && job.state !== 'running';

function Row({ job, onRetry, onDelete }: { job: Job; onRetry: () => void; onDelete: () => void }) {
  const now = useNow(30_000);
  const best = job.result?.runs.find((r) => r.name === job.result?.best) ?? job.result?.runs[0];
  const picture = job.result?.thumbnail
    ? filePath(job.id, job.result.thumbnail)
    : job.progress?.preview && `/v1/jobs/${job.id}/previews/${job.progress.preview}`;
  return (
    <li className="job">
      <a className="job-link" href={href('jobs', job.id)}>
        {picture ? <ApiImage path={picture} alt="" className="thumb" /> : <span className="thumb blank" />}
        <span className="job-text">
          <strong>{job.name}</strong>
          <span className="quiet small">
            {job.methods.map((m) => `${m.method}, ${m.preset}`).join(' · ')} · {job.input.files} files ·{' '}
            {bytes(job.input.bytes)} · {ago(job.createdAt, now)}
          </span>
          {job.state === 'running' && job.progress && (
            <>
              <Bar value={job.progress.overall} label={`Progress of ${job.name}`} />
              <span className="quiet small">
                {job.progress.title}, {percent(job.progress.overall)}
                {job.progress.remainingSeconds !== undefined &&
                  `, about ${duration(job.progress.remainingSeconds)} left`}
              </span>
            </>
          )}
          {job.failure && <span className="small">{inWords(job.failure.message, job.failure.remedy).message}</span>}
        </span>
      </a>
      <span className="job-side">
        <StateBadge state={job.state} />
        {best?.quality && <QualityBadge status={best.quality.status} />}
        {(job.state === 'failed' || job.state === 'cancelled') && (
          <button type="button" className="plain" onClick={onRetry} aria-label={`Retry ${job.name}`}>
            Retry
          </button>
        )}
        {job.result && (
          <button
            type="button"
            className="plain"
            onClick={() => go('compare', job.id)}
            aria-label={`Compare ${job.name}`}
          >
            Compare
          </button>
        )}
        {isOver(job) && (
          <button type="button" className="plain" onClick={onDelete} aria-label={`Delete ${job.name}`}>
            Delete
          </button>
        )}
      </span>
    </li>
  );
}
