/** The page from the bundled example to a model on screen: real Chromium, real server, real engine, small sizes. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PlinthClient } from '../../src/server/client.js';
import { startTestServer, type TestServer } from '../service/testServer.js';
import { browserMissing, buildPage, launch, openPage, screenshot } from './browser.js';

const OPTIONS = { resolution: 96, triangles: 6000, textureSize: 512 };

const skipped =
  browserMissing ?? (process.env.PAGE_MODELS ? undefined : 'Set PAGE_MODELS=1 to run them: they take minutes.');
if (skipped) console.warn(`The page's tests with models are skipped. ${skipped}`);

describe.skipIf(skipped)('the page with the real engine', () => {
  let server: TestServer;
  let browser: Browser;

  beforeAll(async () => {
    buildPage();
    [server, browser] = await Promise.all([startTestServer({ flags: { 'worker.engine': undefined } }), launch()]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.destroy();
  });

  it('makes the example into a model on screen, judges it, and compares it with another', async () => {
    const { page, complaints } = await openPage(browser, server.url, { colorScheme: 'light' });
    page.setDefaultTimeout(200_000);
    await page.getByRole('button', { name: /vase-six/ }).click();
    await page.getByRole('radio', { name: /Draft/ }).check();
    await page.getByText('Options', { exact: true }).click();
    await page.getByLabel('Resolution', { exact: true }).fill(String(OPTIONS.resolution));
    await page.getByLabel('Triangles').fill(String(OPTIONS.triangles));
    await page.getByLabel('Texture size').fill(String(OPTIONS.textureSize));
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    const other = await new PlinthClient({ url: server.url }).submitStored(
      { example: 'vase-six' },
      {
        name: 'Coarser',
        methods: [{ method: 'fusion', preset: 'draft', options: { ...OPTIONS, resolution: 48 } }],
        formats: ['glb'],
      },
    );
    await page.getByRole('progressbar', { name: 'Progress' }).waitFor();
    await screenshot(page, 'page-watch');

    await page.locator('.viewer[data-ready=true]').waitFor();
    await page.getByText(/triangles ·/).waitFor();
    await page.getByRole('heading', { name: 'How far to trust it' }).waitFor();
    await page.getByRole('link', { name: /^USDZ/ }).waitFor();
    await page.waitForTimeout(500);
    await screenshot(page, 'page-model');

    // Every way of showing draws something else than the one before.
    const drawn = new Set<string>();
    const canvas = page.locator('.viewer canvas');
    const look = async (): Promise<void> => {
      await page.waitForTimeout(300);
      drawn.add((await canvas.screenshot()).toString('base64'));
    };
    const channels = await page
      .getByLabel('Show')
      .locator('option')
      .evaluateAll((all) => all.map((o) => o.textContent));
    expect(channels).toEqual(expect.arrayContaining(['Finished', 'Clay', 'Base colour', 'Normals', 'UV']));
    for (const channel of ['Clay', 'Normals', 'UV']) {
      await page.getByLabel('Show').selectOption(channel);
      await look();
    }
    await page.getByRole('button', { name: 'Wireframe' }).click();
    await look();
    await page.getByRole('application').focus();
    await page.keyboard.press('ArrowLeft');
    await look();
    expect(drawn.size).toBe(5);

    await page.getByLabel('View', { exact: true }).selectOption({ index: 2 });
    const picture = page.getByRole('img', { name: /^Picture of/ });
    await picture.scrollIntoViewIfNeeded();
    await expect
      .poll(() => picture.evaluate((i) => (i as unknown as { naturalWidth: number }).naturalWidth))
      .toBeGreaterThan(100);
    await screenshot(page, 'page-camera');
    await page.getByRole('button', { name: 'Error map' }).click();
    await page.getByRole('img', { name: /^Difference at/ }).waitFor();
    await page.getByRole('button', { name: 'Stand there in 3D' }).click();

    await server.until(other.id, 'succeeded').catch(() => server.until(other.id, 'succeeded'));
    await page.getByRole('link', { name: 'Compare' }).last().click();
    await page.getByRole('region', { name: 'Second model' }).locator('.viewer[data-ready=true]').waitFor();
    await page.getByRole('row', { name: /PSNR of its pictures/ }).waitFor();
    await page.getByRole('heading', { name: 'The same view' }).waitFor();
    await page.waitForTimeout(500);
    await screenshot(page, 'page-compare');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.goto(server.url);
    await page
      .getByRole('link', { name: /vase-six/ })
      .locator('img')
      .waitFor();
    await screenshot(page, 'page-list-dark');
    expect(complaints).toEqual([]);
  }, 600_000);
});
