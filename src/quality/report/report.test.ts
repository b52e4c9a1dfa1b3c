import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { healthyMesh, qualityInput, sphereRenderer } from '../../../test/qualityFixtures.js';
import { sphereAsset, sphereCapture } from '../../../test/sphereCapture.js';
import { assessWith } from '../assess/assess.js';
import type { QualityData } from '../schema.js';
import { html } from './html.js';
import { IMAGE_BUDGET, loadReportImages } from './images.js';
import { buildQuality, type QualityInput } from './qualityJson.js';
import { reportHtml, writeReport } from './report.js';

let folder: string;
let input: QualityInput;
let data: QualityData;
let page: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plinth-report-'));
  const capture = sphereCapture({ views: 9, test: 2 });
  const mesh = { ...healthyMesh, watertight: false, boundaryEdges: 7 };
  const assessment = await assessWith(
    sphereRenderer({ exposure: 0.9 }),
    sphereAsset(),
    mesh,
    capture,
    { heldOut: ['r_8'] },
    folder,
  );
  input = qualityInput(capture, assessment);
  data = buildQuality(input);
  page = await readFile(await writeReport(folder, data), 'utf8');
});
afterAll(() => rm(folder, { recursive: true }));

const sources = (text: string) => [...text.matchAll(/<img src="([^"]*)"/g)].map((m) => m[1]);

