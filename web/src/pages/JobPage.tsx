import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { api, type Job, type MethodFacts } from '../api.js';
import { ago, bytes, duration, percent, plural } from '../format.js';
import { go, href } from '../route.js';
import { Chart } from '../ui/Chart.js';
import { ApiImage, Bar, Confirm, Problem, Report, StateBadge, useNow } from '../ui/parts.js';
import { useJob, type Watched } from './watch.js';

const ResultView = lazy(() => import('./ResultView.js'));

export function JobPage({ id }: { id: string }) {
  const [epoch, setEpoch] = useState(0);
  const { job, seen, error, renew } = useJob(id, epoch);
  const [asked, setAsked] = useState<'cancel' | 'delete'>();
  const [failure, setFailure] = useState<unknown>();
  const now = useNow(10_000);
  useEffect(() => {
    if (job) document.title = `${job.name} – Plinth`;
    return () => {
      document.title = 'Plinth';
    };
  }, [job]);

  if (error !== undefined) return <Problem error={error} />;
  if (!job) return <p className="quiet">Loading…</p>;
  const over = job.state !== 'queued' && job.state !== 'running';
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
      <p className="small">
        <a href="#/">All models</a>
      </p>
      <div className="row wrap">
        <h1>{job.name}</h1>
        <StateBadge state={job.state} />
        <span className="grow" />
        {!over && (
          <button type="button" className="danger" disabled={job.cancelRequested} onClick={() => setAsked('cancel')}>
            {job.cancelRequested ? 'Stopping…' : 'Cancel'}
          </button>
        )}
        {(job.state === 'failed' || job.state === 'cancelled') && (
          <button
            type="button"
            className="primary"
            onClick={() =>
              void act(async () => {
                await api.retry(id);
                setEpoch((e) => e + 1);
              })
            }
          >
            Retry
          </button>
        )}
        {job.result && (
          <a className="button" href={href('compare', id)}>
            Compare
          </a>
        )}
        {over && (
          <button type="button" onClick={() => setAsked('delete')}>
            Delete
          </button>
        )}
      </div>
      <p className="quiet small">
        {job.methods.map((m) => `${m.method}, ${m.preset}`).join(' · ')} · {plural(job.input.files, 'file')},{' '}
        {bytes(job.input.bytes)} · sent {ago(job.createdAt, now)}
        {job.reduced && ' · at a smaller size, because the GPU ran out of memory'}
      </p>
      {failure !== undefined && <Problem error={failure} />}
      {job.failure && <Report tone="bad" {...job.failure} />}
      {job.state === 'cancelled' && (
        <p className="notice">Cancelled. Its pictures are kept, so that it can be tried again.</p>
      )}
      {job.result ? (
        <Suspense fallback={<p className="quiet">Loading the result…</p>}>
          <ResultView job={job} />
        </Suspense>
      ) : (
        <Watch job={job} seen={seen} />
      )}
      {job.result ? (
        <details>
          <summary>How it was made</summary>
          <Curves seen={seen} />
          <Stages job={job} seen={seen} />
          <Log id={id} live={false} />
        </details>
      ) : (
        <Log id={id} live={!over} />
      )}
      {asked === 'cancel' && (
        <Confirm
          title="Cancel this model?"
          text="The work done so far is thrown away. The pictures are kept, so it can be started again."
          action="Cancel the model"
          onClose={() => setAsked(undefined)}
          onConfirm={() =>
            void act(async () => {
              await api.cancel(id);
              await renew();
            })
          }
        />
      )}
      {asked === 'delete' && (
        <Confirm
          title={`Delete “${job.name}”?`}
          text="Its pictures and its result are removed for good."
          action="Delete"
          onClose={() => setAsked(undefined)}
          onConfirm={() =>
            void act(async () => {
              await api.delete(id);
              go();
            })
          }
        />
      )}
    </>
  );
}

