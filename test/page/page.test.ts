/**
 * The page in real Chromium against the real server; a stand-in engine does the work, so that every state comes
 * quickly.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Job } from '../../src/api/job.js';
import { createKey } from '../../src/server/access/apiKeys.js';
import { PIXEL } from '../service/standInEngine.js';
import { startTestServer, type TestServer } from '../service/testServer.js';
import { zip } from '../zip.js';
import { browserMissing, buildPage, launch, openPage, screenshot, sticksOut, violations } from './browser.js';
import { gpuHealth } from './gpuHealth.js';

const example = (name: string): string => fileURLToPath(new URL(`../../examples/captures/${name}`, import.meta.url));
if (browserMissing) console.warn(`The page's tests are skipped. ${browserMissing}`);

describe.skipIf(browserMissing)('the page', () => {
  let server: TestServer;
  let browser: Browser;

  const stage = (page: Page, title: string) =>
    page.getByRole('list', { name: 'Stages' }).getByText(title, { exact: true });

  /** Whether the drawing of the cameras is one, and turns with the arrow keys. */
  /** Turns the drawing by a key, and waits until another picture is shown. */
  const turns = async (page: Page): Promise<void> => {
    const drawing = page.getByRole('img', { name: /cameras around the object/ });
    const before = await drawing.screenshot();
    await drawing.press('ArrowLeft');
    await expect.poll(async () => before.equals(await drawing.screenshot()), { timeout: 60_000 }).toBe(false);
  };

  const jobOf = async (id: string): Promise<Job> => (await (await server.ask(`/v1/jobs/${id}`)).json()) as Job;

  beforeAll(async () => {
    // Whatever weights this machine has, the page is looked at without any.
    vi.stubEnv('PLINTH_WEIGHTS', join(tmpdir(), 'no-weights-here'));
    buildPage();
    [server, browser] = await Promise.all([startTestServer(), launch()]);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await browser?.close();
    await server?.destroy();
  });

  it('keeps to itself: a strict policy, no requests to elsewhere, no viewer before one is needed', async () => {
    const policy = (await server.ask('/')).headers.get('content-security-policy')!;
    expect(policy).toMatch(/default-src 'none'/);
    expect(policy).toMatch(/script-src 'self' 'wasm-unsafe-eval';/);
    expect(policy).toMatch(/style-src 'self';/);
    const { page, complaints } = await openPage(browser, 'about:blank');
    const paths: string[] = [];
    page.on('response', (response) => paths.push(new URL(response.url()).pathname));
    await page.goto(server.url);
    await page.getByRole('button', { name: 'Choose a folder' }).waitFor();
    await page.getByRole('button', { name: 'Make it Vase' }).waitFor();
    expect(paths.filter((p) => p.startsWith('/assets/')).length).toBeGreaterThan(1);
    expect(paths.filter((p) => /Viewer/.test(p))).toEqual([]);
    // `openPage` began at an empty page, so what it calls elsewhere is everything.
    expect(complaints.filter((c) => !c.startsWith(`request to ${server.url}`))).toEqual([]);
    await page.getByText('No model yet').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });

  it('shows what a folder holds before it is sent, sends it, and follows the work to its end', async () => {
    const { page, complaints } = await openPage(browser, server.url);
    const sent: string[] = [];
    page.on('request', (request) => request.method() !== 'GET' && sent.push(request.url()));
    await page.setInputFiles('[data-picker=folder]', example('vase-six'));
    await page.getByRole('heading', { name: 'Pictures with cameras' }).waitFor();
    const facts = page.locator('.understood dl');
    expect(await facts.textContent()).toMatch(/Views6.*Depthfor every view.*Camerasgiven/);
    await page.getByText('6 cameras around the object').waitFor();
    // Nothing has been sent for it.
    expect(sent).toEqual([]);
    await page.getByText('Options', { exact: true }).click();
    expect(await violations(page)).toEqual([]);
    await turns(page);
    await page.getByText('Options', { exact: true }).click();
    await page.locator('.strip img').last().waitFor();
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

  it('says which method cannot run here and why; where it can, it takes a picture without a camera', async () => {
    const { page, complaints } = await openPage(browser, server.url);
    const picture = { name: 'mug.png', mimeType: 'image/png', buffer: PIXEL };
    await page.setInputFiles('[data-picker=files]', picture);
    const whole = page.getByRole('checkbox', { name: 'Whole object from a few photos' });
    await whole.waitFor();
    expect(await whole.isDisabled()).toBe(true);
    await page.getByText(/Not available here\..*weights of reconviagen.*plinth weights download reconviagen/).waitFor();
    expect(await violations(page)).toEqual([]);
    expect(await page.getByRole('button', { name: /^Send/ }).isDisabled()).toBe(true);
    await screenshot(page, 'page-unavailable');
    expect(complaints).toEqual([]);

    await page.route('**/v1/methods', async (route) => {
      const answer = (await (await route.fetch()).json()) as { methods: { unavailable?: object }[] };
      for (const method of answer.methods) delete method.unavailable;
      await route.fulfill({ json: answer });
    });
    await page.reload();
    await page.setInputFiles('[data-picker=files]', picture);
    await whole.check();
    expect(await page.getByRole('button', { name: /^Send/ }).isDisabled()).toBe(true);
    await page.getByRole('checkbox', { name: 'Fusion of depth and silhouettes' }).uncheck();
    expect(await page.getByRole('button', { name: /^Send/ }).isDisabled()).toBe(false);
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

  it('shows in one table and one drawing what will be left out, and why, before anything is sent', async () => {
    const frames = Array.from({ length: 9 }, (_, i) => ({
      file_path: `images/${i}.png`,
      transform_matrix: [
        [Math.cos(i), 0, Math.sin(i), 3 * Math.sin(i)],
        [Math.sin(i), 0, -Math.cos(i), -3 * Math.cos(i)],
        [0, 1, 0, 0],
      ],
    }));
    const transforms = Buffer.from(JSON.stringify({ camera_angle_x: 0.7, frames }));
    const pictures = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => ({ name: `cup/images/${i}.png`, data: PIXEL }));
    const buffer = zip([
      { name: 'cup/transforms.json', data: transforms },
      ...pictures,
      { name: 'cup/images/extra.png', data: PIXEL },
      { name: 'cup/masks/none.png', data: PIXEL },
    ]);
    const { page } = await openPage(browser, server.url);
    await page.setInputFiles('[data-picker=files]', { name: 'cup.zip', mimeType: 'application/zip', buffer });
    await page.getByText('Left out: 2 pictures, 1 mask').waitFor();
    const table = page.getByRole('table');
    const row = (name: string) => table.getByRole('row').filter({ hasText: name }).textContent();
    expect(await row('images/8.png')).toBe('images/8.pngpicture left out: named, but not there');
    expect(await row('extra.png')).toBe('cup/images/extra.pngpicture left out: no camera belongs to it');
    expect(await row('none.png')).toBe('cup/masks/none.pngmask left out: belongs to no picture in use');
    expect(await row('images/3.png')).toBe('cup/images/3.pngview––');
    await page.getByText('Dashed ones are left out (1).').waitFor();
    expect(await page.getByAltText('cup/images/extra.png, left out: no camera belongs to it').count()).toBe(1);
    expect(await violations(page)).toEqual([]);
    await screenshot(page, 'page-left-out');
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

  it('goes on by itself with an upload whose connection was lost, and sends nothing twice', async () => {
    const { page } = await openPage(browser, server.url);
    await page.setInputFiles('[data-picker=folder]', example('vase-six'));
    let parts = 0;
    await page.route('**/v1/uploads/*/files/**', (route) => (++parts === 5 ? route.abort() : route.continue()));
    await page.getByRole('button', { name: /^Send/ }).click();
    await page.getByText('The connection was lost.').waitFor();
    await page.getByText('Done', { exact: true }).waitFor();
    // 13 files, one of them asked for twice.
    expect(parts).toBe(14);
    await page.context().close();
  });

  it('goes on with a paused upload after a reload, once the same files are chosen again', async () => {
    const { page } = await openPage(browser, server.url);
    await page.setInputFiles('[data-picker=folder]', example('vase-six'));
    const begun: string[] = [];
    page.on('request', (r) => r.method() === 'POST' && r.url().endsWith('/v1/uploads') && begun.push(r.url()));
    let parts = 0;
    let hold = true;
    await page.route('**/v1/uploads/*/files/**', async (route) => {
      if (++parts > 4 && hold) return;
      await route.continue();
    });
    await page.getByRole('button', { name: /^Send/ }).click();
    await expect.poll(() => parts).toBe(5);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Resume sending' }).waitFor();
    await page.reload();
    await page.getByText(/Sending “vase-six” stopped at \d+ %/).waitFor();
    expect(await violations(page)).toEqual([]);
    hold = false;
    parts = 0;
    await page.setInputFiles('[data-picker=folder]', example('vase-six'));
    await page.getByRole('button', { name: /^Send/ }).click();
    await page.getByText('Done', { exact: true }).waitFor();
    expect(begun.length).toBe(1);
    expect(parts).toBe(9);
    await page.goto(server.url);
    await page.getByRole('button', { name: 'Choose a folder' }).waitFor();
    expect(await page.getByText(/stopped at/).count()).toBe(0);
    await page.context().close();
  });

  it('takes an example with one click', async () => {
    const { page, complaints } = await openPage(browser, server.url);
    await page.getByRole('button', { name: 'Make it Vase' }).click();
    await page.getByRole('heading', { name: 'Vase', exact: true }).waitFor();
    await page.getByText('Done', { exact: true }).waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it(
    'finds a running job again after a reload, with its curves from the beginning, and cancels it when ' + 'confirmed',
    async () => {
      const job = await server.submit(['slow-30'], { name: 'Slow vase' });
      const { page, complaints } = await openPage(browser, `${server.url}/#/jobs/${job.id}`);
      await stage(page, 'Stage fuse').waitFor();
      await page.reload();
      await stage(page, 'Stage read').waitFor();
      await stage(page, 'Stage texture').waitFor();
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
    },
  );

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

  it('follows a job through a restart of the service', async () => {
    const data = await mkdtemp(join(tmpdir(), 'plinth-restart-'));
    const first = await startTestServer({ data });
    const { port } = new URL(first.url);
    const job = await first.submit(['slow-12'], { name: 'Survivor' });
    const { page } = await openPage(browser, `${first.url}/#/jobs/${job.id}`);
    await stage(page, 'Stage fuse').waitFor();
    await first.close();
    await page.getByText('The service cannot be reached').waitFor();
    const second = await startTestServer({ data, flags: { port: Number(port) } });
    try {
      await page.getByText('Done', { exact: true }).waitFor();
      expect(await page.getByText('The service cannot be reached').count()).toBe(0);
    } finally {
      await page.context().close();
      await second.close();
      await rm(data, { recursive: true, force: true });
    }
  });

  it('shows the system, and the figures of a GPU over time where there is one', async () => {
    const { page, complaints } = await openPage(browser, `${server.url}/#/system`);
    await page.getByText('this server').waitFor();
    await page.getByText('stand-in').first().waitFor();
    await page.getByText('Everything works').waitFor();
    expect(await violations(page)).toEqual([]);
    let looks = 0;
    await page.route('**/health', async (route) => {
      const answer = (await (await route.fetch()).json()) as object;
      await route.fulfill({ json: { ...answer, ...gpuHealth(looks++) } });
    });
    await page.getByRole('figure', { name: 'Temperature' }).getByText('62 °C', { exact: true }).waitFor();
    for (const name of ['Memory in use', 'Load', 'Power']) await page.getByRole('figure', { name }).waitFor();
    await page.getByText('Slowed down: power limit').waitFor();
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('is usable on a phone: nothing sticks out, all contrasts hold', async () => {
    const job = await server.submit([], { name: 'In a pocket' });
    const { page } = await openPage(browser, server.url, {
      viewport: { width: 375, height: 780 },
    });
    await page.getByRole('link', { name: 'In a pocket' }).waitFor();
    expect(await sticksOut(page)).toBe(0);
    expect(await violations(page)).toEqual([]);
    for (const path of ['system', 'compare', `jobs/${job.id}`]) {
      await page.goto(`${server.url}/#/${path}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForLoadState('networkidle');
      expect([path, await sticksOut(page)]).toEqual([path, 0]);
    }
    await page.goto(server.url);
    await page.setInputFiles('[data-picker=files]', [
      { name: 'a.png', mimeType: 'image/png', buffer: PIXEL },
      { name: 'b.png', mimeType: 'image/png', buffer: PIXEL },
    ]);
    await page.getByText('Nothing says where the cameras stood.').waitFor();
    expect(await sticksOut(page)).toBe(0);
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });

  it('asks for the key where keys are on, keeps it, and loads without one', async () => {
    const secured = await startTestServer({ flags: { 'auth.mode': 'on' } });
    try {
      const { key } = await createKey(secured.service.db, { name: 'page', scope: 'submit' }, { name: 'test' });
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

  it('shows a key its project, its quotas and what it has used, and an admin who did what', async () => {
    const secured = await startTestServer({ flags: { 'auth.mode': 'on', 'quotas.runningJobs': 2 } });
    const { db } = secured.service;
    const by = { name: 'test' };
    const open = async (key?: string): Promise<Page> => {
      const { page } = await openPage(browser, `${secured.url}/docs/`);
      if (key) await page.evaluate((text) => localStorage.setItem('plinth.key', text), key);
      await page.goto(`${secured.url}/#/system`);
      await page.getByRole('heading', { name: 'GPUs' }).waitFor();
      return page;
    };
    const rows = (page: Page, table: string) => page.getByRole('table', { name: table }).getByRole('row');
    try {
      const quotas = { jobs: 5, storedBytes: 2_000_000 };
      const { key } = await createKey(db, { name: 'potter', scope: 'submit', project: 'vases', quotas }, by);
      const admin = await createKey(db, { name: 'boss', scope: 'admin' }, by);
      const headers = { authorization: `Bearer ${key}` };
      const job = await secured.submit(['slow-100'], {}, headers);
      expect((await secured.ask('/v1/keys', { headers })).status).toBe(403);
      // Whoever has no key is asked for none here, and sees none.
      const without = await open();
      await without.waitForLoadState('networkidle');
      expect(await without.getByRole('dialog').count()).toBe(0);
      expect(await without.getByRole('heading', { name: 'Your key' }).count()).toBe(0);
      await without.context().close();
      const page = await open(key);
      await rows(page, 'Quotas').last().waitFor();
      const text = await page.getByRole('region', { name: 'Your key' }).textContent();
      expect(text).toMatch(/potter.*see, start and end jobs.*vases/);
      expect(await rows(page, 'Quotas').allTextContents()).toEqual([
        'QuotaUsedLimit',
        expect.stringMatching(/^Jobs at work[01]2$/),
        'Jobs at work or waiting15',
        expect.stringMatching(/^Stored\d+ B2.0 MB$/),
        expect.stringMatching(/^Computing time today \(UTC\)\d+ snone$/),
      ]);
      expect(await page.getByRole('table', { name: 'Audit log' }).count()).toBe(0);
      expect(await violations(page)).toEqual([]);
      await page.context().close();
      const boss = await open(admin.key);
      await boss.setViewportSize({ width: 375, height: 780 });
      await rows(boss, 'Audit log').last().waitFor();
      const log = await rows(boss, 'Audit log').allTextContents();
      expect(log.find((line) => line.includes('listKeys'))).toMatch(/potter127\.0\.0\.1listKeys refused: FORBIDDEN$/);
      expect(log.find((line) => line.includes('submitJob'))).toMatch(new RegExp(`submitJob ${job.id}done$`));
      expect(await sticksOut(boss)).toBe(0);
      expect(await violations(boss)).toEqual([]);
      await boss.context().close();
    } finally {
      await secured.destroy();
    }
  });
});
