import { useState } from 'react';
import { apiKey, fetchPath, type Job, type JobFile, serviceUrl } from '../../api.js';
import { bytes } from '../../format.js';
import { useStore } from '../../store.js';
import { Icon } from '../../ui/Icon.js';
import { Download, Problem, useImage } from '../../ui/parts.js';

const FORMATS: { pattern: RegExp; title: string; use: string }[] = [
  { pattern: /\.glb$/, title: 'GLB', use: 'web, Blender, engines' },
  { pattern: /\.usdz$/, title: 'USDZ', use: 'Apple devices, AR' },
  { pattern: /\.obj$/, title: 'OBJ', use: 'everything else' },
  { pattern: /\.mtl$/, title: 'MTL', use: 'material of the OBJ' },
  { pattern: /\.ply$/, title: 'PLY', use: 'scanning tools' },
];

interface Props {
  job: Job;
  run: string;
  files: JobFile[];
}

export function Downloads({ job, run, files }: Props) {
  const usdz = files.find((f) => f.name.endsWith('.usdz'));
  const report = files.find((f) => f.name.endsWith('report.html'));
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
              <Download key={title} path={file.url} name={`${job.name}-${run}${/\.\w+$/.exec(file.name)![0]}`}>
                <Icon name="download" />
                <span className="grow">
                  {title} <span className="quiet small">{use}</span>
                </span>
                <span className="quiet small">{bytes(file.bytes)}</span>
              </Download>
            )
          );
        })}
        <Download path={job.links.download} name={`${job.name}.zip`}>
          <Icon name="download" />
          <span className="grow">
            Everything <span className="quiet small">one zip</span>
          </span>
          <span className="quiet small">{bytes(job.result?.bytes ?? 0)}</span>
        </Download>
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
