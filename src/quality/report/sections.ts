import { diagonalOf } from '../../core/bounds.js';
import { ERROR_COLOURS, ERROR_FULL_SCALE } from '../metrics/errorImage.js';
import type { Advice, GroupTotals, QualityData, QualityStatus, Statistic, ViewGroup, ViewQuality } from '../schema.js';
import { counted, duration, percent, significant, size, thousands } from '../verdict/words.js';
import { type Html, html } from './html.js';
import type { InlineImage, ReportImages } from './images.js';

export const GROUP_NAMES: Record<ViewGroup, string> = {
  input: 'Input views',
  heldOut: 'Held-out views',
  test: 'Test views',
};
const GROUP_NOTES: Record<ViewGroup, string | null> = {
  input: null,
  heldOut: 'held out, never seen by the method',
  test: 'test view, never seen by the method',
};
const STATUS_NAMES: Record<QualityStatus, string> = { normal: 'Normal', warning: 'Warning', failure: 'Failure' };

const ICONS = {
  normal: html`<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 8.5l3.2 3.2L13 4.8" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"/></svg>`,
  warning: html`<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M8 2.6v6.6M8 12.6v.2" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round"/></svg>`,
  failure: html`<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M4 4l8 8M12 4l-8 8" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"/></svg>`,
  problem: html`<svg viewBox="0 0 18 18" role="img" aria-label="Problem"><path d="M9 1.8L17 16H1z" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linejoin="round"/><path d="M9 7v4M9 13.4v.1" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"/></svg>`,
  hint: html`<svg viewBox="0 0 18 18" role="img" aria-label="Hint"><circle cx="9" cy="9" r="7.3" fill="none" stroke="currentColor" stroke-width="1.7"/><path d="M9 8.2v4.4M9 5.2v.1" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"/></svg>`,
};

export const BRAND = html`<span class="brand"><svg viewBox="0 0 20 20" aria-hidden="true"><path d="M10 1l5.2 3v5.6L10 12.6 4.8 9.6V4z" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round"/><path d="M4.8 4L10 7l5.2-3M10 7v5.4" fill="none" stroke="currentColor" stroke-width="1.3" stroke-linejoin="round"/><path d="M3.5 15.4h13M1.5 18.6h17" stroke="currentColor" stroke-width="1.9" stroke-linecap="round"/></svg>Plinth</span>`;

export const statusBadge = (status: QualityStatus): Html =>
  html`<span class="status ${status}">${ICONS[status]}${STATUS_NAMES[status]}</span>`;

const picture = (image: InlineImage, alt: string): Html =>
  html`<img src="${image.source}" width="${image.width}" height="${image.height}" alt="${alt}">`;

export function hero(data: QualityData, images: ReportImages): Html {
  const { capture, method } = data;
  const [first] = images.views.values();
  const still = images.still ?? first?.render ?? images.turntable;
  // Nothing moves by itself: who opens the turn sees it, who closes it has it still again.
  const turn =
    images.turntable &&
    html`<details class="turn"><summary>Turn it round</summary>${picture(images.turntable, `The model of ${capture.name}, turning`)}</details>`;
  const portrait =
    still && html`<div class="portrait">${picture(still, `The model of ${capture.name}`)}${turn ?? null}</div>`;
  const withDepth =
    capture.views.withDepth > 0
      ? capture.views.withDepth === data.views.length
        ? ' with depth'
        : ', some with depth'
      : '';
  return html`<div class="hero ${portrait ? 'pictured' : ''}"><div>${statusBadge(data.status)}<h1>${capture.name}</h1><p class="kicker">${counted(capture.views.input, 'input view')}${withDepth} · method ${method.name}, preset ${method.preset}</p><p class="verdict">${data.verdict}</p></div>${portrait}</div>`;
}

