import { useEffect, useState } from 'react';
import { api, type Job, type MethodFacts } from '../../api.js';
import { duration, percent } from '../../format.js';
import { Chart } from '../../ui/Chart.js';
import { Icon } from '../../ui/Icon.js';
import { ApiImage, Bar, Report } from '../../ui/parts.js';
import type { SeenStage, Watched } from './watched.js';

/** Previews in the strip. */
const SHOWN = 16;

interface Props {
  job: Job;
  seen: Watched;
}

/** The object forming, how far it is, and how well it goes. */
export function Watch({ job, seen }: Props) {
  return (
    <div className="watch">
      <div>
        <Forming job={job} seen={seen} />
        <Curves seen={seen} />
      </div>
      <section aria-label="Progress" className="card">
        <Overall job={job} seen={seen} />
        <Stages job={job} seen={seen} />
        {seen.warnings.map((w) => (
          <Report
            key={`${w.run} ${w.code} ${w.subject}`}
            tone="fair"
            message={w.message}
            remedy={w.remedy}
            remedySteps={w.remedySteps}
          />
        ))}
      </section>
    </div>
  );
}

const NOTHING_YET: Record<Job['state'], string> = {
  queued: 'Waiting for a free worker.',
  running: 'The first look at it comes as soon as there is a surface.',
  failed: 'It failed before there was anything to see.',
  cancelled: 'It was cancelled before there was anything to see.',
  succeeded: 'The result is being fetched.',
};

function Forming({ job, seen }: Props) {
  const [chosen, setChosen] = useState<string>();
  const preview = seen.previews.find((p) => p.name === chosen) ?? seen.previews.at(-1);
  return (
    <section aria-label="The object forming">
      {preview ? (
        <div className="forming">
          <ApiImage path={preview.url} alt={`Preview: ${preview.title}`} />
          <span className="caption small">{preview.title}</span>
        </div>
      ) : (
        <div className={`forming ${job.state === 'running' ? 'awaited' : ''}`}>
          <div className="empty-stage">
            <Icon name={job.state === 'queued' ? 'clock' : 'cube'} />
            <p>{NOTHING_YET[job.state]}</p>
          </div>
        </div>
      )}
      {seen.previews.length > 1 && (
        <ul className="strip" aria-label="Previews so far">
          {seen.previews.slice(-SHOWN).map((p) => (
            <li key={p.name}>
              <button
                type="button"
                className="plain frame"
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
                Follow the newest
              </button>
            </li>
          )}
        </ul>
      )}
    </section>
  );
}

function Overall({ job, seen }: Props) {
  const progress = seen.progress ?? job.progress ?? undefined;
  if (job.state === 'queued') return <p>Waiting in the queue{job.attempt > 0 ? ', to be taken up again' : ''}.</p>;
  if (job.state !== 'running' || !progress) return null;
  return (
    <div className="overall">
      <p>
        <strong className="share">{percent(progress.overall)}</strong>
        <span className="grow" />
        {progress.remainingSeconds !== undefined && <span>about {duration(progress.remainingSeconds)} left</span>}
      </p>
      <Bar value={progress.overall} label="Progress" />
      <p className="quiet small" aria-live="polite">
        {progress.title}
        {progress.detail && `, ${progress.detail}`}
      </p>
    </div>
  );
}

/** Stages that are over, the one at work, and those ahead; for each run where there are several. */
export function Stages({ job, seen }: Props) {
  const [methods, setMethods] = useState<MethodFacts[]>([]);
  useEffect(() => {
    api.methods().then(
      (m) => setMethods(m.methods),
      () => {},
    );
  }, []);
  const active = job.state === 'running' || job.state === 'queued';
  const current = seen.stages.at(-1);
  const lists = job.methods.map((run) => {
    const past = seen.stages.filter((s) => s.run === run.name);
    const all = methods.find((m) => m.name === run.method)?.stages ?? [];
    return {
      run: run.name,
      past,
      ahead: active ? all.filter((s) => !past.some((k) => k.stage === s.name)) : [],
      seconds: past.reduce((sum, s) => sum + (s.end - s.begin) / 1000, 0),
    };
  });
  if (lists.length === 1) return <StageList label="Stages" job={job} seen={seen} {...lists[0]} />;
  return lists.map((list) => (
    <details key={list.run} className="run" open={current?.run === list.run}>
      <summary>
        {list.run}
        {list.seconds > 0 && <span className="quiet"> {duration(list.seconds)}</span>}
      </summary>
      <StageList label={`Stages of ${list.run}`} job={job} seen={seen} {...list} />
    </details>
  ));
}

interface StageListProps extends Props {
  label: string;
  past: SeenStage[];
  ahead: { name: string; title: string }[];
}

function StageList({ label, job, seen, past, ahead }: StageListProps) {
  const current = seen.stages.at(-1);
  const stopped = job.state === 'failed' || job.state === 'cancelled';
  return (
    <ol className="stages" aria-label={label}>
      {past.map((s) => {
        const last = s === current;
        const state = last && job.state === 'running' ? 'now' : last && stopped ? 'stopped' : 'past';
        return (
          <li key={s.stage} className={state} aria-current={state === 'now' ? 'step' : undefined}>
            <span className="sign">
              <Icon name={state === 'now' ? 'play' : state === 'stopped' ? 'cross' : 'check'} />
            </span>
            <span className="grow">{s.title}</span>
            <span className="quiet">
              {state === 'now' && seen.progress ? percent(seen.progress.fraction) : duration((s.end - s.begin) / 1000)}
            </span>
          </li>
        );
      })}
      {ahead.map((s) => (
        <li key={s.name}>
          <span className="sign" />
          <span>{s.title}</span>
        </li>
      ))}
    </ol>
  );
}

/** Loss, PSNR and whatever else a method tells of itself, over time. */
export function Curves({ seen }: { seen: Watched }) {
  const curves = [...seen.curves].filter(([, points]) => points.length > 1);
  if (curves.length === 0) return null;
  return (
    <div className="charts">
      {curves.map(([name, points]) => (
        <Chart
          key={name}
          title={curveTitle(name)}
          points={points}
          unit={/psnr/i.test(name) ? ' dB' : ''}
          logarithmic={/loss/i.test(name)}
          xLabel={`over ${duration(points[points.length - 1].x - points[0].x)}`}
        />
      ))}
    </div>
  );
}

function curveTitle(name: string): string {
  const title = name.replace(/psnr/i, 'PSNR');
  return title[0].toUpperCase() + title.slice(1);
}
