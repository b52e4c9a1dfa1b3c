import { useState } from 'react';
import { fileName } from '../../../../src/api/fileName.js';
import { apiKey, fetchPath, type Job, type JobFile, serviceUrl } from '../../api.js';
import { bytes } from '../../format.js';
import { useStore } from '../../store.js';
import { Icon } from '../../ui/Icon.js';
import { Download, Problem, useImage } from '../../ui/parts.js';
import type { Stage } from '../../viewer/stage.js';
import { save } from './Share.js';

const FORMATS: { pattern: RegExp; title: string; use: string }[] = [
  { pattern: /\.glb$/, title: 'GLB', use: 'web, Blender, engines' },
  { pattern: /\.usdz$/, title: 'USDZ', use: 'Apple devices, AR' },
  { pattern: /\.ply$/, title: 'PLY', use: 'scanning tools' },
];

interface Props {
  job: Job;
  run: string;
  files: JobFile[];
  stage: Stage | undefined;
}

export function Downloads({ job, run, files, stage }: Props) {
  const usdz = files.find((f) => f.name.endsWith('.usdz'));
  const report = files.find((f) => f.name.endsWith('report.html'));
  const several = job.result!.runs.length > 1;
  const named = several ? `${job.name} ${run}` : job.name;
  const part = (name: string): string =>
    `${job.links.download}?part=${name}${several ? `&run=${encodeURIComponent(run)}` : ''}`;
  const sum = (pattern: RegExp): number => files.reduce((total, f) => total + (pattern.test(f.name) ? f.bytes : 0), 0);
  const evidence = sum(EVIDENCE);
  const toStl = async (): Promise<void> => {
    const { stl } = await import('../../share/stl.js');
    save(new Blob([stl(stage!.mesh())], { type: 'model/stl' }), fileName(named, 'stl'));
  };
  return (
    <section aria-labelledby="downloads" className="card">
      <h2 id="downloads">Take it with you</h2>
      {usdz && (
        <AugmentedReality path={usdz.url} poster={files.find((f) => /previews\/textured-000/.test(f.name))?.url} />
      )}
      <div className="downloads">
        {FORMATS.map(({ pattern, title, use }) => {
          const file = files.find((f) => pattern.test(f.name));
          return (
            file && (
              <Download key={title} path={file.url} name={fileName(named, title.toLowerCase())}>
                <Words title={title} use={use} size={bytes(file.bytes)} />
              </Download>
            )
          );
        })}
        {files.some((f) => f.name.endsWith('.obj')) && (
          <Download path={part('obj')} name={fileName(`${named} OBJ`, 'zip')}>
            <Words title="OBJ" use="everything else, a zip with its maps" size={bytes(sum(/mesh[._].*/))} />
          </Download>
        )}
        {stage && (
          <button type="button" onClick={() => void toStl()}>
            <Words title="STL" use="printing, form only" />
          </button>
        )}
        <Download path={part('asset')} name={fileName(named, 'zip')}>
          <Words title="Asset" use="all formats, one zip" size={bytes(sum(/./) - evidence)} />
        </Download>
        {evidence > 0 && (
          <Download path={part('evidence')} name={fileName(`${named} evidence`, 'zip')}>
            <Words title="Evidence" use="pictures and measures, one zip" size={bytes(evidence)} />
          </Download>
        )}
        {report && (
          <a className="button" href={serviceUrl() + report.url} target="_blank" rel="noreferrer">
            <Icon name="report" />
            <span className="grow">
              Full report <span className="quiet small">opens beside this page</span>
            </span>
          </a>
        )}
      </div>
    </section>
  );
}

const EVIDENCE = /(^|\/)(previews\/|assessment\/|quality\.json$|report\.html$)/;

const Words = ({ title, use, size }: { title: string; use: string; size?: string }) => (
  <>
    <Icon name="download" />
    <span className="grow">
      {title} <span className="quiet small">{use}</span>
    </span>
    {size && <span className="quiet small">{size}</span>}
  </>
);

/**
 * Shown where the browser opens USDZ files in augmented reality, which wants a link with a picture as its only child.
 */
function AugmentedReality({ path, poster }: { path: string; poster?: string }) {
  const image = useImage(poster);
  const key = useStore(apiKey);
  const [error, setError] = useState<unknown>();
  const supported = document.createElement('a').relList?.supports?.('ar');
  if (!supported || !image) return null;
  /** The system fetches the file itself and knows no key, so it is given a copy. */
  const openCopy = async (): Promise<void> => {
    try {
      const copy = URL.createObjectURL(await (await fetchPath(path)).blob());
      const link = Object.assign(document.createElement('a'), { rel: 'ar', href: copy });
      link.append(document.createElement('img'));
      link.click();
    } catch (e) {
      setError(e);
    }
  };
  return (
    <>
      <a
        className="button ar"
        rel="ar"
        href={serviceUrl() + path}
        onClick={(e) => {
          if (!key) return;
          e.preventDefault();
          void openCopy();
        }}
      >
        <img src={image} alt="View it in your room (AR)" />
      </a>
      {error !== undefined && <Problem error={error} />}
    </>
  );
}
