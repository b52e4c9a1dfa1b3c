/** A real Chromium with the page that `dist/web` holds, built anew where its sources are younger. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';

const root = fileURLToPath(new URL('../..', import.meta.url));
const CANDIDATES = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executable = CANDIDATES.find((path) => path !== undefined && existsSync(path));

/** Why browser tests cannot run here, or `undefined`. */
export const browserMissing: string | undefined = executable
  ? undefined
  : 'There is no Chromium: install it (Debian: apt-get install chromium) or name it in CHROMIUM.';

/** Software WebGL, and none of the connections that Chromium opens by itself. */
const FLAGS = [
  '--no-sandbox',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Milliseconds after which something hangs: nothing takes so long, however busy the machine is. */
const PATIENCE = 300_000;

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: executable, args: FLAGS, timeout: PATIENCE });

/** Builds `dist/web` unless it is younger than every source of it. */
export function buildPage(): void {
  const built = join(root, 'dist/web/index.html');
  const sources = [join(root, 'web'), join(root, 'src/api/client.ts')].flatMap((path) =>
    statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true }).map((name) => join(path, String(name)))
      : [path],
  );
  const fresh = (): boolean =>
    existsSync(built) && sources.every((path) => statSync(path).mtimeMs < statSync(built).mtimeMs);
  if (fresh()) return;
  // Test files run side by side: whoever makes the folder builds, the other waits for it to go.
  const lock = join(tmpdir(), `plinth-page-build-${process.ppid}`);
  try {
    mkdirSync(lock);
  } catch {
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    for (let waits = 0; existsSync(lock) && waits < 6000; waits++) Atomics.wait(sleeper, 0, 0, 100);
    if (!fresh()) throw new Error('the page was not built by the test file beside this one');
    return;
  }
  try {
    build();
  } finally {
    rmdirSync(lock);
  }
}

function build(): void {
  const vite = spawnSync(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build', join(root, 'web')], {
    encoding: 'utf8',
    // As it is delivered: under a test's own mode the page would carry what is for developers.
    env: { ...process.env, NODE_ENV: 'production' },
  });
  if (vite.status !== 0) throw new Error(`the page cannot be built: ${vite.stderr}`);
}

export interface OpenPage {
  page: Page;
  /** What went wrong in the page: errors, refused content, requests to elsewhere. Must stay empty. */
  complaints: string[];
}

/** A page in a browser profile of its own that notes whatever it should not do. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const complaints: string[] = [];
  const { origin } = new URL(url);
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) complaints.push(message.text());
  });
  page.on('request', (request) => {
    const address = request.url();
    if (!address.startsWith(origin) && !/^(blob|data):/.test(address)) complaints.push(`request to ${address}`);
  });
  await page.goto(url);
  return { page, complaints };
}

/** Largest picture that the documentation keeps. */
const PICTURE_BYTES = 100_000;

/**
 * Scrolls so that an element, or the page, begins at the top of the window, and takes the focus and the pointer off
 * everything.
 */
export async function settle(page: Page, element?: Locator): Promise<void> {
  await page.mouse.move(0, 0);
  await page.evaluate('document.activeElement?.blur()');
  for (let i = 0; i < 2; i++) {
    // Twice: pictures that arrive meanwhile move what stands below them.
    if (element) await element.evaluate((e) => e.scrollIntoView({ block: 'start' }));
    else await page.evaluate('scrollTo(0, 0)');
    await page.waitForTimeout(300);
  }
}

/** Keeps a picture of the page for the documentation when `SCREENSHOTS` is set; else under `out/`. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = join(root, process.env.SCREENSHOTS ? 'docs/images' : 'out/screenshots');
  await mkdir(folder, { recursive: true });
  for (const quality of [85, 75, 65, 55, 45]) {
    const picture = await page.screenshot({ type: 'jpeg', quality });
    if (picture.length > PICTURE_BYTES && quality > 45) continue;
    await writeFile(join(folder, `${name}.jpg`), picture);
    return;
  }
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** Violations of WCAG 2.2 AA in the light and the dark theme, as words. */
export async function violations(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    // Without motion nothing fades from one theme to the other while it is measured.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // A fade that had begun, of a button that has just become usable, goes on all the same.
    await page.evaluate(`for (const fade of document.getAnimations())
      if (Number.isFinite(fade.effect.getComputedTiming().endTime)) fade.finish();`);
    // The policy forbids injected scripts, as it should; the debugger may still run one.
    await page.evaluate(await readFile(AXE, 'utf8'));
    const broken = await page.evaluate(async (tags) => {
      const { axe } = globalThis as unknown as {
        axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      };
      return (await axe.run({ runOnly: { type: 'tag', values: tags } })).violations;
    }, WCAG);
    found.push(
      ...broken.map((v) => `${colorScheme}: ${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`),
    );
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  return found;
}

/** Pixels by which the page is wider than its window. */
export const sticksOut = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
