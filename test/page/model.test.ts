/**
 * The page from a bundled example to finished models on screen: real Chromium, real server, real engine. One job makes
 * all there is to see; its sizes are small, but for the pictures of the documentation (`SCREENSHOTS=1`).
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobFile } from '../../src/api/client.js';
import type { Job } from '../../src/api/job.js';
import { startTestServer, type TestServer } from '../service/testServer.js';
import { zipNames } from '../zip.js';
import { browserMissing, buildPage, launch, openPage, screenshot, settle, sticksOut, violations } from './browser.js';
import { differenceOnObject, middleOf, shareChanged, shareColoured, toSquare } from './pixels.js';

const FOR_DOCUMENTS = process.env.SCREENSHOTS !== undefined;
const EXAMPLE = FOR_DOCUMENTS ? 'Vase' : 'Suzanne, photographed';
/** Options by their titles, for each method in the order of the page. */
const SMALL: [string, number][][] = [
  [
    ['Resolution', 64],
    ['Triangles', 3000],
    ['Texture size', 512],
  ],
  [
    ['Iterations', 30],
    ['Image size', 64],
    ['Triangles', 1500],
    ['Resolution', 64],
  ],
];
/** Longest that anything of the engine may take on a busy machine. */
const PATIENCE = 1_800_000;

const SLOWLY = { timeout: PATIENCE };

const skipped =
  browserMissing ??
  (process.env.PAGE_MODELS || FOR_DOCUMENTS ? undefined : 'Set PAGE_MODELS=1 to run them: they take minutes.');
if (skipped) console.warn(`The page's tests with models are skipped. ${skipped}`);

