import { useEffect, useState } from 'react';
import { api, filePath, type Job } from '../../api.js';
import { count, duration, figure, percent } from '../../format.js';
import { go } from '../../route.js';
import { Icon } from '../../ui/Icon.js';
import { Problem, QualityBadge } from '../../ui/parts.js';
import { LazyViewer } from '../../viewer/LazyViewer.js';
import type { StageSettings, Standpoint } from '../../viewer/stage.js';
import { type Quality, useRun } from '../result/quality.js';
import { ViewSlider } from '../result/ViewSlider.js';

interface Candidate {
  /** `job~run` */
  id: string;
  job: Job;
  run: string;
  title: string;
}

/** Two results side by side: one camera for both, the same view of both, and their figures. */
export default function ComparePage({ sides }: { sides: string[] }) {
  const [jobs, setJobs] = useState<Job[]>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    api.list({ state: ['succeeded'], limit: 100 }).then((a) => setJobs(a.jobs), setError);
  }, []);
  if (error !== undefined) return <Problem error={error} />;
  if (!jobs) return <p className="quiet">Loading…</p>;
  const candidates = jobs.flatMap((job) =>
    (job.result?.runs ?? [])
      .filter((r) => !r.failure)
      .map(
        (r): Candidate => ({
          id: `${job.id}~${r.name}`,
          job,
          run: r.name,
          title:
            `${job.name} – ${r.name}, ${r.preset}, ` +
            `${new Date(job.createdAt).toLocaleString([], { dateStyle: 'short', timeStyle: 'short' })}`,
        }),
      ),
  );
  if (candidates.length < 2) {
    return (
      <>
        <h1>Compare</h1>
        <div className="empty">
          <Icon name="compare" />
          <p>
            Two finished models are needed, or one made with two methods. <a href="#/">Make one</a>
          </p>
        </div>
      </>
    );
  }
  // A job alone stands for its first run.
  const find = (id: string | undefined): Candidate | undefined =>
    candidates.find((c) => c.id === id || c.job.id === id);
  const a = find(sides[0]) ?? candidates[0];
  const sibling = candidates.find((c) => c.job.id === a.job.id && c.id !== a.id);
  const b = find(sides[1]) ?? sibling ?? candidates.find((c) => c.id !== a.id)!;
  return <Pair candidates={candidates} a={a} b={b} />;
}

function Pair({ candidates, a, b }: { candidates: Candidate[]; a: Candidate; b: Candidate }) {
  const runs = [useRun(a.job.id, a.run), useRun(b.job.id, b.run)];
  const [moved, setMoved] = useState<{ by: number; at: Standpoint }>();
  // Undefined until something is chosen: the viewer brings its own first settings.
  const [settings, setSettings] = useState<StageSettings>();
  const sides = [a, b];
  const [qa, qb] = runs.map((r) => r?.quality);
  return (
    <>
      <div className="headline">
        <h1>Compare</h1>
        <span className="quiet">Both turn together, under one light, and show the same.</span>
      </div>
      <div className="halves">
        {sides.map((side, i) => {
          const glb = runs[i]?.files.find((f) => f.name.endsWith('.glb'));
          const light = runs[i]?.files.find((f) => f.name.endsWith('light.hdr'));
          return (
            <section key={i === 0 ? 'first' : 'second'} aria-label={i === 0 ? 'First model' : 'Second model'}>
              <label className="field">
                {i === 0 ? 'First' : 'Second'}
                <select
                  value={side.id}
                  onChange={(e) =>
                    i === 0 ? go('compare', e.target.value, b.id) : go('compare', a.id, e.target.value)
                  }
                >
                  {candidates.map((c) => (
                    <option key={c.id} value={c.id}>
                      {c.title}
                    </option>
                  ))}
                </select>
              </label>
              {runs[i]?.error !== undefined && <Problem error={runs[i]?.error} />}
              {glb && (
                <LazyViewer
                  key={side.id}
                  path={filePath(side.job.id, glb.name)}
                  bytes={glb.bytes}
                  light={light && filePath(side.job.id, light.name)}
                  settings={settings}
                  // One turns, the other follows: were both to turn by themselves, they would push each other on.
                  onSettings={setSettings}
                  standpoint={moved && moved.by !== i ? moved.at : undefined}
                  onMove={(at) => setMoved({ by: i, at })}
                />
              )}
              {runs[i]?.quality && (
                <p className="half-verdict">
                  <QualityBadge status={runs[i]!.quality!.status} /> {runs[i]!.quality!.verdict}
                </p>
              )}
            </section>
          );
        })}
      </div>
      {qa && qb && (
        <div className="columns">
          <Figures a={qa} b={qb} />
          <SameView a={a} b={b} qa={qa} qb={qb} folders={runs.map((r) => r?.folder ?? '')} />
        </div>
      )}
    </>
  );
}

