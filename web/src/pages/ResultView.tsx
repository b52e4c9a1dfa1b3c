import { useState } from 'react';
import { filePath, type Job, type JobFile, serviceUrl } from '../api.js';
import { bytes, count, duration, figure, percent } from '../format.js';
import { Download, Problem, QualityBadge, Report, useImage } from '../ui/parts.js';
import { LazyViewer } from '../viewer/LazyViewer.js';
import { type Quality, type QualityView, useRun } from './quality.js';
import { ViewSlider } from './ViewSlider.js';

/** The result of a job: the model, the verdict with its evidence, downloads. */
export default function ResultView({ job }: { job: Job }) {
  const runs = job.result!.runs;
  const good = runs.filter((r) => !r.failure);
  const [chosen, setChosen] = useState(job.result!.best ?? good[0]?.name ?? runs[0].name);
  const run = useRun(job.id, runs.find((r) => r.name === chosen && !r.failure)?.name);
  const [camera, setCamera] = useState<QualityView['camera']>();
  const failure = runs.find((r) => r.name === chosen)?.failure;
  const facts = runs.find((r) => r.name === chosen)!;
  const glb = run?.files.find((f) => f.name.endsWith('.glb'));
  return (
    <>
      {runs.length > 1 && (
        <fieldset className="segments">
          <legend className="hidden">Method</legend>
          {runs.map((r) => (
            <button type="button" key={r.name} aria-pressed={r.name === chosen} onClick={() => setChosen(r.name)}>
              {r.name}
              {r.name === job.result!.best && ' (best)'}
            </button>
          ))}
        </fieldset>
      )}
      {job.result!.comparison && <p>{job.result!.comparison}</p>}
      {failure && <Report tone="bad" {...failure} />}
      {run?.error !== undefined && <Problem error={run?.error} />}
      {!failure && (
        <section aria-label="Model">
          {glb ? (
            <LazyViewer key={glb.name} path={filePath(job.id, glb.name)} bytes={glb.bytes} camera={camera} />
          ) : (
            run && (
              <p className="notice">
                This result has no GLB file, which is what the viewer shows. Its other files are below.
              </p>
            )
          )}
        </section>
      )}
      {run?.quality ? (
        <>
          <Verdict quality={run.quality} />
          <Views job={job} folder={run.folder} quality={run.quality} onCamera={setCamera} />
        </>
      ) : (
        facts.quality && (
          <p>
            <QualityBadge status={facts.quality.status} /> PSNR {facts.quality.psnr.toFixed(1)} dB, SSIM{' '}
            {facts.quality.ssim.toFixed(3)}
          </p>
        )
      )}
      {facts.warnings.map((w) => (
        <Report key={`${w.code} ${w.subject}`} tone="fair" message={w.message} remedy={w.remedy} />
      ))}
      {run && <Downloads job={job} run={chosen} files={run.files} />}
    </>
  );
}

const TONE = { normal: 'good', warning: 'fair', failure: 'bad' };

