/** What the first visit costs, measured on the built files. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, expect, it } from 'vitest';
import { buildPage } from './browser.js';

const LIMIT = 150_000;
/** Of everything that the first model on screen needs besides. */
const VIEWER_LIMIT = 250_000;
const built = (name: string): string => fileURLToPath(new URL(`../../dist/web/${name}`, import.meta.url));

/**
 * The files that the browser fetches before anything is shown: those of `index.html`, and what they import without
 * being asked.
 */
function firstLoad(): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const add = (name: string): void => {
    if (files.has(name)) return;
    const content = readFileSync(built(name));
    files.set(name, content);
    if (name.endsWith('.js')) {
      // Static imports only: `import("…")` is fetched when a page needs it.
      for (const [, path] of content.toString().matchAll(/\b(?:from|import)\s*["']\.\/([^"']+)["']/g))
        add(`assets/${path}`);
    }
  };
  add('index.html');
  const html = files.get('index.html')!.toString();
  for (const [, path] of html.matchAll(/(?:src|href)="\.\/([^"]+)"/g)) add(path);
  return files;
}

beforeAll(() => buildPage());

it('loads at most 150 KB, compressed, before a viewer is needed', () => {
  const files = firstLoad();
  expect([...files.keys()].filter((name) => name.endsWith('.js')).length).toBeGreaterThan(0);
  expect([...files.keys()].filter((name) => name.endsWith('.css')).length).toBeGreaterThan(0);
  const bytes = [...files.values()].reduce((sum, content) => sum + gzipSync(content).length, 0);
  expect(bytes).toBeLessThan(LIMIT);
  // The viewer is no part of it, or the measure above would miss what it is for.
  expect([...files.keys()].filter((name) => /Viewer/.test(name))).toEqual([]);
});

it('asks for nothing from elsewhere: no address of another host stands in markup or styles', () => {
  for (const [name, content] of firstLoad()) {
    if (!/\.(html|css)$/.test(name)) continue;
    expect(content.toString(), name).not.toMatch(/(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?\/\//);
  }
});

it('loads at most 250 KB, compressed, for the viewer, and has the copies that the service sends', () => {
  const scripts = readdirSync(built('assets')).filter((name) => name.endsWith('.js'));
  const viewer = scripts.filter((name) => /^(Viewer|ResultView|ViewSlider)-/.test(name));
  expect(viewer.some((name) => name.startsWith('Viewer-'))).toBe(true);
  const bytes = viewer.reduce((sum, name) => sum + gzipSync(readFileSync(built(`assets/${name}`))).length, 0);
  expect(bytes).toBeLessThan(VIEWER_LIMIT);
  for (const name of viewer) {
    const content = readFileSync(built(`assets/${name}`));
    expect(brotliDecompressSync(readFileSync(built(`assets/${name}.br`))).equals(content), name).toBe(true);
    expect(gunzipSync(readFileSync(built(`assets/${name}.gz`))).equals(content), name).toBe(true);
  }
});