describe('the report', () => {
  test('is self-contained: nothing to load, no script, no inline handler or style', () => {
    expect(page).not.toMatch(/<script|<link|<iframe|<object|javascript:|\sstyle=|\son[a-z]+=/i);
    expect(page).not.toMatch(/(?:src|href|srcset|action)="(?!data:image\/webp;base64,|#)/);
    expect(page).not.toMatch(/url\((?!#)|@import|https?:\/\//);
  });

  test('has a policy that allows its own style sheet by hash and inlined images only', () => {
    const style = /<style>([\s\S]*)<\/style>/.exec(page)![1];
    const hash = createHash('sha256').update(style).digest('base64');
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)![1].replaceAll('&#39;', "'");
    expect(policy).toBe(
      `default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
    );
  });

  test('shows picture, render and error map of every view, as images that decode', async () => {
    const images = sources(page);
    // Three per view and the portrait.
    expect(images.length).toBe(3 * 11 + 1);
    for (const source of images.slice(0, 4)) {
      const meta = await sharp(Buffer.from(source.split(',')[1], 'base64')).metadata();
      expect(meta.format).toBe('webp');
    }
    for (const view of data.views) expect(page).toContain(`alt="Error map of view ${view.name}"`);
  });

  test('gives verdict, figures, advice, groups, mesh facts and stages', () => {
    expect(page).toContain(data.verdict);
    for (const advice of data.advice) expect(page).toContain(advice.message);
    for (const text of ['Input views', 'Held-out views', 'Test views', 'Open edges', 'Fusing depth', 'Test GPU']) {
      expect(page).toContain(text);
    }
    expect(data.advice.map((a) => a.code)).toContain('holes');
  });

  test('has bars that lead to their views, with only links that arrive', () => {
    const ids = new Set([...page.matchAll(/\sid="([^"]*)"/g)].map((m) => m[1]));
    const targets = [...page.matchAll(/(?:href="#|aria-labelledby="|url\(#)([^")]*)/g)].map((m) => m[1]);
    expect(targets.length).toBeGreaterThan(3 * 11);
    for (const target of targets) expect(ids).toContain(target);
    expect(ids.size).toBe([...page.matchAll(/\sid="/g)].length);
  });

  test('is the same bytes for the same data', async () => {
    const first = await readFile(join(folder, 'report.html'));
    await writeReport(folder, data);
    expect((await readFile(join(folder, 'report.html'))).equals(first)).toBe(true);
  });

  test('writes names and texts of users as text, never as markup', () => {
    const evil = '<img src=x onerror=alert(1)>"\'&';
    const capture = { ...input.capture, name: evil, estimated: { [evil]: { deep: evil } } };
    const text = reportHtml(
      buildQuality({ ...input, capture, warnings: [{ code: 'W', message: evil, subject: evil }] }),
      {
        views: new Map(),
      },
    );
    expect(text).not.toContain('<img src=x');
    expect(text).not.toMatch(/="[^"]*<img/);
    expect(text.match(/&#60;img src=x onerror=alert\(1\)&#62;&#34;&#39;&#38;/g)?.length).toBeGreaterThanOrEqual(5);
  });

  test('draws curves and what was estimated, where there are any', () => {
    expect(page).not.toContain('What was estimated');
    const facts = {
      series: [
        {
          name: 'Loss',
          points: [
            [0, 1],
            [1, 0.5],
            [2, 0.001],
          ],
        },
      ],
    };
    const capture = {
      ...input.capture,
      estimated: { focalLength: 812.25, depth: { front: { scale: 2 }, back: { scale: 3 } } },
    };
    const text = reportHtml(buildQuality({ ...input, capture, method: { ...input.method, facts } }), {
      views: new Map(),
    });
    expect(text).toContain('Loss (logarithmic)');
    expect(text).toMatch(/Focal length<\/dt><dd>812/);
    expect(text).toMatch(/<th scope="row">back<\/th><td>3<\/td>/);
  });
});

test('a result without images still has a report', async () => {
  const empty = join(folder, 'empty');
  await mkdir(empty);
  const text = await readFile(await writeReport(empty, data), 'utf8');
  expect(sources(text)).toEqual([]);
  expect(text).toContain(data.verdict);
});

test('shows previews where the result has them', async () => {
  const previews = join(folder, 'with', 'previews');
  await mkdir(previews, { recursive: true });
  const still = sharp({ create: { width: 64, height: 64, channels: 4, background: '#aa5522' } }).png();
  await writeFile(join(previews, 'contact-sheet.png'), await still.toBuffer());
  await writeFile(join(previews, 'relit-sheet.png'), await still.clone().resize(48).toBuffer());
  const images = await loadReportImages(join(folder, 'with'), data);
  const { sheet, relit, turntable } = images;
  expect(sheet).toMatchObject({ width: 64, height: 64 });
  expect(relit).toMatchObject({ width: 48, height: 48 });
  expect(reportHtml(data, images)).toContain('Under other lights');
  expect(reportHtml(data, { ...images, relit: undefined })).not.toContain('Under other lights');
  expect(turntable).toBeUndefined();
});

test.each([
  { count: 8, side: 560, least: 200 },
  { count: 120, side: 200, least: 64 },
])('images of $count noisy views are made smaller until they fit the budget', async ({ count, side, least }) => {
  const noisy = join(folder, `noisy-${count}`);
  await mkdir(join(noisy, 'assessment'), { recursive: true });
  const pixels = Buffer.alloc(side * side * 3);
  for (let i = 0, x = 1; i < pixels.length; i++) {
    x = (x * 1103515245 + 12345) % 2147483648;
    pixels[i] = x >> 16;
  }
  const png = await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
  const views = Array.from({ length: count }, (_, i) => {
    const images = { input: `assessment/${i}.png`, render: `assessment/${i}.png`, error: `assessment/${i}.png` };
    return { ...data.views[0], name: String(i), images };
  });
  for (const view of views) await writeFile(join(noisy, view.images.input), png);
  const { views: loaded } = await loadReportImages(noisy, { ...data, views });
  const total = [...loaded.values()].reduce(
    (n, v) => n + v.input.source.length + v.render.source.length + v.error.source.length,
    0,
  );
  expect([...loaded.keys()]).toEqual(views.map((v) => v.name));
  expect(total).toBeLessThanOrEqual(IMAGE_BUDGET);
  // Nor are they smaller than need be.
  expect(total).toBeGreaterThan(0.5 * IMAGE_BUDGET);
  expect(loaded.get('0')!.input.width).toBeLessThan(side);
  expect(loaded.get('0')!.input.width).toBeGreaterThan(least);
});

test('stops on abort', async () => {
  await expect(writeReport(folder, data, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('the template escapes all but markup', () => {
  expect(html`<b>${'<'}${html`<i>${1}</i>`}${[null, false, '&', html`<u></u>`]}</b>`.text).toBe(
    '<b>&#60;<i>1</i>&#38;<u></u></b>',
  );
});