function Verdict({ quality }: { quality: Quality }) {
  const { totals, mesh, texture } = quality;
  const size = mesh.bounds.max.map((v, i) => figure(v - mesh.bounds.min[i]));
  const groups = [
    ['Pictures it was made from', totals.input],
    ['Pictures it never saw', totals.heldOut ?? totals.test],
  ] as const;
  return (
    <section aria-labelledby="verdict">
      <h2 id="verdict">How far to trust it</h2>
      <div className={`notice ${TONE[quality.status]}`}>
        <p className="verdict">
          <QualityBadge status={quality.status} /> {quality.verdict}
        </p>
      </div>
      <div className="columns">
        <div className="table">
          <table>
            <caption className="hidden">Evidence</caption>
            <thead>
              <tr>
                <th scope="col">Evidence</th>
                <th scope="col">PSNR, dB</th>
                <th scope="col">SSIM</th>
                <th scope="col">Outline overlap</th>
                <th scope="col">Worst view</th>
              </tr>
            </thead>
            <tbody>
              {groups.map(([title, total]) => (
                <tr key={title}>
                  <th scope="row">{title}</th>
                  {total ? (
                    <>
                      <td>{total.psnr.mean.toFixed(1)}</td>
                      <td>{total.ssim.mean.toFixed(3)}</td>
                      <td>{total.maskIou ? percent(total.maskIou.mean) : '–'}</td>
                      <td>
                        {total.psnr.worstView}, {total.psnr.worst.toFixed(1)} dB
                      </td>
                    </>
                  ) : (
                    <td colSpan={4} className="quiet">
                      none were held back
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <dl className="facts">
          <dt>Size</dt>
          <dd>
            {size.join(' × ')} {quality.capture.scaleKnown ? 'scene units' : 'units (scale unknown)'}
          </dd>
          <dt>Triangles</dt>
          <dd>{count(mesh.triangles)}</dd>
          <dt>Vertices</dt>
          <dd>{count(mesh.vertices)}</dd>
          <dt>Parts</dt>
          <dd>{mesh.components}</dd>
          <dt>Watertight</dt>
          <dd>{mesh.watertight ? 'yes' : 'no: where no picture saw the surface, it is open'}</dd>
          {texture && (
            <>
              <dt>Texture</dt>
              <dd>
                {texture.width} × {texture.height}, {texture.kind === 'baked' ? 'light baked in' : 'physically based'}
              </dd>
            </>
          )}
          <dt>Time</dt>
          <dd>
            {duration(quality.run.seconds)} on {quality.run.adapter.device}
          </dd>
        </dl>
      </div>
      {quality.advice.length > 0 && (
        <>
          <h3>What would make it better</h3>
          <ul>
            {quality.advice.map((a) => (
              <li key={`${a.code} ${a.message}`}>{a.message}</li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Views({
  job,
  folder,
  quality,
  onCamera,
}: {
  job: Job;
  folder: string;
  quality: Quality;
  onCamera: (camera: QualityView['camera']) => void;
}) {
  const views = quality.views.filter((v) => v.images);
  const worst = views.reduce((at, v, i) => (v.psnr < views[at].psnr ? i : at), 0);
  const [at, setAt] = useState(0);
  const view = views[at];
  if (!view?.images) return null;
  const path = (name: string): string => filePath(job.id, folder + name);
  return (
    <section aria-labelledby="views">
      <h2 id="views">Look through the cameras</h2>
      <div className="row">
        <label>
          View{' '}
          <select value={at} onChange={(e) => setAt(Number(e.target.value))}>
            {views.map((v, i) => (
              <option key={`${v.group} ${v.name}`} value={i}>
                {v.name} – {v.psnr.toFixed(1)} dB{v.group === 'input' ? '' : ', never seen'}
              </option>
            ))}
          </select>
        </label>
        <button type="button" onClick={() => setAt((at + views.length - 1) % views.length)}>
          Previous
        </button>
        <button type="button" onClick={() => setAt((at + 1) % views.length)}>
          Next
        </button>
        <button type="button" onClick={() => setAt(worst)}>
          Worst
        </button>
        <button
          type="button"
          onClick={() => {
            onCamera({ ...view.camera });
            document.querySelector('.viewer')?.scrollIntoView({ block: 'center' });
          }}
        >
          Stand there in 3D
        </button>
      </div>
      <ViewSlider
        key={view.name}
        title={view.name}
        left={{ path: path(view.images.input), words: 'Picture' }}
        right={{ path: path(view.images.render), words: 'Render' }}
        error={path(view.images.error)}
        facts={`PSNR ${view.psnr.toFixed(1)} dB, SSIM ${view.ssim.toFixed(3)}${view.mask ? `, outlines overlap by ${percent(view.mask.iou)}` : ''}`}
      />
    </section>
  );
}

const FORMATS: [RegExp, string][] = [
  [/\.glb$/, 'GLB'],
  [/\.usdz$/, 'USDZ'],
  [/\.obj$/, 'OBJ'],
  [/\.mtl$/, 'MTL for OBJ'],
  [/\.ply$/, 'PLY'],
];

function Downloads({ job, run, files }: { job: Job; run: string; files: JobFile[] }) {
  const usdz = files.find((f) => f.name.endsWith('.usdz'));
  const report = files.find((f) => f.name.endsWith('report.html'));
  return (
    <section aria-labelledby="downloads">
      <h2 id="downloads">Take it with you</h2>
      <div className="row">
        <Download path={job.links.download} name={`${job.name}.zip`}>
          Everything (zip)
        </Download>
        {FORMATS.map(([pattern, title]) => {
          const file = files.find((f) => pattern.test(f.name));
          return (
            file && (
              <Download key={title} path={file.url} name={`${job.name}-${run}${/\.\w+$/.exec(file.name)![0]}`}>
                {title} <span className="quiet small">{bytes(file.bytes)}</span>
              </Download>
            )
          );
        })}
        {report && (
          <a className="button" href={serviceUrl() + report.url} target="_blank" rel="noreferrer">
            Full report
          </a>
        )}
        {usdz && (
          <AugmentedReality path={usdz.url} poster={files.find((f) => /previews\/textured-000/.test(f.name))?.url} />
        )}
      </div>
    </section>
  );
}

/** Shown where the browser opens USDZ files in augmented reality, which wants a link with a picture as its only child. */
function AugmentedReality({ path, poster }: { path: string; poster?: string }) {
  const image = useImage(poster);
  const supported = document.createElement('a').relList?.supports?.('ar');
  if (!supported || !image) return null;
  return (
    <a className="button" rel="ar" href={serviceUrl() + path}>
      <img src={image} alt="Open in AR" width={64} height={48} />
    </a>
  );
}