export function keyFigures(data: QualityData): Html {
  const total = data.totals.input ?? data.totals.heldOut ?? data.totals.test;
  const { normal } = data.thresholds;
  const figure = (name: string, value: string, unit: string, of: string) =>
    html`<div><dt>${name}</dt><dd>${value}${unit && html`<small>${unit}</small>`}<span class="of">${of}</span></dd></div>`;
  const unseen = data.totals.heldOut ?? data.totals.test;
  return html`<dl class="figures">
${figure('PSNR', data.psnr.toFixed(1), 'dB', `normal from ${normal.psnr}`)}
${figure('SSIM', data.ssim.toFixed(3), '', `normal from ${normal.ssim}`)}
${unseen && figure('PSNR of unseen views', unseen.psnr.mean.toFixed(1), 'dB', counted(unseen.views, 'view'))}
${
  total?.maskIou &&
  figure('Silhouette overlap', total.maskIou.mean.toFixed(3), '', `lowest ${total.maskIou.worst.toFixed(3)}`)
}
${
  total?.depthMae &&
  figure(
    'Depth error',
    significant(total.depthMae.mean),
    'units',
    `mean absolute, ${percent(total.depthMae.mean / (diagonalOf(data.capture.bounds) || 1))} of the object`,
  )
}
${figure('Triangles', thousands(data.mesh.triangles), '', data.mesh.watertight ? 'watertight' : 'not watertight')}
${data.run.seconds > 0 && figure('Time', duration(data.run.seconds), '', data.run.adapter.kind === 'software' ? 'software adapter' : data.run.adapter.device)}
</dl>`;
}

export function adviceSection(data: QualityData): Html {
  const problems = data.advice.filter((a) => a.severity === 'problem').length;
  const lead =
    data.advice.length === 0
      ? 'Nothing stands out: silhouettes, brightness, mesh and texture pass every rule.'
      : problems === 0
        ? 'No problems; worth knowing:'
        : problems === 1
          ? 'One problem found.'
          : `${counted(problems, 'problem')} found, the most telling first.`;
  const index = new Map(data.views.map((v, i) => [v.name, i]));
  const where = (a: Advice) =>
    a.views.length > 0 &&
    html`<p class="where">${a.views.slice(0, 12).map((name, i) => html`${i > 0 && ', '}<a href="#view-${index.get(name)}">${name}</a>`)}${a.views.length > 12 && ` and ${a.views.length - 12} more`}</p>`;
  const warnings = data.warnings.map(
    (w) =>
      html`<li class="hint">${ICONS.hint}<div><p>${w.message}${
        w.remedy && ` ${w.remedy}${/[.!?]$/.test(w.remedy) ? '' : '.'}`
      }</p>${w.subject && html`<p class="where">${w.subject}</p>`}</div></li>`,
  );
  return html`<section aria-labelledby="advice"><h2 id="advice">What to do</h2><p class="lead">${lead}</p>${
    (data.advice.length > 0 || data.warnings.length > 0) &&
    html`<ul class="advice">${data.advice.map((a) => html`<li class="${a.severity}">${ICONS[a.severity]}<div><p>${a.message}</p>${where(a)}</div></li>`)}${warnings}</ul>`
  }</section>`;
}

