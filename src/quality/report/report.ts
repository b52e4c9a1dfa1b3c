import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '../../core/errors.js';
import type { QualityData } from '../schema.js';
import { cameraPlan, curves, stageTable, viewBars } from './charts.js';
import { type Html, html, Html as Markup } from './html.js';
import { loadReportImages, type ReportImages } from './images.js';
import { REPORT_FILE } from './qualityJson.js';
import {
  adviceSection,
  BRAND,
  detailsSection,
  errorLegend,
  factTree,
  GROUP_NAMES,
  hero,
  keyFigures,
  measuresSection,
  meshSection,
  viewCards,
} from './sections.js';
import { REPORT_STYLE } from './style.js';

/**
 * Writes `report.html` into a result folder: one file without scripts and without anything to load, for screens light
 * and dark, paper and screen readers. Pictures come from `assessment/` and `previews/` of the same folder; those that
 * are missing leave a gap.
 * @returns the path of the file.
 * @throws `OUTPUT_NOT_WRITABLE`, `CANCELLED`.
 */
export async function writeReport(
  folder: string,
  data: QualityData,
  hooks: { signal?: AbortSignal } = {},
): Promise<string> {
  const images = await loadReportImages(folder, data, hooks.signal);
  const path = join(folder, REPORT_FILE);
  try {
    await writeFile(path, reportHtml(data, images));
  } catch (cause) {
    throw new PlinthError('OUTPUT_NOT_WRITABLE', {
      found: `${path} cannot be written: ${(cause as Error).message}`,
      remedy: 'Check free space and permissions',
      subject: path,
      cause,
    });
  }
  return path;
}

/** The document. Its content security policy allows its own style sheet and inlined images, and nothing else. */
export function reportHtml(data: QualityData, images: ReportImages): string {
  const hash = createHash('sha256').update(REPORT_STYLE).digest('base64');
  const policy = `default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const title = `${data.capture.name} · Plinth quality report`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Markup(REPORT_STYLE)}</style>
</head>
<body>
<header class="top">${BRAND}<span>Quality report</span></header>
<main>
${hero(data, images)}
${keyFigures(data)}
${adviceSection(data)}
${measuresSection(data)}
${viewsSection(data, images)}
${meshSection(data)}
${images.sheet && html`<section aria-labelledby="previews"><h2 id="previews">Previews</h2><p class="lead">The model from eight sides, textured and as clay.</p><figure class="sheet"><img src="${images.sheet.source}" width="${images.sheet.width}" height="${images.sheet.height}" alt="The model from eight sides, textured and as clay"></figure></section>`}
${images.relit && html`<section aria-labelledby="relit"><h2 id="relit">Under other lights</h2><p class="lead">The model in a neutral studio, at sunset and at night: none of them is the light of the pictures.</p><figure class="sheet"><img src="${images.relit.source}" width="${images.relit.width}" height="${images.relit.height}" alt="The model from four sides under three lights"></figure></section>`}
${camerasSection(data)}
${methodSection(data)}
${detailsSection(data)}
<footer>Made by Plinth ${data.plinth}. The same figures for programs: <code>quality.json</code>, schema version ${data.schemaVersion}.</footer>
</main>
</body>
</html>
`;
  return page.text;
}

function viewsSection(data: QualityData, images: ReportImages): Html {
  const groups = (['input', 'heldOut', 'test'] as const).filter((g) => data.totals[g]);
  const legend = groups.map(
    (g) =>
      html`<span><svg width="11" height="11" aria-hidden="true"><rect class="bar-${g}" width="11" height="11" rx="2"/></svg>${GROUP_NAMES[g]}</span>`,
  );
  return html`<section aria-labelledby="views"><h2 id="views">View by view</h2><p class="lead">Dotted lines are the floors of warning and normal. A bar leads to its view. Images are cut to the object; measures are of the whole frame.</p>${viewBars(data.views, data.thresholds)}<div class="legend">${legend}${images.views.size > 0 && errorLegend()}</div>${viewCards(data, images)}</section>`;
}

function camerasSection(data: QualityData): Html {
  const { estimated } = data.capture;
  return html`<section aria-labelledby="cameras"><h2 id="cameras">Cameras</h2><p class="lead">${estimated ? 'Estimated from the pictures themselves.' : 'As the capture gives them.'} The box is the object.</p>${cameraPlan(data)}${
    estimated && html`<div class="narrow"><h3>What was estimated</h3>${factTree(estimated)}</div>`
  }</section>`;
}

function methodSection(data: QualityData): Html | null {
  const { timings } = data.run;
  const { facts } = data.method;
  if (timings.length === 0 && !facts && data.series.length === 0) return null;
  return html`<section aria-labelledby="work"><h2 id="work">The work</h2><p class="lead">What method ${data.method.name} did, and how long each stage took.</p>${data.series.length > 0 && curves(data.series)}<div class="columns">${timings.length > 0 && html`<div><h3>Stages</h3>${stageTable(timings)}</div>`}${facts && html`<div><h3>Method</h3>${factTree(facts)}</div>`}</div></section>`;
}
