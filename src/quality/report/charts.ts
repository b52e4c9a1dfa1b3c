import { cameraPosition } from '../../core/camera.js';
import type { QualityData, Series, Thresholds, ViewQuality } from '../schema.js';
import { duration, significant } from '../verdict/words.js';
import { type Html, html } from './html.js';

interface BarRow {
  title: string;
  value: (v: ViewQuality) => number | null | undefined;
  from: number;
  to: number;
  ticks: number[];
  floors: number[];
  digits: number;
}

const ROW = 126;
const TOP = 34;
const LEFT = 44;

/** Bars of PSNR, SSIM and silhouette overlap for every view, one below the other, each a link to its view. */
export function viewBars(views: readonly ViewQuality[], thresholds: Thresholds): Html {
  const highest = Math.max(40, ...views.map((v) => Math.min(60, v.psnr)));
  const possible: BarRow[] = [
    {
      title: 'PSNR, dB',
      value: (v) => v.psnr,
      from: 0,
      to: highest,
      ticks: [0, 10, 20, 30, 40],
      floors: [thresholds.warning.psnr, thresholds.normal.psnr],
      digits: 1,
    },
    {
      title: 'SSIM, from 0.5',
      value: (v) => v.ssim,
      from: 0.5,
      to: 1,
      ticks: [0.5, 0.75, 1],
      floors: [thresholds.warning.ssim, thresholds.normal.ssim],
      digits: 3,
    },
    {
      title: 'Silhouette overlap (IoU), from 0.5',
      value: (v) => v.mask?.iou,
      from: 0.5,
      to: 1,
      ticks: [0.5, 0.75, 1],
      floors: [],
      digits: 3,
    },
  ];
  const rows = possible.filter((row) => views.some((v) => typeof row.value(v) === 'number'));
  const sideBySide = views.length <= 6;
  const pitch = sideBySide
    ? Math.floor(258 / views.length)
    : Math.max(15, Math.min(110, Math.floor(990 / views.length)));
  const charts = rows.map(
    (
      row,
      r, // By keyboard the views are walked through once, not once a measure.
    ) => barChart(row, views, pitch, sideBySide || r === rows.length - 1, r === 0),
  );
  return sideBySide
    ? html`<div class="chart charts">${charts}</div>`
    : html`<div class="chart scroll" role="group" aria-label="Measures of every view" tabindex="0">${charts}</div>`;
}

function barChart(row: BarRow, views: readonly ViewQuality[], pitch: number, named: boolean, first: boolean): Html {
  const wide = pitch >= 40;
  const width = LEFT + pitch * views.length + 8;
  const longest = Math.max(...views.map((v) => v.name.length));
  const height = Math.ceil(ROW + (!named ? 0 : wide ? 8 : Math.min(120, 6 + longest * 5.4)));
  const bar = Math.min(60, pitch * 0.68);
  const base = ROW - 14;
  const span = base - TOP - 6;
  const y = (value: number) =>
    base - (span * (Math.max(row.from, Math.min(row.to, value)) - row.from)) / (row.to - row.from);
  const grid = row.ticks.map(
    (t) =>
      html`<line class="grid-line" x1="${LEFT - 6}" x2="${width}" y1="${y(t)}" y2="${y(t)}"/><text x="${LEFT - 10}" y="${y(t) + 4}" text-anchor="end">${t}</text>`,
  );
  const bars = views.map((v, i) => {
    const value = row.value(v);
    if (typeof value !== 'number') return null;
    const x = LEFT + pitch * i + (pitch - bar) / 2;
    const top = Math.min(base - 1, y(value));
    const shown = value.toFixed(row.digits);
    return html`<a href="#view-${i}"${first ? null : html` tabindex="-1"`}><title>${v.name}: ${shown}</title><rect class="bar-${v.group}" x="${x.toFixed(1)}" y="${top.toFixed(1)}" width="${bar.toFixed(1)}" height="${(base - top).toFixed(1)}" rx="2"/>${
      wide &&
      html`<text class="value" x="${(x + bar / 2).toFixed(1)}" y="${(top - 4).toFixed(1)}" text-anchor="middle">${shown}</text>`
    }</a>`;
  });
  const floors = row.floors.map(
    (f) => html`<line class="floor-line" x1="${LEFT - 6}" x2="${width}" y1="${y(f)}" y2="${y(f)}"/>`,
  );
  const names =
    named &&
    views.map((v, i) => {
      const x = LEFT + pitch * (i + 0.5);
      return wide
        ? html`<text x="${x}" y="${ROW + 4}" text-anchor="middle">${shortened(v.name, Math.floor(pitch / 6.2))}</text>`
        : html`<text x="${x + 3}" y="${ROW}" text-anchor="end" transform="rotate(-60 ${x + 3} ${ROW})">${shortened(v.name, 20)}</text>`;
    });
  return html`<svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="group" aria-label="${row.title} of ${views.length} views; the same figures stand with every view below"><text class="title" x="0" y="13">${row.title}</text>${grid}${bars}${floors}${names}</svg>`;
}