export function measuresSection(data: QualityData): Html {
  const present = (['input', 'heldOut', 'test'] as const).flatMap((g) =>
    data.totals[g] ? [[g, data.totals[g]] as const] : [],
  );
  type Column = [title: string, pick: (t: GroupTotals) => Statistic | null, format: (v: number) => string];
  const columns = (
    [
      ['PSNR', (t) => t.psnr, (v) => v.toFixed(2)],
      ['SSIM', (t) => t.ssim, (v) => v.toFixed(4)],
      ['PSNR in mask', (t) => t.psnrInMask, (v) => v.toFixed(2)],
      ['SSIM in mask', (t) => t.ssimInMask, (v) => v.toFixed(4)],
      ['Mask IoU', (t) => t.maskIou, (v) => v.toFixed(4)],
      ['Depth MAE', (t) => t.depthMae, significant],
      ['Depth RMSE', (t) => t.depthRmse, significant],
    ] satisfies Column[] as Column[]
  ).filter(([, pick]) => present.some(([, t]) => pick(t)));
  const cell = (s: Statistic | null, format: (v: number) => string) =>
    s ? html`<td>${format(s.mean)}<span class="worst">${format(s.worst)} ${s.worstView}</span></td>` : html`<td>–</td>`;
  const { normal, warning } = data.thresholds;
  return html`<section aria-labelledby="measures"><h2 id="measures">Measures</h2><p class="lead">Every view is rendered from the exported asset and held against its picture. Means over the views; below each, the worst view.</p><div class="scroll" tabindex="0" role="group" aria-label="Table of measures"><table><thead><tr><th scope="col"></th>${columns.map(([title]) => html`<th scope="col">${title}</th>`)}<th scope="col">Status</th></tr></thead><tbody>${present.map(
    ([group, t]) =>
      html`<tr><th scope="row">${GROUP_NAMES[group]}<span class="note"> (${t.views})</span></th>${columns.map(([, pick, format]) => cell(pick(t), format))}<td>${statusBadge(t.status)}</td></tr>`,
  )}</tbody></table></div><p class="note">PSNR in dB; depth in scene units. Normal from ${normal.psnr} dB and SSIM ${normal.ssim}, warning from ${warning.psnr} dB and ${warning.ssim}, decided on input views ${data.protocol.statusRegion === 'whole' ? 'over the whole frame' : 'inside the render, since there are no masks'}.</p></section>`;
}

const strayOf = ({ colour }: ViewQuality): string | null =>
  typeof colour?.stray === 'number' ? percent(colour.stray) : null;

export function viewCards(data: QualityData, images: ReportImages): Html {
  const card = (view: ViewQuality, i: number) => {
    const shown = images.views.get(view.name);
    const measure = (name: string, value: string | null | undefined) =>
      value && html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
    return html`<article class="view" id="view-${i}"><header><h3>${view.name}</h3>${GROUP_NOTES[view.group] && html`<span class="group">${GROUP_NOTES[view.group]}</span>`}${statusBadge(view.status)}</header>${
      shown &&
      html`<div class="triple"><figure>${picture(shown.input, `Picture ${view.name}`)}<figcaption>Picture</figcaption></figure><figure>${picture(shown.render, `Render of view ${view.name}`)}<figcaption>Render</figcaption></figure><figure>${picture(shown.error, `Error map of view ${view.name}`)}<figcaption>Error</figcaption></figure></div>`
    }<dl class="measures">${measure('PSNR', `${view.psnr.toFixed(1)} dB`)}${measure('SSIM', view.ssim.toFixed(3))}${measure('in mask', view.inMask && `${view.inMask.psnr.toFixed(1)} dB${view.inMask.ssim === null ? '' : ` / ${view.inMask.ssim.toFixed(3)}`}`)}${measure('IoU', view.mask?.iou.toFixed(3))}${measure('stray colour', strayOf(view))}${measure('depth MAE', view.depth && significant(view.depth.mae))}</dl></article>`;
  };
  return html`<div class="views ${data.views.length > 8 ? 'many' : ''}">${data.views.map(card)}</div>`;
}

/** Colours of the error maps with their meaning. */
export function errorLegend(): Html {
  const n = ERROR_COLOURS.length - 1;
  const stops = ERROR_COLOURS.map(
    (c, i) => html`<stop offset="${(i / n).toFixed(2)}" stop-color="rgb(${c.join(',')})"/>`,
  );
  return html`<span><svg width="120" height="11" viewBox="0 0 120 11" aria-hidden="true"><defs><linearGradient id="error-scale">${stops}</linearGradient></defs><rect width="120" height="11" rx="3" fill="url(#error-scale)"/></svg>Error: mean difference of the channels, from none to ${ERROR_FULL_SCALE * 100} % and more</span>`;
}

