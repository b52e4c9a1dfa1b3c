import { useCallback, useEffect, useRef, useState } from 'react';
import { api, type Job, type JobState, picturePath } from '../api.js';
import { ago, bytes, duration, percent, plural } from '../format.js';
import { go, href } from '../route.js';
import { Icon } from '../ui/Icon.js';
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
    // As many as stand in one line of the gallery.
    const line = rows.findIndex((r) => r.offsetTop > rows[0].offsetTop + 4);
    const across = line < 0 ? rows.length : line;
    const to = {
      ArrowRight: at + 1,
      ArrowLeft: at - 1,
      ArrowDown: at + across,
      ArrowUp: at - across,
      Home: 0,
      End: rows.length - 1,
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      rows[Math.min(rows.length - 1, Math.max(0, to))].focus();
    } else if (event.key === 'Delete' && jobs) {
      if (isOver(jobs[at])) setDoomed(jobs[at]);
    } else if (event.key === 'r' && jobs) {
      if (canRetry(jobs[at])) void act(api.retry(jobs[at].id));
    }
  };

  return (
    <section aria-labelledby="models">
      <div className="row shelf">
        <h2 id="models">Models</h2>
        <span className="grow" />
        <label className="search">
          <span className="hidden">Search by name</span>
          <Icon name="search" />
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
            <button
              type="button"
              key={f.title}
              aria-pressed={filter === i}
              onClick={() => {
                pages.current = 1;
                setFilter(i);
              }}
            >
              {f.title}
            </button>
          ))}
        </fieldset>
      </div>
      {error !== undefined && <Problem error={error} />}
      {jobs?.length === 0 && (
        <div className="empty">
          <Icon name={search || filter > 0 ? 'search' : 'cube'} />
          <p>
            {search || filter > 0
              ? 'No model fits the search.'
              : 'No model yet. Drop pictures above, or try an example.'}
          </p>
        </div>
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
        <p className="quiet small keys">
          <kbd>←</kbd> <kbd>→</kbd> <kbd>↑</kbd> <kbd>↓</kbd> move, <kbd>Enter</kbd> opens, <kbd>R</kbd> retries,{' '}
          <kbd>Delete</kbd> deletes.
        </p>
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
const canRetry = (job: Job): boolean => job.state === 'failed' || job.state === 'cancelled';

function Row({ job, onRetry, onDelete }: { job: Job; onRetry: () => void; onDelete: () => void }) {
  const now = useNow(30_000);
  const best = job.result?.runs.find((r) => r.name === job.result?.best) ?? job.result?.runs[0];
  const picture = job.result?.thumbnail
    ? picturePath(job.id, job.result.thumbnail, 480)
    : job.progress?.preview && `/v1/jobs/${job.id}/previews/${job.progress.preview}`;
  const at = job.state === 'running' ? job.progress : undefined;
  return (
    <li className="job">
      <a className="job-link" href={href('jobs', job.id)}>
        <span className="thumb">
          {picture ? <ApiImage path={picture} alt="" /> : <Icon name={job.failure ? 'warning' : 'cube'} />}
        </span>
        <strong>{job.name}</strong>
      </a>
      <span className="job-text">
        <span className="row">
          {best?.quality ? <QualityBadge status={best.quality.status} /> : <StateBadge state={job.state} />}
          {best?.quality && <span className="quiet small">{best.quality.psnr.toFixed(1)} dB</span>}
        </span>
        {at && (
          <>
            <Bar value={at.overall} label={`Progress of ${job.name}`} />
            <span className="quiet small">
              {at.title}, {percent(at.overall)}
              {at.remainingSeconds !== undefined && `, about ${duration(at.remainingSeconds)} left`}
            </span>
          </>
        )}
        {job.failure && <span className="small">{job.failure.message}</span>}
        <span className="quiet small">
          {job.methods.map((m) => `${m.method}, ${m.preset}`).join(' · ')}
          <br />
          {plural(job.input.files, 'file')}, {bytes(job.input.bytes)} · {ago(job.createdAt, now)}
        </span>
      </span>
      <span className="job-side">
        {canRetry(job) && (
          <button type="button" className="plain" onClick={onRetry} aria-label={`Retry ${job.name}`}>
            <Icon name="retry" />
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
            <Icon name="compare" />
            Compare
          </button>
        )}
        <span className="grow" />
        {isOver(job) && (
          <button
            type="button"
            className="plain square"
            onClick={onDelete}
            aria-label={`Delete ${job.name}`}
            title="Delete"
          >
            <Icon name="trash" />
          </button>
        )}
      </span>
    </li>
  );
}
