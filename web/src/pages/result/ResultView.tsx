import { useMemo, useState } from 'react';
import { filePath, type Job } from '../../api.js';
import { Notice, Problem, QualityBadge, Report } from '../../ui/parts.js';
import { Segments } from '../../ui/Segments.js';
import { LazyViewer } from '../../viewer/LazyViewer.js';
import type { Stage } from '../../viewer/stage.js';
import type { Look } from '../../viewer/views.js';
import { Advice } from './Advice.js';
import { CameraViews } from './CameraViews.js';
import { Downloads } from './Downloads.js';
import { type Run, useRun } from './quality.js';
import { Share } from './Share.js';
import { openingOf, stageViews } from './stageViews.js';
import { Figures, Verdict } from './Verdict.js';

/** The result of a job: the verdict in a sentence, the stage, what to take along, and the figures for who wants them. */
export default function ResultView({ job }: { job: Job }) {
  const runs = job.result!.runs;
  const good = runs.filter((r) => !r.failure);
  const [chosen, setChosen] = useState(job.result!.best ?? good[0]?.name ?? runs[0].name);
  const run = useRun(job.id, runs.find((r) => r.name === chosen && !r.failure)?.name);
  const [stage, setStage] = useState<Stage>();
  const [look, setLook] = useState<Look>();
  const facts = runs.find((r) => r.name === chosen)!;
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
      {run?.quality ? (
        <Verdict quality={run.quality} />
      ) : (
        facts.quality && (
          <p className="verdict">
            <QualityBadge status={facts.quality.status} /> PSNR {facts.quality.psnr.toFixed(1)} dB, SSIM{' '}
            {facts.quality.ssim.toFixed(3)}
          </p>
        )
      )}
      {facts.failure && <Report tone="bad" {...facts.failure} />}
      {run?.error !== undefined && <Problem error={run.error} />}
      {!facts.failure && <Model key={chosen} job={job} run={run} look={look} onStage={setStage} />}
      {facts.warnings.map((w) => (
        <Report
          key={`${w.code} ${w.subject}`}
          tone="fair"
          message={w.message}
          remedy={w.remedy}
          remedySteps={w.remedySteps}
        />
      ))}
      <div className="columns">
        <div className="column">
          {run && (
            <Share
              job={job}
              run={run}
              stage={stage}
              opening={run.quality && stageViews(job.id, run.folder, run.quality)[openingOf(run.quality)]}
            />
          )}
          {run?.quality && (
            <Advice
              job={job}
              run={chosen}
              quality={run.quality}
              onLook={(name) => setLook((before) => ({ name, times: (before?.times ?? 0) + 1 }))}
            />
          )}
          {run?.quality && <Figures quality={run.quality} />}
        </div>
        {run && <Downloads job={job} run={chosen} files={run.files} stage={stage} />}
      </div>
    </div>
  );
}

interface ModelProps {
  job: Job;
  run: Run | undefined;
  look: Look | undefined;
  onStage: (stage: Stage | undefined) => void;
}

function Model({ job, run, look, onStage }: ModelProps) {
  const glb = run?.files.find((f) => f.name.endsWith('.glb'));
  const light = run?.files.find((f) => f.name.endsWith('light.hdr'));
  const views = useMemo(() => (run?.quality ? stageViews(job.id, run.folder, run.quality) : []), [job.id, run]);
  if (!run) {
    return (
      <div className="viewer">
        <div className="canvas">
          <p className="over">Loading…</p>
        </div>
      </div>
    );
  }
  return (
    <section aria-label="Model">
      {glb ? (
        <LazyViewer
          key={glb.name}
          path={filePath(job.id, glb.name)}
          bytes={glb.bytes}
          light={light && filePath(job.id, light.name)}
          views={views}
          opening={run.quality && openingOf(run.quality)}
          look={look}
          onStage={onStage}
        />
      ) : (
        <>
          <Notice tone="hint">
            <p>This result has no GLB file, which is what the viewer shows. Its other files are below.</p>
          </Notice>
          {run.quality && <CameraViews job={job} folder={run.folder} quality={run.quality} />}
        </>
      )}
    </section>
  );
}