export function meshSection(data: QualityData): Html {
  const { mesh, texture } = data;
  const side = [0, 1, 2].map((k) => significant(mesh.bounds.max[k] - mesh.bounds.min[k])).join(' × ');
  const zeroIsGood = (n: number) => html`<span class="${n > 0 ? 'bad' : 'good'}">${thousands(n)}</span>`;
  const densities = data.views.flatMap((v) => (v.group === 'input' ? (v.texelsPerPixel ?? []) : []));
  return html`<section aria-labelledby="mesh"><h2 id="mesh">Mesh and texture</h2><p class="lead">${data.frame}</p><div class="columns"><div><h3>Mesh</h3>${facts(
    [
      ['Triangles', thousands(mesh.triangles)],
      ['Vertices', thousands(mesh.vertices)],
      ['Watertight', mesh.watertight ? html`<span class="good">yes</span>` : html`<span class="bad">no</span>`],
      ['Parts', `${mesh.components}${mesh.innerShells ? `, ${mesh.innerShells} inside` : ''}`],
      ['Open edges', zeroIsGood(mesh.boundaryEdges)],
      ['Non-manifold edges', zeroIsGood(mesh.nonManifoldEdges)],
      ['Inward triangles', zeroIsGood(mesh.inwardTriangles)],
      ['Degenerate triangles', zeroIsGood(mesh.degenerateTriangles)],
      ['Handles', mesh.genus === null ? 'unknown, not closed' : String(mesh.genus)],
      ['Size', `${side} units`],
      ['Surface', `${significant(mesh.area)} square units`],
      ['Volume', mesh.watertight ? `${significant(mesh.volume)} cubic units` : 'unknown, not closed'],
    ],
  )}</div><div><h3>Texture</h3>${facts([
    ['Base colour', `${texture.width} × ${texture.height}`],
    ['Material', texture.kind === 'pbr' ? 'physically based, can be lit anew' : 'baked light, shown unlit'],
    ['Area in use', percent(texture.coverage)],
    ['Without a picture', texture.unseenShare === null ? 'not known' : percent(texture.unseenShare)],
    densities.length > 0 && [
      'Texels per pixel',
      `${Math.min(...densities).toFixed(2)} to ${Math.max(...densities).toFixed(2)}`,
    ],
  ])}</div></div></section>`;
}

type Fact = readonly [name: string, value: Html | string] | false;

export const facts = (list: readonly Fact[]): Html =>
  html`<dl class="facts">${list.map((f) => f && html`<div><dt>${f[0]}</dt><dd>${f[1]}</dd></div>`)}</dl>`;

/** Any JSON object as a list of facts, at most four levels deep. */
export function factTree(value: Record<string, unknown>, level = 0): Html {
  const shown = (v: unknown): Html | string | null => {
    if (v === null || v === undefined) return '–';
    if (typeof v === 'number') return Number.isInteger(v) ? thousands(v) : significant(v);
    if (typeof v === 'boolean') return v ? 'yes' : 'no';
    if (typeof v === 'string') return v;
    if (Array.isArray(v) && v.every((x) => typeof x !== 'object')) {
      return v.length > 16
        ? `${v.length} values`
        : v.map((x) => (typeof x === 'number' ? significant(x) : String(x))).join(', ');
    }
    return level < 3 ? null : JSON.stringify(v);
  };
  return html`<dl class="facts">${Object.entries(value).map(([key, v]) => {
    const text = shown(v);
    if (text !== null) return html`<div><dt>${spaced(key)}</dt><dd>${text}</dd></div>`;
    const inner = byName(v as object);
    return html`<div class="nested"><dt>${spaced(key)}</dt><dd>${sameRows(inner) ? factTable(inner, shown) : factTree(inner, level + 1)}</dd></div>`;
  })}</dl>`;
}

/** Elements of a list go by their `name`, else by their number. */
const byName = (value: object): Record<string, unknown> =>
  Array.isArray(value)
    ? Object.fromEntries(
        value.map((item: unknown, i) => {
          if (typeof item !== 'object' || item === null || !('name' in item)) return [`${i + 1}`, item];
          const { name, ...rest } = item;
          return [String(name), rest];
        }),
      )
    : (value as Record<string, unknown>);

const isPlain = (v: unknown): boolean =>
  typeof v !== 'object' || v === null || (Array.isArray(v) && v.length <= 4 && v.every((x) => typeof x !== 'object'));

