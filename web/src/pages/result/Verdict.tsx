import { count, duration, figure, percent } from '../../format.js';
import { QualityBadge } from '../../ui/parts.js';
import { plainVerdict } from './plainVerdict.js';
import type { Quality } from './quality.js';

/** How far to trust the model, in words that need no figures. */
export function Verdict({ quality }: { quality: Quality }) {
  const { title, text } = plainVerdict(quality);
  return (
    <section aria-labelledby="verdict" className={`verdict ${quality.status}`}>
      <h2 id="verdict">
        <QualityBadge status={quality.status} /> {title}
      </h2>
      <p>{text}</p>
    </section>
  );
}

/** The evidence for the verdict, for who asks for it. */
export function Figures({ quality }: { quality: Quality }) {
  const { totals, mesh, texture } = quality;
  const groups = [
    ['Made from', totals.input],
    ['Never seen', totals.heldOut ?? totals.test],
  ] as const;
  return (
    <details className="card figures">
      <summary>
        <h2>How far to trust it, in figures</h2>
      </summary>
      <p className="sentence">{quality.verdict}</p>
      <div className="table">
        <table>
          <caption className="hidden">Evidence: how well its renders agree with the pictures</caption>
          <thead>
            <tr>
              <th scope="col">Pictures</th>
              <th scope="col">PSNR, dB</th>
              <th scope="col">SSIM</th>
              <th scope="col">Outline</th>
              <th scope="col">Worst</th>
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
                      {total.psnr.worst.toFixed(1)}
                      <br />
                      <span className="quiet small">{total.psnr.worstView}</span>
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
          {mesh.bounds.max.map((v, i) => figure(v - mesh.bounds.min[i])).join(' × ')}{' '}
          {quality.capture.scaleKnown ? 'scene units' : 'units, scale unknown'}
        </dd>
        <dt>Mesh</dt>
        <dd>
          {count(mesh.triangles)} triangles, {count(mesh.vertices)} vertices
          {mesh.components > 1 && `, ${mesh.components} parts`}
        </dd>
        <dt>Watertight</dt>
        <dd>{mesh.watertight ? 'yes' : 'no: open where no picture saw the surface'}</dd>
        {texture && (
          <>
            <dt>Texture</dt>
            <dd>
              {texture.width} × {texture.height}, {texture.kind === 'baked' ? 'light baked in' : 'physically based'}
            </dd>
          </>
        )}
        <dt>Made in</dt>
        <dd>
          {duration(quality.run.seconds)} on {quality.run.adapter.device}
        </dd>
      </dl>
    </details>
  );
}