const shortened = (text: string, letters: number): string =>
  text.length <= letters ? text : `${text.slice(0, Math.max(1, letters - 1))}…`;

/** Where the cameras stood: seen from above and from the side, with the object's box and the way they look. */
export function cameraPlan(data: QualityData): Html {
  const { min, max } = data.capture.bounds;
  const eyes = data.views.map((v) => cameraPosition(v.camera));
  const plan = (title: string, a: number, b: number, flip: number) => {
    const us = [...eyes.map((e) => e[a]), min[a], max[a]];
    const vs = [...eyes.map((e) => e[b] * flip), min[b] * flip, max[b] * flip];
    const middle = (list: number[]) => (Math.min(...list) + Math.max(...list)) / 2;
    const extent = Math.max(Math.max(...us) - Math.min(...us), Math.max(...vs) - Math.min(...vs), 1e-9);
    const scale = 250 / extent;
    const px = (u: number) => 160 + (u - middle(us)) * scale;
    const py = (v: number) => 166 + (v - middle(vs)) * scale;
    const [x0, x1] = [px(min[a]), px(max[a])];
    const [y0, y1] = [py(min[b] * flip), py(max[b] * flip)].sort((s, t) => s - t);
    return html`<svg width="320" height="320" viewBox="0 0 320 320" role="img" aria-label="${title}"><text class="title" x="0" y="13">${title}</text><rect class="object-box" x="${x0.toFixed(1)}" y="${y0.toFixed(1)}" width="${(x1 - x0).toFixed(1)}" height="${(y1 - y0).toFixed(1)}" rx="3"/>${data.views.map(
      (view, i) => {
        const m = view.camera.cameraToWorld;
        const [x, y] = [px(eyes[i][a]), py(eyes[i][b] * flip)];
        const [dx, dy] = [-m[8 + a] * 15, -m[8 + b] * 15 * flip];
        return html`<g class="camera-${view.group}"><title>${view.name}</title><line x1="${x.toFixed(1)}" y1="${y.toFixed(1)}" x2="${(x + dx).toFixed(1)}" y2="${(y + dy).toFixed(1)}" stroke-width="1.5"/><circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3.4" stroke="none"/></g>`;
      },
    )}</svg>`;
  };
  return html`<div class="chart plans">${plan('From above', 0, 2, 1)}${plan('From the front', 0, 1, -1)}</div>`;
}

/** One small chart per curve; a logarithmic scale where the values span more than a factor of fifty. */
export function curves(series: readonly Series[]): Html {
  return html`<div class="chart columns">${series.filter((s) => s.points.length > 1).map(curve)}</div>`;
}

function curve(series: Series): Html {
  const xs = series.points.map((p) => p[0]);
  const values = series.points.map((p) => p[1]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const logarithmic = low > 0 && high / low > 50;
  const f = (v: number) => (logarithmic ? Math.log10(v) : v);
  const range = f(high) - f(low) || 1;
  const xRange = xs[xs.length - 1] - xs[0] || 1;
  const px = (x: number) => 66 + (366 * (x - xs[0])) / xRange;
  const py = (v: number) => 152 - (118 * (f(v) - f(low))) / range;
  const path = series.points.map(([x, v], i) => `${i ? 'L' : 'M'}${px(x).toFixed(1)} ${py(v).toFixed(1)}`).join('');
  const name = `${series.name}${series.unit ? `, ${series.unit}` : ''}${logarithmic ? ' (logarithmic)' : ''}`;
  const last = values[values.length - 1];
  return html`<svg viewBox="0 0 440 180" role="img" aria-label="${name}: from ${significant(values[0])} to ${significant(last)} over ${xs[xs.length - 1]} steps"><text class="title" x="0" y="13">${name}</text>${[low, high].map((v) => html`<line class="grid-line" x1="60" x2="432" y1="${py(v).toFixed(1)}" y2="${py(v).toFixed(1)}"/><text x="56" y="${(py(v) + 4).toFixed(1)}" text-anchor="end">${significant(v)}</text>`)}<path class="curve" d="${path}"/><text x="66" y="172">${xs[0]}</text><text x="432" y="172" text-anchor="end">${xs[xs.length - 1]}</text></svg>`;
}

/** Seconds of every stage as a table with bars. */
export function stageTable(timings: QualityData['run']['timings']): Html {
  const longest = Math.max(1e-9, ...timings.map((t) => t.seconds));
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Table of stages"><table><thead><tr><th scope="col">Stage</th><th scope="col">Time</th><th scope="col" class="left">Share</th></tr></thead><tbody>${timings.map(
    (t) =>
      html`<tr><th scope="row">${t.title ?? t.stage}</th><td>${duration(t.seconds)}</td><td class="left share"><svg width="180" height="9" viewBox="0 0 180 9" aria-hidden="true"><rect class="time-track" width="180" height="9" rx="4.5"/><rect class="time-bar" width="${Math.max(3, (180 * t.seconds) / longest).toFixed(1)}" height="9" rx="4.5"/></svg></td></tr>`,
  )}</tbody></table></div>`;
}