/** Objects of the same few plain values, such as scale and offset of every view, read best as a table. */
function sameRows(value: Record<string, unknown>): value is Record<string, Record<string, unknown>> {
  const rows = Object.values(value);
  if (rows.length < 2 || !rows.every((r) => typeof r === 'object' && r !== null && !Array.isArray(r))) return false;
  const keys = Object.keys(rows[0] as object).join();
  return (
    keys !== '' &&
    Object.keys(rows[0] as object).length <= 6 &&
    rows.every((r) => Object.keys(r as object).join() === keys && Object.values(r as object).every(isPlain))
  );
}

function factTable(value: Record<string, Record<string, unknown>>, shown: (v: unknown) => Html | string | null): Html {
  const keys = Object.keys(Object.values(value)[0]);
  const rows = Object.entries(value);
  const table = html`<div class="scroll inner-table"><table><thead><tr><th scope="col"></th>${keys.map((k) => html`<th scope="col">${spaced(k)}</th>`)}</tr></thead><tbody>${rows.map(
    ([name, row]) => html`<tr><th scope="row">${name}</th>${keys.map((k) => html`<td>${shown(row[k])}</td>`)}</tr>`,
  )}</tbody></table></div>`;
  return rows.length > 12 ? html`<details><summary>${rows.length} entries</summary>${table}</details>` : table;
}

/** `focalLength` → "Focal length". Names with digits, dots or underscores are left as they are. */
function spaced(key: string): string {
  if (/^(psnr|ssim|iou|mae|rmse|uv)$/.test(key)) return key.toUpperCase();
  if (!/^[a-z][A-Za-z]*$/.test(key)) return key;
  const words = key.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return words[0].toUpperCase() + words.slice(1);
}

export function detailsSection(data: QualityData): Html {
  const { protocol, run } = data;
  const fold = (title: string, note: string, body: Html) =>
    html`<details><summary>${title} <span>${note}</span></summary><div>${body}</div></details>`;
  return html`<section aria-labelledby="details"><h2 id="details">How it was made and measured</h2><p class="lead">The same capture, options, seed and adapter give the same bytes.</p>${fold(
    'Protocol',
    'what the figures mean',
    facts([
      ['Renders', protocol.renders],
      ['Whole frame', protocol.whole],
      ['In the mask', protocol.inMask],
      ['SSIM', protocol.ssim],
      ['Depth', protocol.depth],
      ['Status', protocol.status],
    ]),
  )}${fold(
    'Run',
    `seed ${data.seed}, ${run.adapter.device}`,
    facts([
      ['Plinth', data.plinth],
      ['Method', `${data.method.name}, preset ${data.method.preset}`],
      ['Seed', String(data.seed)],
      ['Adapter', [run.adapter.device, run.adapter.kind, run.adapter.backend].filter(Boolean).join(', ')],
      run.adapter.description !== '' && ['Driver', run.adapter.description],
      run.peakMemoryBytes !== null && ['Peak memory', size(run.peakMemoryBytes)],
      run.peakGpuBytes !== null && ['Peak GPU memory', size(run.peakGpuBytes)],
    ]),
  )}${fold(
    'Options',
    `${Object.keys(data.method.options).length} in effect`,
    html`<pre>${JSON.stringify(data.method.options, null, 2)}</pre>`,
  )}${
    data.files.length > 0 &&
    fold(
      'Files',
      `${data.files.length}, ${size(data.files.reduce((s, f) => s + f.bytes, 0))}`,
      html`<div class="scroll" tabindex="0" role="group" aria-label="Table of files"><table><thead><tr><th scope="col">File</th><th scope="col">Size</th><th scope="col">SHA-256</th></tr></thead><tbody>${data.files.map((f) => html`<tr><td>${f.path}</td><td>${size(f.bytes)}</td><td><code>${f.sha256.slice(0, 16)}…</code></td></tr>`)}</tbody></table></div>`,
    )
  }</section>`;
}
