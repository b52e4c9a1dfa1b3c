import { useState } from 'react';
import { filePath, type Job } from '../../api.js';
import { percent } from '../../format.js';
import { Icon } from '../../ui/Icon.js';
import type { Quality } from './quality.js';
import { ViewSlider } from './ViewSlider.js';

interface Props {
  job: Job;
  /** Folder of the run within the result, with its slash. */
  folder: string;
  quality: Quality;
}

/** Each picture with its render over it, view by view, where there is no model to put it on. */
export function CameraViews({ job, folder, quality }: Props) {
  const views = quality.views.filter((v) => v.images);
  const worst = views.reduce((at, v, i) => (v.psnr < views[at].psnr ? i : at), 0);
  const [at, setAt] = useState(0);
  const view = views[at];
  if (!view?.images) return null;
  const path = (name: string): string => filePath(job.id, folder + name);
  const seen = { input: 'used to make it', heldOut: 'held back', test: 'for testing' }[view.group] ?? view.group;
  return (
    <section aria-labelledby="views" className="card">
      <div className="row through">
        <h2 id="views">Look through the cameras</h2>
        <span className="grow" />
        <button
          type="button"
          className="square"
          aria-label="Previous view"
          title="Previous view"
          onClick={() => setAt((at + views.length - 1) % views.length)}
        >
          <Icon name="left" />
        </button>
        <label>
          <span className="hidden">View</span>
          <select value={at} onChange={(e) => setAt(Number(e.target.value))}>
            {views.map((v, i) => (
              <option key={`${v.group} ${v.name}`} value={i}>
                {v.name} – {v.psnr.toFixed(1)} dB{v.group === 'input' ? '' : ', never seen'}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          className="square"
          aria-label="Next view"
          title="Next view"
          onClick={() => setAt((at + 1) % views.length)}
        >
          <Icon name="right" />
        </button>
        <button type="button" onClick={() => setAt(worst)}>
          Worst
        </button>
      </div>
      <ViewSlider
        key={`${view.group} ${view.name}`}
        title={view.name}
        left={{ path: path(view.images.input), words: 'Picture' }}
        right={{ path: path(view.images.render), words: 'Render' }}
        error={path(view.images.error)}
        facts={
          `PSNR ${view.psnr.toFixed(1)} dB, SSIM ` +
          `${view.ssim.toFixed(3)}${view.mask ? `, outlines overlap by ${percent(view.mask.iou)}` : ''} · ` +
          `${seen}`
        }
      />
    </section>
  );
}
