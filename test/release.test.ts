import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './command.js';

interface Release {
  readChanges(files: Record<string, string>): Record<string, string[]>;
  release(changelog: string, entries: Record<string, string[]>, version: string, date: string): string;
  section(changelog: string, heading: string): string | undefined;
  next(version: string, step: string): string;
}
let tool: Release;
beforeAll(async () => {
  tool = (await import(pathToFileURL(join(ROOT, 'scripts/release.mjs')).href)) as Release;
});

describe('the changelog', () => {
  const BEFORE = `# Changelog

Words before.

## [Unreleased]

### Added
- Something older.

## [0.1.0] - 2026-01-02

### Added
- The beginning.
`;

  it('gets a version of what waited and of the change files, by kind', () => {
    const entries = tool.readChanges({
      'fixed-b.md': 'Second\nline.\n',
      'added-new.md': '- One.\n- Two.\n',
      'fixed-a.md': 'First.\n',
    });
    expect(tool.release(BEFORE, entries, '0.2.0', '2026-03-04')).toBe(`# Changelog

Words before.

## [Unreleased]

## [0.2.0] - 2026-03-04

### Added
- Something older.
- One.
- Two.

### Fixed
- First.
- Second
  line.

## [0.1.0] - 2026-01-02

### Added
- The beginning.
`);
  });

  it('can be the first one, and the next one follows it', () => {
    const first = tool.release(
      '# Changelog\n\n## [Unreleased]\n',
      tool.readChanges({ 'added-a.md': 'A.' }),
      '0.1.0',
      'D',
    );
    expect(first).toBe('# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - D\n\n### Added\n- A.\n');
    const second = tool.release(first, tool.readChanges({ 'fixed-b.md': 'B.' }), '0.1.1', 'E');
    expect(tool.section(second, '## [0.1.1]')).toBe('### Fixed\n- B.');
    expect(tool.section(second, '## [0.1.0]')).toBe('### Added\n- A.');
  });

  it('refuses a file of no kind, an empty one, and a release of nothing', () => {
    expect(() => tool.readChanges({ 'better.md': 'x' })).toThrow('better.md');
    expect(() => tool.readChanges({ 'added-x.md': ' \n' })).toThrow('empty');
    expect(() => tool.release('\n## [Unreleased]\n', tool.readChanges({}), '1.0.0', 'D')).toThrow(
      'nothing has changed',
    );
  });
});

it('counts versions up', () => {
  expect(['patch', 'minor', 'major', '3.0.0-rc.1'].map((step) => tool.next('0.1.9', step))).toEqual([
    '0.1.10',
    '0.2.0',
    '1.0.0',
    '3.0.0-rc.1',
  ]);
  expect(() => tool.next('0.1.0', 'huge')).toThrow('huge');
});

it('reads the change files that wait, and the changelog as it stands', () => {
  const names = readdirSync(join(ROOT, '.changes')).filter((name) => name !== 'README.md');
  const files = Object.fromEntries(names.map((name) => [name, readFileSync(join(ROOT, '.changes', name), 'utf8')]));
  const changelog = readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8');
  const done = tool.release(changelog, tool.readChanges(files), '99.0.0', 'D');
  expect(tool.section(done, '## [99.0.0]')).toContain('### Added');
  expect(tool.section(done, '## [Unreleased]')).toBe('');
});

it('is refused where the tag is not the version', () => {
  const verify = () =>
    execFileSync(process.execPath, [join(ROOT, 'scripts/release.mjs'), 'verify', 'v9.9.9'], { stdio: 'pipe' });
  expect(verify).toThrow(/the tag is v9\.9\.9/);
});
