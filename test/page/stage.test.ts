/** The stage in real Chromium: a made result whose pictures, light and cameras are known to the last pixel. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../src/api/job.js';
import type { QualityData } from '../../src/quality/schema.js';
import { useGpu } from '../gpu.js';
import { startTestServer, type TestServer } from '../service/testServer.js';
import { browserMissing, buildPage, launch, openPage, sticksOut, violations } from './browser.js';
import { madeAsset, makeResult } from './madeResult.js';
import { meansOnObject, middleOf, shareChanged, shareColoured, toSquare } from './pixels.js';

if (browserMissing) console.warn(`The tests of the stage are skipped. ${browserMissing}`);

/** A pixel of a map of the made asset. */
function madeTexel(map: 'baseColor' | 'occlusionRoughnessMetallic', x: number, y: number): number[] {
  const { material } = madeAsset;
  const { width, data } = (map === 'baseColor' ? material.baseColor : material.occlusionRoughnessMetallic)!;
  return [...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 3)];
}

describe.skipIf(browserMissing)('the stage', () => {
  const gpu = useGpu();
  let server: TestServer;
  let browser: Browser;
  let folder: string;
  let quality: QualityData;
  let jobs: Job[];
  /** One for all who want no motion, for a page with a model takes seconds to come up. */
  let calm: Page;
  let complaints: string[];

  beforeAll(async () => {
    buildPage();
    folder = await mkdtemp(join(tmpdir(), 'plinth-made-'));
    await makeResult(gpu(), folder);
    quality = JSON.parse(await readFile(join(folder, 'quality.json'), 'utf8')) as QualityData;
    // Before the server starts, for its workers take it over.
    process.env.STAND_IN_RESULT = folder;
    [server, browser] = await Promise.all([startTestServer(), launch()]);
    jobs = [];
    for (const name of ['Made', 'Made again']) {
      const job = await server.submit([], { name });
      jobs.push(await server.until(job.id, 'succeeded'));
    }
    ({ page: calm, complaints } = await open());
  }, 300_000);
  afterAll(async () => {
    delete process.env.STAND_IN_RESULT;
    await browser?.close();
    await server?.destroy();
    await rm(folder, { recursive: true, force: true });
  });

  /** The result of the first job, with its model on the stage. */
  async function open(options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
    const opened = await openPage(browser, `${server.url}/#/jobs/${jobs[0].id}`, {
      viewport: { width: 560, height: 640 },
      colorScheme: 'light',
      reducedMotion: 'reduce',
      ...options,
    });
    await ready(opened.page);
    return opened;
  }
  const ready = async (page: Page): Promise<void> => {
    const viewers = page.locator('.viewer');
    await viewers.first().waitFor();
    for (let i = 0; i < (await viewers.count()); i++) await page.locator('.viewer[data-ready=true]').nth(i).waitFor();
  };
  /** What the canvas shows, once it shows the same twice. */
  async function still(page: Page, nth = 0): Promise<Awaited<ReturnType<typeof middleOf>>> {
    let before = await middleOf(page, page.locator('.viewer .holder').nth(nth), 0.9, 96);
    for (;;) {
      await page.waitForTimeout(250);
      const now = await middleOf(page, page.locator('.viewer .holder').nth(nth), 0.9, 96);
      if (shareChanged(before, now) === 0) return now;
      before = now;
    }
  }

  it('opens inside a photograph that dissolves into the model, which steps back and turns until it is touched', async () => {
    const { page, complaints } = await openPage(browser, 'about:blank', {
      viewport: { width: 640, height: 560 },
      reducedMotion: 'no-preference',
    });
    // What the stage says of itself is noted at every change, for looks from outside may come late.
    await page.addInitScript(`
      globalThis.acts = [];
      new MutationObserver(() => {
        const viewer = document.querySelector('.viewer[data-act]');
        const photograph = viewer?.querySelector('.photograph img') ? 'photograph' : 'no photograph';
        const act = viewer && viewer.dataset.act + ', ' + photograph;
        if (act && acts.at(-1) !== act) acts.push(act);
      }).observe(document, { attributes: true, childList: true, subtree: true });
    `);
    await page.goto(`${server.url}/#/jobs/${jobs[0].id}`);
    await page.locator('.viewer[data-act=free]').waitFor();
    const acts = await page.evaluate<string[]>('acts');
    const order = ['opening, photograph', 'dissolving, photograph', 'free, no photograph'];
    expect(acts.filter((act) => order.includes(act))).toEqual(order);
    const turning = page.getByRole('button', { name: 'Turntable', pressed: true });
    await turning.waitFor();
    const before = await middleOf(page, page.locator('.viewer .holder'), 0.9, 64);
    await expect
      .poll(async () => shareChanged(before, await middleOf(page, page.locator('.viewer .holder'), 0.9, 64)), {
        timeout: 120_000,
      })
      .toBeGreaterThan(0.03);
    await turning.click();
    expect(shareChanged(await still(page), await still(page))).toBe(0);
    expect(complaints.filter((c) => !c.startsWith(`request to ${server.url}`))).toEqual([]);
    await page.context().close();
  });

  it('shows who wants no motion half of the photograph over the model, and moves nothing', async () => {
    const page = calm;
    await page.getByRole('img', { name: /^Picture of side_/ }).waitFor();
    await page.getByText('Photograph', { exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Turntable' }).getAttribute('aria-pressed')).toBe('false');
    expect(shareChanged(await still(page), await still(page))).toBe(0);
    await page.getByText('Look closer').click();
    await page.getByText('How far to trust it, in figures').click();
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    expect(complaints).toEqual([]);
  });

  it('has the colours of the photographs, at every camera, and lies on them to the pixel', async () => {
    const page = calm;
    for (const [i, view] of quality.views.entries()) {
      await page.getByRole('radio', { name: new RegExp(`^${view.name},`) }).check();
      await page.getByRole('radio', { name: 'Model alone' }).check();
      await still(page);
      await page.locator('.viewer .canvas').evaluate((canvas) => canvas.scrollIntoView());
      const clip = (await page.locator('.picture-over').boundingBox())!;
      const screen = await toSquare(await page.screenshot({ clip }), 96);
      const picture = await readFile(join(folder, view.images!.input));
      const { mean, other, apart, share } = await meansOnObject(picture, screen);
      expect(share, `object in picture ${i}`).toBeGreaterThan(0.08);
      for (let c = 0; c < 3; c++) expect(Math.abs(other[c] / mean[c] - 1), `colour at ${view.name}`).toBeLessThan(0.05);
      expect(apart, `mean difference at ${view.name}`).toBeLessThan(7);
    }
  });

  it('draws each channel, each map flat, and other lights', async () => {
    const page = calm;
    await page.getByRole('button', { name: 'Reset view' }).click();
    const seen = [await still(page)];
    for (const channel of ['Clay', 'Base colour', 'Roughness', 'Occlusion', 'Relief', 'Normals', 'UV']) {
      await page.getByRole('radio', { name: channel, exact: true }).check();
      const now = await still(page);
      for (const before of seen) expect(shareChanged(before, now), channel).toBeGreaterThan(0.1);
      seen.push(now);
    }
    for (const [channel, at, expected] of [
      ['Base colour', [40, 8], madeTexel('baseColor', 40, 8)],
      ['Roughness', [60, 30], Array(3).fill(madeTexel('occlusionRoughnessMetallic', 60, 30)[1])],
      ['Occlusion', [20, 50], Array(3).fill(madeTexel('occlusionRoughnessMetallic', 20, 50)[0])],
    ] as const) {
      await page.getByRole('radio', { name: channel, exact: true }).check();
      if (channel === 'Base colour') await page.getByRole('button', { name: 'Texture, flat' }).click();
      const flat = page.getByRole('img', { name: /^Texture of/ });
      await flat.waitFor();
      const texel = await page.evaluate<number[]>(
        `[...document.querySelector('.flat-map canvas').getContext('2d').getImageData(${at}, 1, 1).data]`,
      );
      expect([channel, texel.slice(0, 3)]).toEqual([channel, [...expected]]);
    }
    await page.getByRole('button', { name: 'Texture, flat' }).click();
    await page.getByRole('radio', { name: 'Finished' }).check();
    const lit = await still(page);
    for (const light of ['Studio', 'Sun', 'Even']) {
      await page.getByRole('radio', { name: light, exact: true }).check();
      expect(shareChanged(lit, await still(page)), light).toBeGreaterThan(0.1);
    }
    await page.getByRole('radio', { name: 'As photographed' }).check();
    await page.getByLabel('Turn light').fill('180');
    expect(shareChanged(lit, await still(page))).toBeGreaterThan(0.1);
  });

  it('stops before the surface, however far the wheel is turned', async () => {
    const page = calm;
    await page.getByRole('button', { name: 'Reset view' }).click();
    const far = await still(page);
    const { x, y, width, height } = (await page.locator('.viewer .holder').boundingBox())!;
    await page.mouse.move(x + width / 2, y + height / 2);
    for (let i = 0; i < 30; i++) await page.mouse.wheel(0, -100);
    const near = await still(page);
    expect(shareChanged(far, near)).toBeGreaterThan(0.2);
    for (let i = 0; i < 30; i++) await page.mouse.wheel(0, -100);
    expect(shareChanged(near, await still(page))).toBe(0);
    // From inside, nothing of it is drawn: its triangles face outwards.
    expect(near.data.subarray((48 * 96 + 48) * 3, (48 * 96 + 48) * 3 + 3).every((v) => v > 200)).toBe(false);
  });

  it('leaves one finger to the page and takes two', async () => {
    const { page } = await open({ viewport: { width: 390, height: 700 }, hasTouch: true, isMobile: true });
    await page.getByRole('button', { name: 'Reset view' }).tap();
    const before = await still(page);
    await page.evaluate('scrollTo(0, 0)');
    const { x, y, width, height } = (await page.locator('.viewer .holder').boundingBox())!;
    const [cx, cy] = [x + width / 2, y + height / 2];
    const session = await page.context().newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', points: [number, number][]) =>
      session.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([px, py]) => ({ x: px, y: py })) });
    await touch('touchStart', [[cx, cy]]);
    for (let i = 1; i <= 12; i++) await touch('touchMove', [[cx, cy - i * 12]]);
    await touch('touchEnd', []);
    await expect.poll(() => page.evaluate<number>('scrollY'), { timeout: 60_000 }).toBeGreaterThan(60);
    expect(shareChanged(before, await still(page))).toBeLessThan(0.01);
    await page.evaluate('scrollTo(0, 0)');
    const pair = (dx: number): [number, number][] => [
      [cx - 40 + dx, cy],
      [cx + 40 + dx, cy],
    ];
    await touch('touchStart', pair(0));
    for (let i = 1; i <= 12; i++) await touch('touchMove', pair(i * 8));
    await touch('touchEnd', []);
    expect(await page.evaluate<number>('scrollY')).toBe(0);
    expect(shareChanged(before, await still(page))).toBeGreaterThan(0.05);
    await page.context().close();
  });

  it('shares a page that stands alone, and a picture', async () => {
    const page = calm;
    const saved = async (button: string): Promise<{ path: string; name: string }> => {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: button }).click(),
      ]);
      const path = join(folder, download.suggestedFilename());
      await download.saveAs(path);
      return { path, name: download.suggestedFilename() };
    };
    const shared = await saved('Share as a page');
    expect(shared.name).toBe('Made.html');
    expect((await stat(shared.path)).size).toBeLessThan(5e6);
    const poster = await saved('Picture as it stands');
    expect(await sharp(poster.path).metadata()).toMatchObject({ format: 'png', width: 1600, height: 1200 });
    const alone = await browser.newContext({
      offline: true,
      reducedMotion: 'reduce',
      viewport: { width: 500, height: 600 },
    });
    const other = await alone.newPage();
    const asked: string[] = [];
    other.on('request', (request) => asked.push(request.url()));
    other.on('console', (message) => message.type() === 'error' && asked.push(message.text()));
    await other.goto(pathToFileURL(shared.path).href);
    await other.locator('#stage[data-ready=true]').waitFor();
    await other.getByRole('img', { name: 'Photograph of Made' }).waitFor();
    await other.getByText('A faithful model.').waitFor();
    const half = await middleOf(other, other.locator('#stage'), 0.9, 64);
    await other.getByRole('slider', { name: 'Photograph' }).fill('0');
    await other.waitForTimeout(1000);
    const bare = await middleOf(other, other.locator('#stage'), 0.9, 64);
    // The room behind the thing is in the photograph alone; the thing is in both.
    expect(shareChanged(half, bare)).toBeGreaterThan(0.1);
    expect(shareColoured(bare)).toBeGreaterThan(0.1);
    expect(asked.filter((what) => !/^(file|blob|data):/.test(what))).toEqual([]);
    expect(await violations(other)).toEqual([]);
    await alone.close();
  });

  it('has a report that any eye and any screen can read, in which nothing moves unasked', async () => {
    const context = await browser.newContext({ offline: true, viewport: { width: 390, height: 800 } });
    const page = await context.newPage();
    await page.goto(pathToFileURL(join(folder, 'report.html')).href);
    expect(await violations(page)).toEqual([]);
    expect(await sticksOut(page)).toBe(0);
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await sticksOut(page)).toBe(0);
    const turning = page.getByRole('img', { name: /turning$/ });
    expect(await turning.isVisible()).toBe(false);
    await page.getByText('Turn it round').press('Enter');
    await turning.waitFor();
    await page.getByText('Turn it round').press('Enter');
    expect(await turning.isVisible()).toBe(false);
    await context.close();
  });

  it('makes again what advice says, and takes another name, by keyboard', async () => {
    const page = calm;
    await page.getByRole('button', { name: 'Rename' }).press('Enter');
    await page.getByLabel('Name', { exact: true }).fill('Made, renamed');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Made, renamed', level: 1 }).waitFor();
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Rename');
    await page.getByRole('button', { name: 'Make again', exact: true }).press('Enter');
    await page
      .getByRole('dialog')
      .getByRole('radio', { name: /^Draft/ })
      .check();
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    await page.getByRole('dialog').getByRole('button', { name: 'Make again' }).click();
    await expect.poll(() => page.url()).not.toContain(jobs[0].id);
    const id = /jobs\/([0-9a-f-]+)/.exec(page.url())![1];
    const made = await server.until(id, 'succeeded');
    expect(made).toMatchObject({ name: 'Made, renamed', methods: [{ method: 'fusion', preset: 'draft' }] });
  });

  it('compares under one camera, one light and one channel', async () => {
    const page = calm;
    await page.goto(`${server.url}/#/compare/${jobs[0].id}/${jobs[1].id}`);
    await page.getByRole('region', { name: 'Second model' }).locator('.viewer').waitFor();
    await ready(page);
    const second = page.getByRole('region', { name: 'Second model' });
    const before = await still(page, 1);
    await page.getByText('Look closer').first().click();
    await page.getByRole('radio', { name: 'Relief' }).first().check();
    const relief = await still(page, 1);
    expect(shareChanged(before, relief)).toBeGreaterThan(0.1);
    expect(await second.getByRole('radio', { name: 'Relief', includeHidden: true }).isChecked()).toBe(true);
    await page.getByRole('radio', { name: 'Sun' }).first().check();
    expect(await second.getByRole('radio', { name: 'Sun', includeHidden: true }).isChecked()).toBe(true);
    expect(shareChanged(relief, await still(page, 1))).toBeGreaterThan(0.1);
    for (let i = 0; i < 3; i++) await page.getByRole('application').first().press('ArrowLeft');
    expect(shareChanged(await still(page, 0), await still(page, 1))).toBeLessThan(0.02);
    expect(complaints).toEqual([]);
  });
});