function Figures({ a, b }: { a: Quality; b: Quality }) {
  const unseen = (q: Quality) => q.totals.heldOut ?? q.totals.test;
  const rows: {
    title: string;
    of: (q: Quality) => number | undefined;
    show: (v: number) => string;
    better?: 'more' | 'less';
  }[] = [
    { title: 'PSNR of its pictures', of: (q) => q.psnr, show: (v) => `${v.toFixed(2)} dB`, better: 'more' },
    { title: 'SSIM of its pictures', of: (q) => q.ssim, show: (v) => v.toFixed(3), better: 'more' },
    {
      title: 'PSNR of pictures it never saw',
      of: (q) => unseen(q)?.psnr.mean,
      show: (v) => `${v.toFixed(2)} dB`,
      better: 'more',
    },
    { title: 'Outline overlap', of: (q) => q.totals.input?.maskIou?.mean, show: percent, better: 'more' },
    { title: 'Depth error', of: (q) => q.totals.input?.depthMae?.mean, show: figure, better: 'less' },
    { title: 'Triangles', of: (q) => q.mesh.triangles, show: count },
    { title: 'Time', of: (q) => q.run.seconds, show: duration, better: 'less' },
  ];
  return (
    <section aria-labelledby="figures" className="card">
      <h2 id="figures">Figures</h2>
      <div className="table">
        <table>
          <thead>
            <tr>
              <th scope="col">Figure</th>
              <th scope="col">First</th>
              <th scope="col">Second</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ title, of, show, better }) => {
              const [x, y] = [of(a), of(b)];
              if (x === undefined && y === undefined) return null;
              const equal = x === undefined || y === undefined || show(x) === show(y);
              const first = !equal && x! > y! === (better === 'more');
              return (
                <tr key={title}>
                  <th scope="row">{title}</th>
                  <Value text={x === undefined ? '–' : show(x)} better={better !== undefined && !equal && first} />
                  <Value text={y === undefined ? '–' : show(y)} better={better !== undefined && !equal && !first} />
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Value({ text, better }: { text: string; better: boolean }) {
  if (!better) return <td>{text}</td>;
  return (
    <td className="better">
      {text}
      <Icon name="check" />
      <span className="hidden">, the better one</span>
    </td>
  );
}

function SameView({
  a,
  b,
  qa,
  qb,
  folders,
}: {
  a: Candidate;
  b: Candidate;
  qa: Quality;
  qb: Quality;
  folders: string[];
}) {
  const common = qa.views.flatMap((v) => {
    const other = qb.views.find((w) => w.name === v.name && w.images);
    return v.images && other?.images
      ? [{ name: v.name, a: v, b: other, left: v.images.render, right: other.images.render }]
      : [];
  });
  const [at, setAt] = useState(0);
  const view = common[Math.min(at, common.length - 1)];
  if (!view) {
    return (
      <section className="card">
        <p className="quiet">The two have no view in common.</p>
      </section>
    );
  }
  return (
    <section aria-labelledby="same" className="card">
      <div className="row through">
        <h2 id="same">The same view</h2>
        <span className="grow" />
        <label className="row">
          View
          <select value={at} onChange={(e) => setAt(Number(e.target.value))}>
            {common.map((v, i) => (
              <option key={v.name} value={i}>
                {v.name}
              </option>
            ))}
          </select>
        </label>
      </div>
      <ViewSlider
        key={view.name}
        title={view.name}
        left={{ path: filePath(a.job.id, folders[0] + view.left), words: 'First' }}
        right={{ path: filePath(b.job.id, folders[1] + view.right), words: 'Second' }}
        facts={`First ${view.a.psnr.toFixed(1)} dB, second ${view.b.psnr.toFixed(1)} dB`}
      />
    </section>
  );
}