function Watch({ job, seen }: { job: Job; seen: Watched }) {
  const [chosen, setChosen] = useState<string>();
  const progress = seen.progress ?? job.progress ?? undefined;
  const preview = seen.previews.find((p) => p.name === chosen) ?? seen.previews.at(-1);
  const running = job.state === 'running';
  return (
    <div className="columns">
      <section aria-label="The object forming">
        {preview ? (
          <ApiImage path={preview.url} alt={`Preview: ${preview.title}`} className="forming" />
        ) : (
          <div className="forming quiet">
            {job.state === 'queued'
              ? 'Waiting for a free worker.'
              : running
                ? 'The first preview comes soon.'
                : 'There is no preview.'}
          </div>
        )}
        {seen.previews.length > 1 && (
          <ul className="strip" aria-label="Previews so far">
            {seen.previews.slice(-16).map((p) => (
              <li key={p.name}>
                <button
                  type="button"
                  className="plain"
                  aria-pressed={p.name === preview?.name}
                  onClick={() => setChosen(p.name)}
                >
                  <ApiImage path={p.url} alt={p.title} />
                </button>
              </li>
            ))}
            {chosen && (
              <li>
                <button type="button" onClick={() => setChosen(undefined)}>
                  Newest
                </button>
              </li>
            )}
          </ul>
        )}
      </section>
      <section aria-label="Progress" className="card">
        {running && progress && (
          <>
            <Bar value={progress.overall} label="Progress" />
            <p aria-live="polite">
              <strong>{percent(progress.overall)}</strong>
              {progress.remainingSeconds !== undefined && <> · about {duration(progress.remainingSeconds)} left</>}
              {progress.detail && <span className="quiet"> · {progress.detail}</span>}
            </p>
          </>
        )}
        {job.state === 'queued' && <p>Waiting in the queue{job.attempt > 0 ? ', to be taken up again' : ''}.</p>}
        <Stages job={job} seen={seen} />
        <Curves seen={seen} />
        {seen.warnings.map((w) => (
          <Report key={`${w.run} ${w.code} ${w.subject}`} tone="fair" message={w.message} remedy={w.remedy} />
        ))}
      </section>
    </div>
  );
}

function Stages({ job, seen }: { job: Job; seen: Watched }) {
  const [methods, setMethods] = useState<MethodFacts[]>([]);
  useEffect(() => {
    api.methods().then(
      (m) => setMethods(m.methods),
      () => {},
    );
  }, []);
  const current = seen.stages.at(-1);
  const running = job.state === 'running';
  const ahead = job.methods.flatMap((run) =>
    (methods.find((m) => m.name === run.method)?.stages ?? [])
      .filter((s) => !seen.stages.some((k) => k.run === run.name && k.stage === s.name))
      .map((s) => ({ run: run.name, ...s })),
  );
  const several = job.methods.length > 1;
  return (
    <ol className="stages">
      {seen.stages.map((s) => {
        const now = running && s === current;
        return (
          <li key={`${s.run} ${s.stage}`} className={now ? 'now' : 'past'} aria-current={now ? 'step' : undefined}>
            <span className="sign" aria-hidden="true">
              {now ? '▸' : '✓'}
            </span>
            <span className="grow">
              {several && `${s.run}: `}
              {s.title}
            </span>
            <span className="quiet">
              {now && seen.progress ? percent(seen.progress.fraction) : duration((s.end - s.begin) / 1000)}
            </span>
          </li>
        );
      })}
      {!job.result &&
        (running || job.state === 'queued') &&
        ahead.map((s) => (
          <li key={`${s.run} ${s.name}`}>
            <span className="sign" aria-hidden="true">
              ·
            </span>
            <span>
              {several && `${s.run}: `}
              {s.title}
            </span>
          </li>
        ))}
    </ol>
  );
}

function Curves({ seen }: { seen: Watched }) {
  const curves = [...seen.curves].filter(([, points]) => points.length > 1);
  if (curves.length === 0) return null;
  return (
    <div className="charts">
      {curves.map(([name, points]) => (
        <Chart
          key={name}
          title={/psnr/i.test(name) ? name.replace(/psnr/i, 'PSNR') : name}
          points={points}
          unit={/psnr/i.test(name) ? ' dB' : ''}
          logarithmic={/loss/i.test(name)}
          xLabel="over the time of the run"
        />
      ))}
    </div>
  );
}

/** Lines of the log that are kept on screen. */
const TAIL = 200;
const LOG_MS = 3_000;

function Log({ id, live }: { id: string; live: boolean }) {
  const [lines, setLines] = useState<string[]>([]);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let gone = false;
    let timer: ReturnType<typeof setTimeout>;
    let end = 0;
    let text = '';
    const read = async (): Promise<void> => {
      try {
        const part = await api.log(id, end);
        if (gone) return;
        // A log that was begun anew is shorter than what was read.
        text = (end === 0 ? '' : text) + part.text;
        end = part.end;
        setLines(text.trimEnd().split('\n').slice(-TAIL));
      } catch {
        // The next look will tell.
      }
      if (!gone && live) timer = setTimeout(() => void read(), LOG_MS);
    };
    void read();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [id, live]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines scroll the box
  useEffect(() => {
    box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [lines]);
  if (lines.length === 0 || lines[0] === '') return null;
  return (
    <section aria-labelledby="log">
      <h2 id="log">Log</h2>
      <div
        className="log"
        ref={box}
        role="log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
        tabIndex={0}
        aria-labelledby="log"
      >
        {lines.join('\n')}
      </div>
    </section>
  );
}
