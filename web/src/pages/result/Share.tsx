import { useState } from 'react';
import { fileName } from '../../../../src/api/fileName.js';
import { fetchPath, filePath, type Job, serviceUrl } from '../../api.js';
import { bytes, percent } from '../../format.js';
import { Icon } from '../../ui/Icon.js';
import { Bar, Notice } from '../../ui/parts.js';
import type { Stage } from '../../viewer/stage.js';
import type { StageView } from '../../viewer/views.js';
import { explain } from '../../words.js';
import { plainVerdict } from './plainVerdict.js';
import type { Run } from './quality.js';

interface Props {
  job: Job;
  run: Run;
  stage: Stage | undefined;
  opening: StageView | undefined;
}

/** What is being made, and how far it is. */
interface Work {
  what: string;
  share: number;
}

/** Ways to show the model to others: a page of its own, a film, a picture. Made here, sent nowhere. */
export function Share({ job, run, stage, opening }: Props) {
  const [work, setWork] = useState<Work>();
  const [told, setTold] = useState<string>();
  const [error, setError] = useState<string>();
  const glb = run.files.find((f) => f.name.endsWith('.glb'));
  const light = run.files.find((f) => f.name.endsWith('light.hdr'));
  if (!glb) return null;

  const make = async (what: string, name: string, how: (tell: (share: number) => void) => Promise<Blob>) => {
    setWork({ what, share: 0 });
    setError(undefined);
    setTold(undefined);
    try {
      const made = await how((share) => setWork({ what, share }));
      save(made, name);
      setTold(`${name}, ${bytes(made.size)}, is saved.`);
    } catch (e) {
      setError(explain(e).message);
    } finally {
      setWork(undefined);
    }
  };
  const page = () =>
    make('Packing the page', fileName(job.name, 'html'), async (tell) => {
      const [{ compactGlb }, { shareFile }] = await Promise.all([
        import('../../share/compactGlb.js'),
        import('../../share/shareFile.js'),
      ]);
      const read = async (path: string): Promise<Response> => await fetchPath(path);
      const model = await (await read(filePath(job.id, glb.name))).arrayBuffer();
      tell(0.3);
      const small = await compactGlb(model);
      tell(0.7);
      const script = await fetch(`${serviceUrl()}/share/viewer.js`);
      if (!script.ok) throw new Error('The script of shared pages is not on the service.');
      const verdict = run.quality ? plainVerdict(run.quality) : { title: '', text: '' };
      const html = await shareFile({
        name: job.name,
        ...verdict,
        camera: opening?.camera,
        glb: small.byteLength < model.byteLength ? small : model,
        light: light && (await (await read(filePath(job.id, light.name))).arrayBuffer()),
        photograph: opening && (await (await read(opening.picture)).blob()),
        script: await script.text(),
      });
      tell(1);
      return new Blob([html], { type: 'text/html' });
    });
  const film = () =>
    make('Filming a turn', fileName(job.name, 'webm'), async (tell) =>
      (await import('../../share/film.js')).film(stage!, tell),
    );
  const poster = () =>
    make('Taking a picture', fileName(job.name, 'png'), async () =>
      (await import('../../share/film.js')).poster(stage!),
    );
  const busy = work !== undefined;
  return (
    <section aria-labelledby="share" className="card sharing">
      <h2 id="share">Show it to others</h2>
      <button type="button" className="primary" disabled={busy} onClick={() => void page()}>
        <Icon name="send" />
        Share as a page
      </button>
      <p className="quiet small">
        One file that opens in any browser, also without a network: the photograph, the model that it becomes, and the
        verdict.
      </p>
      <div className="row">
        {'VideoEncoder' in globalThis && (
          <button type="button" disabled={busy || !stage} onClick={() => void film()}>
            <Icon name="turntable" />
            Film of a turn
          </button>
        )}
        <button type="button" disabled={busy || !stage} onClick={() => void poster()}>
          <Icon name="picture" />
          Picture as it stands
        </button>
      </div>
      <div aria-live="polite">
        {work && (
          <>
            <Bar value={work.share} label={work.what} />
            <p className="quiet small">
              {work.what}, {percent(work.share)}
            </p>
          </>
        )}
        {told && <p className="small">{told}</p>}
      </div>
      {error && (
        <Notice tone="bad">
          <p>{error}</p>
        </Notice>
      )}
    </section>
  );
}

/** Saves what the page made under a name. */
export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
