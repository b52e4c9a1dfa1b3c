import { useState } from 'react';
import { filePath, type Job } from '../../api.js';
import { Icon } from '../../ui/Icon.js';
import { Notice, Problem, QualityBadge, Report } from '../../ui/parts.js';
import { Segments } from '../../ui/Segments.js';
import { LazyViewer } from '../../viewer/LazyViewer.js';
import { CameraViews } from './CameraViews.js';
import { Downloads } from './Downloads.js';
import { type QualityView, useRun } from './quality.js';
import { Verdict } from './Verdict.js';

/** The result of a job: the model, the verdict with its evidence, the cameras, the files. */
export default function ResultView({ job }: { job: Job }) {
  const runs = job.result!.runs;
  const good = runs.filter((r) => !r.failure);
  const [chosen, setChosen] = useState(job.result!.best ?? good[0]?.name ?? runs[0].name);
  const run = useRun(job.id, runs.find((r) => r.name === chosen && !r.failure)?.name);
  const [camera, setCamera] = useState<QualityView['camera']>();
  const facts = runs.find((r) => r.name === chosen)!;
  const glb = run?.files.find((f) => f.name.endsWith('.glb'));
  return (
    <div className="result">
      {runs.length > 1 && (
        <div className="row runs">
          <Segments
            label="Method"
            choices={runs.map((r) => ({
              value: r.name,
              title: r.name === job.result!.best ? `${r.name} (best)` : r.name,
            }))}
            value={chosen}
            onChange={setChosen}
          />
          {job.result!.comparison && <span className="quiet">{job.result!.comparison}</span>}
        </div>
      )}
      <div className="model">
        {facts.failure && <Report tone="bad" {...facts.failure} />}
        {run?.error !== undefined && <Problem error={run.error} />}
        {!facts.failure && (
          <section aria-label="Model">
            {glb ? (
              <LazyViewer key={glb.name} path={filePath(job.id, glb.name)} bytes={glb.bytes} camera={camera} />
            ) : run ? (
              <Notice tone="hint">
                <p>This result has no GLB file, which is what the viewer shows. Its other files are below.</p>
              </Notice>
            ) : (
              <div className="viewer">
                <div className="canvas">
                  <p className="over">Loading…</p>
                </div>
              </div>
            )}
          </section>
        )}
        {run?.quality && (
          <CameraViews job={job} folder={run.folder} quality={run.quality} key={chosen} onCamera={setCamera} />
        )}
      </div>
      <aside className="told-by-measures">
        {run?.quality ? (
          <Verdict quality={run.quality} />
        ) : (
          facts.quality && (
            <section className="card">
              <QualityBadge status={facts.quality.status} /> PSNR {facts.quality.psnr.toFixed(1)} dB, SSIM{' '}
              {facts.quality.ssim.toFixed(3)}
            </section>
          )
        )}
        {facts.warnings.map((w) => (
          <Report
            key={`${w.code} ${w.subject}`}
            tone="fair"
            message={w.message}
            remedy={w.remedy}
            remedySteps={w.remedySteps}
          />
        ))}
        {run && <Downloads job={job} run={chosen} files={run.files} />}
        {run?.quality && run.quality.advice.length > 0 && (
          <section className="card" aria-labelledby="advice">
            <h2 id="advice">What would make it better</h2>
            <ul className="advice">
              {run.quality.advice.map((a) => (
                <li key={`${a.code} ${a.message}`}>
                  <Icon name="info" />
                  {a.message}
                </li>
              ))}
            </ul>
          </section>
        )}
      </aside>
    </div>
  );
}