describe.skipIf(skipped)('the page with the real engine', { timeout: PATIENCE }, () => {
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let job: Job;

  beforeAll(async () => {
    buildPage();
    [server, browser] = await Promise.all([
      startTestServer({ flags: { 'worker.engine': undefined, 'gpu.skipSlowChecks': true } }),
      launch(),
    ]);
    ({ page, complaints } = await openPage(browser, server.url, { colorScheme: 'light' }));
    page.setDefaultTimeout(PATIENCE);
  }, PATIENCE);
  afterAll(async () => {
    await browser?.close();
    await server?.destroy();
  });

  const ready = async (): Promise<void> => {
    const viewers = page.locator('.viewer');
    await viewers.first().waitFor();
    for (let i = 0; i < (await viewers.count()); i++) await page.locator('.viewer[data-ready=true]').nth(i).waitFor();
    await page.waitForTimeout(300);
  };
  const canvas = () => page.locator('.viewer canvas').first();

  it('cancels a job in the middle of its work', async () => {
    await page.getByRole('button', { name: 'Make it Suzanne, generated' }).click();
    await page.getByRole('list', { name: 'Stages' }).getByRole('listitem').first().waitFor();
    await page.getByRole('progressbar', { name: 'Progress' }).waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel the model' }).click();
    await page.getByText('Cancelled', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'All models' }).click();
    await page.getByRole('link', { name: 'Suzanne, generated' }).waitFor();
  });

  it('makes an example with two methods, each with its options, and shows it forming through a reload', async () => {
    await page.getByRole('button', { name: `Options for ${EXAMPLE}` }).click();
    await page.getByRole('checkbox', { name: /^Inverse rendering/ }).check();
    for (const [i, options] of SMALL.entries()) {
      const method = page.locator('.method').nth(i);
      await method.getByRole('radio', { name: FOR_DOCUMENTS && i === 0 ? /^Standard/ : /^Draft/ }).check();
      await method.getByText('Options', { exact: true }).click();
      if (FOR_DOCUMENTS) continue;
      for (const [title, value] of options) await method.getByLabel(title, { exact: true }).fill(String(value));
      if (i === 1) await method.getByLabel('Texture size', { exact: true }).selectOption('128');
    }
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    const forming = page.getByRole('region', { name: 'The object forming' });
    await forming
      .getByRole('img', { name: /^Preview/ })
      .first()
      .waitFor();
    await page.reload();
    // What was seen before the reload is seen again.
    const stages = page.locator('ol[aria-label="Stages of fusion"]');
    await stages.getByText('Loading masks and depth').waitFor({ state: 'attached' });
    const preview = forming.getByRole('img', { name: /^Preview/ }).first();
    await preview.waitFor();
    await expect
      .poll(() => preview.evaluate((i) => (i as unknown as { naturalWidth: number }).naturalWidth), SLOWLY)
      .toBeGreaterThan(100);
    expect(await violations(page)).toEqual([]);
    await page.getByRole('figure', { name: /psnr/i }).waitFor();
    await screenshot(page, 'page-watch');
    job = (await (await server.ask(`/v1/jobs/${/jobs\/([0-9a-f-]+)/.exec(page.url())![1]}`)).json()) as Job;
    expect(job.methods.map((m) => m.method)).toEqual(['fusion', 'nvdiffrec']);
    if (!FOR_DOCUMENTS) expect(job.methods[0].options).toEqual({ resolution: 64, triangles: 3000, textureSize: 512 });
  });

  it('puts the finished model on screen, in colour, and says how far to trust it', async () => {
    await ready();
    await page.getByRole('heading', { name: 'How far to trust it' }).click();
    await page.getByText(/views come back at .* dB/).waitFor();
    await page.getByRole('radio', { name: /^fusion/ }).check();
    await ready();
    await expect.poll(async () => shareColoured(await middleOf(page, canvas(), 0.6, 64)), SLOWLY).toBeGreaterThan(0.2);
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'light' });
    await settle(page);
    await screenshot(page, 'page-result');
    await page.emulateMedia({ colorScheme: 'dark' });
    await screenshot(page, 'page-result-dark');
    await page.emulateMedia({ colorScheme: 'light' });
  });

  it('draws something else for each channel, for wires, light and standpoint', async () => {
    await page.getByRole('button', { name: 'Reset view' }).click();
    await page.getByText('Look closer').click();
    await page.waitForTimeout(1500);
    let before = await middleOf(page, canvas(), 0.6, 64);
    const changed = async (): Promise<number> => {
      await page.waitForTimeout(400);
      const now = await middleOf(page, canvas(), 0.6, 64);
      const share = shareChanged(before, now);
      before = now;
      return share;
    };
    for (const channel of ['Clay', 'Normals', 'UV']) {
      await page.getByRole('radio', { name: channel, exact: true }).check();
      expect(await changed(), channel).toBeGreaterThan(0.1);
    }
    // Who moves the light sees the model lit, although its own light is baked in.
    await page.getByRole('radio', { name: 'Sun' }).check();
    expect(await page.getByRole('radio', { name: 'Finished' }).isChecked()).toBe(true);
    expect(await page.getByRole('radio', { name: 'As photographed' }).isChecked()).toBe(false);
    expect(await changed()).toBeGreaterThan(0.2);
    await page.getByLabel('Turn light').fill('180');
    expect(await changed()).toBeGreaterThan(0.1);
    await page.getByRole('button', { name: 'Wireframe' }).click();
    expect(await changed()).toBeGreaterThan(0.02);
    await page.getByRole('application').press('ArrowLeft');
    expect(await changed()).toBeGreaterThan(0.05);
    await page.getByRole('button', { name: 'Turntable' }).click();
    await page.waitForTimeout(1500);
    expect(await changed()).toBeGreaterThan(0.05);
    await page.getByRole('button', { name: 'Turntable' }).click();
    await page.getByRole('button', { name: 'Wireframe' }).click();
    await page.getByRole('radio', { name: 'As photographed' }).check();
  });

  it('looks through a camera: the model on screen stands where the picture has it', async () => {
    await page.locator('.camera-strip label').nth(2).click();
    const name = await page.getByRole('img', { name: /^Picture of/ }).getAttribute('alt');
    const view = /^Picture of (.*)$/.exec(name!)![1];
    const picture = await (
      await server.ask(`/v1/jobs/${job.id}/files/fusion/assessment/${view}.input.png`)
    ).arrayBuffer();
    await page.getByRole('radio', { name: 'Model alone' }).check();
    await page.waitForTimeout(2000);
    const reference = await toSquare(picture, 64);
    const { mean, share } = differenceOnObject(reference, await middleOf(page, canvas(), 1, 64));
    expect(share).toBeGreaterThan(0.05);
    expect(mean, 'mean difference on the object').toBeLessThan(30);
    await page.getByRole('radio', { name: 'Slider' }).check();
    await page.getByRole('slider', { name: /^Edge between/ }).fill('30');
    await settle(page, page.getByRole('region', { name: 'Model' }));
    await screenshot(page, 'page-camera');
    await page.getByRole('radio', { name: 'Error map' }).check();
    await page.getByRole('img', { name: /^Difference at/ }).waitFor();
    await page.getByRole('radio', { name: /the worst$/ }).check();
  });

  it('gives the files: every format, whole', async () => {
    const { files } = (await (await server.ask(`/v1/jobs/${job.id}/files`)).json()) as { files: JobFile[] };
    for (const format of ['GLB', 'USDZ', 'PLY']) {
      const link = page.getByRole('link', { name: new RegExp(`^${format}`) });
      const path = (await link.getAttribute('href'))!;
      const bytes = (await (await server.ask(path)).arrayBuffer()).byteLength;
      expect([format, bytes]).toEqual([format, files.find((f) => f.url === path)!.bytes]);
    }
    const zipped = async (title: RegExp): Promise<string[]> => {
      const path = (await page.getByRole('link', { name: title }).getAttribute('href'))!;
      return zipNames(Buffer.from(await (await server.ask(path)).arrayBuffer())).map((name) => name.split('/').at(-1)!);
    };
    expect(await zipped(/^OBJ/)).toEqual(expect.arrayContaining(['mesh.obj', 'mesh.mtl', 'mesh_baseColor.png']));
    const asset = await zipped(/^Asset/);
    const evidence = await zipped(/^Evidence/);
    expect(asset).toContain('asset.glb');
    expect(evidence).toContain('report.html');
    const own = files.filter((f) => f.name.startsWith('fusion/')).length;
    expect(asset.length + evidence.length).toBe(own);
    // What plays a film says what it is.
    const [download] = await Promise.all([
      page.waitForEvent('download', SLOWLY),
      page.getByRole('button', { name: 'Film of a turn' }).click(),
    ]);
    const film = join(server.settings.data, download.suggestedFilename());
    await download.saveAs(film);
    const player = await page.context().newPage();
    await player.goto(pathToFileURL(film).href);
    await player.waitForFunction('document.querySelector("video")?.readyState >= 2');
    const facts = await player.evaluate<number[]>(
      '(({ videoWidth, videoHeight, duration }) => [videoWidth, videoHeight, duration])(document.querySelector("video"))',
    );
    expect(facts).toEqual([720, 720, 4]);
    await player.close();
  });

  it('is usable on a phone', async () => {
    const phone = await openPage(browser, `${server.url}/#/jobs/${job.id}`, {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
      colorScheme: 'light',
    });
    await phone.page.locator('.viewer[data-ready=true]').waitFor({ timeout: PATIENCE });
    await phone.page.waitForTimeout(500);
    expect(await sticksOut(phone.page)).toBe(0);
    await expect
      .poll(
        async () => shareColoured(await middleOf(phone.page, phone.page.locator('.viewer canvas'), 0.6, 64)),
        SLOWLY,
      )
      .toBeGreaterThan(0.2);
    await settle(phone.page);
    await screenshot(phone.page, 'page-result-phone');
    expect(phone.complaints).toEqual([]);
    await phone.page.context().close();
  });

  it('compares the two methods side by side', async () => {
    await page.getByRole('link', { name: 'Compare' }).last().click();
    await page.getByRole('region', { name: 'Second model' }).locator('.viewer').waitFor();
    await ready();
    await page.getByRole('row', { name: /PSNR of its pictures/ }).waitFor();
    await page.getByRole('heading', { name: 'The same view' }).waitFor();
    const second = page.locator('.viewer canvas').nth(1);
    await expect.poll(async () => shareColoured(await middleOf(page, second, 0.6, 64)), SLOWLY).toBeGreaterThan(0.2);
    const before = await middleOf(page, second, 0.6, 64);
    // One is turned, the other follows.
    for (let i = 0; i < 3; i++) await page.getByRole('application').first().press('ArrowLeft');
    await page.waitForTimeout(800);
    expect(shareChanged(before, await middleOf(page, second, 0.6, 64))).toBeGreaterThan(0.05);
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'light' });
    await settle(page);
    await screenshot(page, 'page-compare');
  });

  it('lists them with their pictures, and shows the system', async () => {
    await page.goto(`${server.url}/#/`);
    const thumbnail = page.getByRole('link', { name: EXAMPLE, exact: true }).locator('img');
    await thumbnail.waitFor();
    await expect
      .poll(() => thumbnail.evaluate((i) => (i as unknown as { naturalWidth: number }).naturalWidth), SLOWLY)
      .toBeGreaterThan(100);
    await page.emulateMedia({ colorScheme: 'light' });
    await screenshot(page, 'page-start');
    await page.emulateMedia({ colorScheme: 'dark' });
    await settle(page, page.getByRole('region', { name: 'Models' }));
    await screenshot(page, 'page-jobs');
    await page.goto(`${server.url}/#/system`);
    await page.getByText('Everything works').waitFor();
    await page.getByRole('figure', { name: 'Jobs at work' }).waitFor();
    await page.emulateMedia({ colorScheme: 'light' });
    await screenshot(page, 'page-system');
    expect(complaints).toEqual([]);
  });
});
