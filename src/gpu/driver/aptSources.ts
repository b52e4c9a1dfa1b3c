import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRelease } from '../adapter/system.js';

/**
 * Copies the package sources that the system's apt uses into `folder`, and adds Debian 12's backports, which alone have
 * a new enough Mesa there; their mirror and key are those of the system. Gives the release to install from where it is
 * not the default one.
 */
export function copyAptSources(folder: string, root = '/'): string | undefined {
  mkdirSync(folder, { recursive: true });
  const parts = join(root, 'etc/apt/sources.list.d');
  for (const file of existsSync(parts) ? readdirSync(parts) : []) {
    if (/\.(list|sources)$/.test(file)) cpSync(join(parts, file), join(folder, file), { dereference: true });
  }
  const main = join(root, 'etc/apt/sources.list');
  if (existsSync(main)) cpSync(main, join(folder, 'system.list'), { dereference: true });
  const release = readRelease(root);
  if (release.ID !== 'debian' || release.VERSION_CODENAME !== 'bookworm') return undefined;
  return addBackports(folder);
}

function addBackports(folder: string): string | undefined {
  const suite = 'bookworm-backports';
  const files = readdirSync(folder)
    .sort()
    .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
  const active = (text: string): string => text.replace(/^[ \t]*#.*\n?/gm, '');
  if (files.some(({ text }) => active(text).includes(suite))) return suite;
  for (const { name, text } of files) {
    if (name.endsWith('.sources')) {
      const stanza = active(text)
        .split(/\n(?:[ \t]*\n)+/)
        .find((s) => /^Suites:.*\bbookworm(\s|$)/m.test(s) && !/^Enabled:\s*no\b/im.test(s));
      if (!stanza) continue;
      const own = stanza
        .replace(/^Suites:.*$/m, `Suites: ${suite}`)
        .replace(/^Components:.*$/m, 'Components: main')
        .trim();
      writeFileSync(join(folder, 'plinth-backports.sources'), `${own.replace(/\n+/g, '\n')}\n`);
      return suite;
    }
    const line = text.split('\n').find((s) => /^\s*deb\s.*\sbookworm\s/.test(s));
    if (!line) continue;
    writeFileSync(
      join(folder, 'plinth-backports.list'),
      `${line.replace(/\sbookworm\s.*$/, ` ${suite} main`).trim()}\n`,
    );
    return suite;
  }
  return undefined;
}
