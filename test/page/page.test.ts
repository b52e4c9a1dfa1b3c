/** The page in real Chromium against the real server; a stand-in engine does the work, so that every state comes quickly. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKey } from '../../src/server/apiKeys.js';
import type { JobResource } from '../../src/server/resource.js';
import { PIXEL } from '../service/standInEngine.js';
import { startTestServer, type TestServer } from '../service/testServer.js';
import { zip } from '../zip.js';
import { browserMissing, buildPage, launch, openPage, screenshot } from './browser.js';

const example = (name: string): string => fileURLToPath(new URL(`../../examples/captures/${name}`, import.meta.url));
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Violations of WCAG 2.2 AA, as words. */
async function violations(page: Page): Promise<string[]> {
  // The policy forbids injected scripts, as it should; the debugger may still run one.
  await page.evaluate(await readFile(AXE, 'utf8'));
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    const { violations } = await axe.run({ runOnly: { type: 'tag', values: tags } });
    return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`);
  });
}

if (browserMissing) console.warn(`The page's tests are skipped. ${browserMissing}`);

describe.skipIf(browserMissing)('the page', () => {
  let server: TestServer;
  let browser: Browser;

  const jobOf = async (id: string): Promise<JobResource> =>
    (await (await server.ask(`/v1/jobs/${id}`)).json()) as JobResource;

  beforeAll(async () => {
    buildPage();
    [server, browser] = await Promise.all([startTestServer(), launch()]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.destroy();
  });

  it('loads less than 300 KB before a viewer is needed, and asks nobody else for anything', async () => {
    const { page, complaints } = await openPage(browser, 'about:blank');
    const bodies: Promise<Buffer>[] = [];
    page.on('response', (response) => {
      if (/\/(assets\/.*|icon\.svg)?$/.test(new URL(response.url()).pathname)) bodies.push(response.body());
    });
    await page.goto(server.url);
    await page.getByRole('button', { name: 'Choose a folder' }).waitFor();
    await page.waitForLoadState('networkidle');
    const sizes = (await Promise.all(bodies)).map((body) => gzipSync(body).length);
    expect(sizes.length).toBeGreaterThan(2);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(300_000);
    expect(complaints.filter((c) => !c.startsWith(`request to ${server.url}`))).toEqual([]);
    await page.context().close();
  });

  it('shows what a folder holds before it is sent, sends it, and follows the work to its end', async () => {
    const { page, complaints } = await openPage(browser, server.url);
    await page.setInputFiles('[data-picker=folder]', example('vase-six'));
    await page.getByRole('heading', { name: 'Pictures with cameras' }).waitFor();
    const facts = page.locator('.understood dl');
    expect(await facts.textContent()).toMatch(/Views6.*Depthfor every view.*Camerasgiven/);
    await page.getByText('6 cameras around the object').waitFor();
    expect(await violations(page)).toEqual([]);
    await screenshot(page, 'page-understood');
    await page.getByRole('radio', { name: /Draft/ }).check();
    await page.getByText('Options', { exact: true }).click();
    await page.getByLabel('Triangles').fill('5000');
    await page.getByRole('button', { name: /Send 13 files and start/ }).click();
    await page.getByText('Done', { exact: true }).waitFor();
    const id = /jobs\/([0-9a-f-]+)/.exec(page.url())![1];
    const job = await jobOf(id);
    expect(job.methods).toEqual([{ name: 'fusion', method: 'fusion', preset: 'draft', options: { triangles: 5000 } }]);
    expect(job.name).toBe('vase-six');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('looks into a zip and says which picture is missing in it, or that it is broken', async () => {
    const pose = [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 3],
      [0, 0, 0, 1],
    ];
    const frames = ['a.png', 'b.png'].map((file_path) => ({ file_path, transform_matrix: pose }));
    const transforms = Buffer.from(JSON.stringify({ camera_angle_x: 0.7, frames }));
    const whole = zip([
      { name: 'cup/transforms.json', data: transforms },
      { name: 'cup/a.png', data: PIXEL },
    ]);
    const { page } = await openPage(browser, server.url);
    await page.setInputFiles('[data-picker=files]', { name: 'cup.zip', mimeType: 'application/zip', buffer: whole });
    await page.getByText('1 of 2 pictures are not there: b.png.').waitFor();
    expect(await page.getByRole('button', { name: /^Send/ }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Start over' }).click();
    await page.setInputFiles('[data-picker=files]', {
      name: 'cup.zip',
      mimeType: 'application/zip',
      buffer: whole.subarray(0, 100),
    });
    await page.getByText('it is incomplete or no zip').waitFor();
    await page.context().close();
  });

  it('says before sending that pictures alone have no cameras, and what to do', async () => {
    const { page } = await openPage(browser, server.url);
    await page.setInputFiles('[data-picker=files]', [
      { name: 'a.png', mimeType: 'image/png', buffer: PIXEL },
      { name: 'b.png', mimeType: 'image/png', buffer: PIXEL },
    ]);
    await page.getByText('Nothing says where the cameras stood.').waitFor();
    await page.getByText(/Run COLMAP/).waitFor();
    expect(await page.getByRole('button', { name: /^Send/ }).isDisabled()).toBe(true);
    // Who insists gets the service's own words.
    await page.getByRole('button', { name: 'Let the service decide' }).click();
    await page.getByRole('button', { name: /^Send/ }).click();
    await page.getByText('CAPTURE_NO_CAMERAS').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });

  it('shows the service’s reason for a picture that is none', async () => {
    const { page } = await openPage(browser, server.url);
    const pose = [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 3],
      [0, 0, 0, 1],
    ];
    const frames = [{ file_path: 'a.png', transform_matrix: pose }];
    await page.setInputFiles('[data-picker=files]', [
      {
        name: 'transforms.json',
        mimeType: 'application/json',
        buffer: Buffer.from(JSON.stringify({ camera_angle_x: 0.7, frames })),
      },
      { name: 'a.png', mimeType: 'image/png', buffer: Buffer.from('this is text') },
    ]);
    await page.getByRole('button', { name: /^Send/ }).click();
    await page.getByText('a.png does not begin like a picture of its kind').waitFor();
    await page.getByText('Export the picture anew').waitFor();
    await page.context().close();
  });

  it('goes on with an upload that broke off', async () => {
    const { page } = await openPage(browser, server.url);
    await page.setInputFiles('[data-picker=folder]', example('vase-six'));
    let parts = 0;
    await page.route('**/v1/uploads/*/files/**', (route) => (++parts === 5 ? route.abort() : route.continue()));
    await page.getByRole('button', { name: /^Send/ }).click();
    await page.getByText('What arrived is kept').waitFor();
    expect(parts).toBe(5);
    await page.getByRole('button', { name: 'Resume sending' }).click();
    await page.getByText('Done', { exact: true }).waitFor();
    // 13 files, one of them asked for twice: nothing that had arrived was sent again.
    expect(parts).toBe(14);
    await page.context().close();
  });

  it('finds a running job again after a reload, with its curves from the beginning, and cancels it when confirmed', async () => {
    const job = await server.submit(['slow-30'], { name: 'Slow vase' });
    const { page, complaints } = await openPage(browser, `${server.url}/#/jobs/${job.id}`);
    await page.getByText('Stage fuse', { exact: true }).waitFor();
    await page.reload();
    await page.getByText('Stage read', { exact: true }).waitFor();
    await page.getByText('Stage texture', { exact: true }).waitFor();
    await page.getByRole('figure', { name: /PSNR/ }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Keep it' }).click();
    expect((await jobOf(job.id)).cancelRequested).toBe(false);
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel the model' }).click();
    await page.getByText('Cancelled', { exact: true }).waitFor();
    expect((await server.until(job.id, 'cancelled')).state).toBe('cancelled');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('says that the connection is lost, and goes on when it is back', async () => {
    const job = await server.submit(['slow-20'], { name: 'Lost and found' });
    const { page } = await openPage(browser, server.url);
    await page.getByText('Lost and found').waitFor();
    await page.context().setOffline(true);
    await page.getByText('The service cannot be reached').waitFor();
    await page.context().setOffline(false);
    await page.goto(`${server.url}/#/jobs/${job.id}`);
    await page.getByText('Done', { exact: true }).waitFor();
    expect(await page.getByText('The service cannot be reached').count()).toBe(0);
    await page.context().close();
  });

  it('lists, searches, filters, retries and deletes, by keyboard too', async () => {
    const failed = await server.submit(['input-error'], { name: 'Findable failure' });
    await server.until(failed.id, 'failed');
    const { page, complaints } = await openPage(browser, server.url);
    await page.getByRole('searchbox').fill('Findable');
    const row = page.getByRole('listitem').filter({ hasText: 'Findable failure' });
    await row.getByText('The views disagree').waitFor();
    await page.getByRole('button', { name: 'Done', exact: true }).click();
    await page.getByText('No model fits the search.').waitFor();
    await page.getByRole('button', { name: 'Failed', exact: true }).click();
    expect(await violations(page)).toEqual([]);
    await row.getByRole('button', { name: /Retry/ }).click();
    await expect.poll(async () => (await jobOf(failed.id)).attempt).toBe(2);
    await server.until(failed.id, 'failed');
    await row.getByText('Failed', { exact: true }).waitFor();
    await row.getByRole('link').focus();
    await page.keyboard.press('Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await expect.poll(async () => (await server.ask(`/v1/jobs/${failed.id}`)).status).toBe(404);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('shows the system', async () => {
    const { page } = await openPage(browser, `${server.url}/#/system`);
    await page.getByText('this server').waitFor();
    await page.getByText('stand-in').first().waitFor();
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });

  it('is usable on a phone in the dark: nothing sticks out, all contrasts hold', async () => {
    const { page } = await openPage(browser, server.url, {
      viewport: { width: 375, height: 780 },
      colorScheme: 'dark',
    });
    await page.getByRole('link', { name: /Lost and found/ }).waitFor();
    const over = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect(over).toBe(0);
    expect(await violations(page)).toEqual([]);
    await screenshot(page, 'page-phone-dark');
    await page.context().close();
  });

  it('asks for the key where keys are on, keeps it, and loads without one', async () => {
    const secured = await startTestServer({ flags: { 'auth.mode': 'on' } });
    try {
      const { key } = await createKey(secured.service.db, 'page', 'submit');
      const { page } = await openPage(browser, secured.url);
      await page.getByRole('dialog').getByText('This service asks for a key.').waitFor();
      expect(await violations(page)).toEqual([]);
      await page.getByLabel('Key', { exact: true }).fill(key);
      await page.getByRole('button', { name: 'Use this key' }).click();
      await page.getByText('No model yet').waitFor();
      await page.reload();
      await page.getByText('No model yet').waitFor();
      expect(await page.getByRole('dialog').count()).toBe(0);
      await page.context().close();
    } finally {
      await secured.destroy();
    }
  });
});
