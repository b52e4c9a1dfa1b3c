import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { api, type Job } from '../../api.js';
import { ago, bytes, percent, plural } from '../../format.js';
import { go, href } from '../../route.js';
import { Icon } from '../../ui/Icon.js';
import { Confirm, Notice, Problem, Report, StateBadge, useNow } from '../../ui/parts.js';
import { Log } from './Log.js';
import { MakeAgain } from './MakeAgain.js';
import { Rename } from './Rename.js';
import { useJob } from './useJob.js';
import { Curves, Stages, Watch } from './Watch.js';
import type { Watched } from './watched.js';

const ResultView = lazy(() => import('../result/ResultView.js'));

/** One job: watched while it runs, looked at when it is done. */
export function JobPage({ id }: { id: string }) {
  const [epoch, setEpoch] = useState(0);
  const { job, seen, error, renew } = useJob(id, epoch);
  const [failure, setFailure] = useState<unknown>();
  useTold(job, seen);

  if (error !== undefined) {
    return (
      <>
        <BackLink />
        <Problem error={error} />
      </>
    );
  }
  if (!job) return <p className="quiet">Loading…</p>;
  const over = isOver(job);
  const act = async (action: () => Promise<unknown>): Promise<void> => {
    setFailure(undefined);
    try {
      await action();
    } catch (e) {
      setFailure(e);
    }
  };
  return (
    <>
      <BackLink />
      <Headline
        job={job}
        onCancel={() => void act(() => api.cancel(id).then(renew))}
        onRetry={() => void act(() => api.retry(id).then(() => setEpoch((e) => e + 1)))}
        onDelete={() => void act(() => api.delete(id).then(() => go()))}
        onRenamed={() => void act(renew)}
      />
      {failure !== undefined && <Problem error={failure} />}
      {job.failure && <Report tone="bad" {...job.failure} />}
      {job.state === 'cancelled' && (
        <Notice tone="hint">
          <p>Cancelled. Its pictures are kept, so that it can be tried again.</p>
        </Notice>
      )}
      {job.result ? (
        <>
          <Suspense fallback={<p className="quiet">Loading the result…</p>}>
            <ResultView job={job} />
          </Suspense>
          <details className="card">
            <summary>How it was made</summary>
            <Facts job={job} />
            <div className="made">
              <Stages job={job} seen={seen} />
              <Curves seen={seen} />
            </div>
            <Log id={id} live={false} />
          </details>
        </>
      ) : (
        <>
          {!over && <NotifyOffer />}
          <Watch job={job} seen={seen} />
          <Log id={id} live={!over} />
        </>
      )}
    </>
  );
}

const ENDED: Partial<Record<Job['state'], string>> = { succeeded: 'is done', failed: 'failed' };

/** Tells how far the job is in the tab's title, and that it ended to who looks elsewhere and has allowed it. */
function useTold(job: Job | undefined, seen: Watched): void {
  const running = useRef(false);
  const share = job?.state === 'running' ? (seen.progress ?? job.progress)?.overall : undefined;
  const name = job?.name;
  useEffect(() => {
    if (name !== undefined) document.title = `${share === undefined ? '' : `${percent(share)} · `}${name} – Plinth`;
    return () => {
      document.title = 'Plinth';
    };
  }, [name, share]);
  useEffect(() => {
    if (!job) return;
    const words = ENDED[job.state];
    if (running.current && words && document.hidden && canNotify()) new Notification(`${job.name} ${words}`);
    running.current = !isOver(job);
  }, [job]);
}

const canNotify = (): boolean => 'Notification' in window && Notification.permission === 'granted';

/** Offers a message at the end, once, where the browser has messages and was not asked yet. */
function NotifyOffer() {
  const [asked, setAsked] = useState(!('Notification' in window) || Notification.permission !== 'default');
  if (asked) return null;
  return (
    <button
      type="button"
      className="plain"
      onClick={() => void Notification.requestPermission().then(() => setAsked(true))}
    >
      <Icon name="clock" />
      Tell me when it is done
    </button>
  );
}

const isOver = (job: Job): boolean => job.state !== 'queued' && job.state !== 'running';

const BackLink = () => (
  <a className="back small" href="#/">
    <Icon name="left" />
    All models
  </a>
);

interface HeadlineProps {
  job: Job;
  onCancel: () => void;
  onRetry: () => void;
  onDelete: () => void;
  onRenamed: () => void;
}

/** Name, state, and what can be done with the job; what cannot be undone is confirmed first. */
function Headline({ job, onCancel, onRetry, onDelete, onRenamed }: HeadlineProps) {
  const [asked, setAsked] = useState<'cancel' | 'delete' | 'again' | 'rename'>();
  const over = isOver(job);
  return (
    <>
      <div className="headline">
        <h1>{job.name}</h1>
        {/* The verdict says more than that it is done. */}
        <span className={job.result ? 'hidden' : undefined}>
          <StateBadge state={job.state} />
        </span>
        <span className="grow" />
        {!over && (
          <button type="button" className="danger" disabled={job.cancelRequested} onClick={() => setAsked('cancel')}>
            <Icon name="cross" />
            {job.cancelRequested ? 'Stopping…' : 'Cancel'}
          </button>
        )}
        {(job.state === 'failed' || job.state === 'cancelled') && (
          <button type="button" className="primary" onClick={onRetry}>
            <Icon name="retry" />
            Retry
          </button>
        )}
        {job.result && (
          <a className="button" href={href('compare', job.id)}>
            <Icon name="compare" />
            Compare
          </a>
        )}
        {over && (
          <button type="button" onClick={() => setAsked('again')}>
            <Icon name="retry" />
            Make again
          </button>
        )}
        <button type="button" onClick={() => setAsked('rename')}>
          Rename
        </button>
        {over && (
          <button type="button" onClick={() => setAsked('delete')}>
            <Icon name="trash" />
            Delete
          </button>
        )}
      </div>
      {!job.result && <Facts job={job} />}
      {asked === 'again' && <MakeAgain job={job} onClose={() => setAsked(undefined)} />}
      {asked === 'rename' && <Rename job={job} onClose={() => setAsked(undefined)} onDone={onRenamed} />}
      {asked === 'cancel' && (
        <Confirm
          title="Cancel this model?"
          text="The work done so far is thrown away. The pictures are kept, so it can be started again."
          action="Cancel the model"
          onClose={() => setAsked(undefined)}
          onConfirm={onCancel}
        />
      )}
      {asked === 'delete' && (
        <Confirm
          title={`Delete “${job.name}”?`}
          text="Its pictures and its result are removed for good."
          action="Delete"
          onClose={() => setAsked(undefined)}
          onConfirm={onDelete}
        />
      )}
    </>
  );
}

/** What it is made of, by what, and since when. */
function Facts({ job }: { job: Job }) {
  const now = useNow(10_000);
  return (
    <p className="quiet small">
      {job.methods.map((m) => `${m.method}, ${m.preset}`).join(' · ')} · {plural(job.input.files, 'file')},{' '}
      {bytes(job.input.bytes)} · sent {ago(job.createdAt, now)}
      {job.attempt > 1 && ` · attempt ${job.attempt}`}
      {job.reduced && ' · at a smaller size, because the GPU ran out of memory'}
    </p>
  );
}
