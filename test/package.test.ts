/**
 * What `npm pack` makes: it holds what it should, and works when it is unpacked. The built product is needed, which
 * `npm test` sees to.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './command.js';

const built = existsSync(join(ROOT, 'dist/cli/main.js'));
if (!built) console.warn('The test of the package is skipped: there is no dist (npm run build).');

interface Manifest {
  name: string;
  version: string;
  bin: Record<string, string>;
  exports: Record<string, string | Record<string, string>>;
  [field: string]: unknown;
}

describe.skipIf(!built)('the package', () => {
  let folder: string;
  let place: string;
  let manifest: Manifest;
  beforeAll(() => {
    // Within the clone, so that the packages that it depends on are found.
    mkdirSync(join(ROOT, '.plinth'), { recursive: true });
    folder = mkdtempSync(join(ROOT, '.plinth', 'package-'));
    execFileSync('npm', ['pack', '--pack-destination', folder], { cwd: ROOT, stdio: 'pipe' });
    const [archive] = readdirSync(folder);
    execFileSync('tar', ['-xzf', archive], { cwd: folder });
    place = join(folder, 'package');
    manifest = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as Manifest;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('holds the product, its documents and examples, and nothing else', () => {
    const files = readdirSync(place, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(place.length + 1));
    expect(files).toEqual(
      expect.arrayContaining([
        ...['LICENSE', 'NOTICE', 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'package.json'],
        ...['bin/plinth.js', 'bin/node.js', 'dist/web/index.html', 'docs/service.md', 'docs/quality.schema.json'],
      ]),
    );
    expect(files.some((f) => f.endsWith('.wgsl'))).toBe(true);
    const foreign =
      /^(src|test|web|bench|scripts|deploy|node_modules|out)\/|\.test\.|\.map$|\.sources$|\.env|tsbuildinfo/;
    expect(files.filter((f) => foreign.test(f))).toEqual([]);
  });

  it('says what registries and their readers ask for', () => {
    for (const field of ['description', 'keywords', 'license', 'author', 'engines', 'bin', 'exports', 'types'])
      expect(manifest[field], field).toBeTruthy();
    const entries = Object.values(manifest.exports).flatMap((e) => (typeof e === 'string' ? [e] : Object.values(e)));
    for (const path of [...entries, ...Object.values(manifest.bin)])
      expect(existsSync(join(place, path)), path).toBe(true);
  });

  it('is imported by its name, client included, and its command runs', () => {
    const script = join(place, 'use.mjs');
    writeFileSync(
      script,
      `import { PlinthError, reconstruct, VERSION } from 'plinth';
       import { PlinthClient } from 'plinth/client';
       import schema from 'plinth/quality.schema.json' with { type: 'json' };
       console.log(typeof reconstruct, typeof PlinthClient, typeof schema.properties, VERSION, new PlinthError('INTERNAL', 'x').code);`,
    );
    const said = execFileSync(process.execPath, [script], { cwd: folder, encoding: 'utf8' }).trim();
    expect(said).toBe(`function function object ${manifest.version} INTERNAL`);
    const version = execFileSync(process.execPath, [join(place, 'bin/plinth.js'), '--version'], { encoding: 'utf8' });
    expect(version.trim()).toBe(manifest.version);
  });
});
