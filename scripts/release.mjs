// Versions and changelog. `release.mjs <patch|minor|major|1.2.3>` prepares a release from .changes/; `verify <tag>`
// compares version, changelog and tag; `notes <tag>` prints the release's part of the changelog. docs/releasing.md has
// the steps around it.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const KINDS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];
const UNRELEASED = '## [Unreleased]';

/** Entries by kind: those of the change files (`name` → text), as lines of a list. */
export function readChanges(files) {
  const entries = Object.fromEntries(KINDS.map((kind) => [kind, []]));
  for (const [name, text] of Object.entries(files).sort()) {
    const kind = KINDS.find((k) => name.startsWith(`${k.toLowerCase()}-`));
    if (!kind) throw new Error(`.changes/${name} begins with none of ${KINDS.map((k) => k.toLowerCase()).join(', ')}`);
    if (text.trim() === '') throw new Error(`.changes/${name} is empty`);
    entries[kind].push(/^- /m.test(text) ? text.trim() : `- ${text.trim().replace(/\n/g, '\n  ')}`);
  }
  return entries;
}

/** The part of a changelog under a heading such as `## [0.2.0]`, without the heading. */
export function section(changelog, heading) {
  const at = changelog.indexOf(`\n${heading}`);
  if (at < 0) return undefined;
  const begin = changelog.indexOf('\n', at + 1);
  const end = changelog.indexOf('\n## ', begin);
  return changelog.slice(begin, end < 0 ? undefined : end).trim();
}

/** The changelog with a new version: what stood under Unreleased and the entries of the change files, by kind. */
export function release(changelog, entries, version, date) {
  const waiting = section(changelog, UNRELEASED);
  if (waiting === undefined) throw new Error(`CHANGELOG.md has no ${UNRELEASED}`);
  const merged = KINDS.map((kind) => {
    const before = section(`\n${waiting.replaceAll('\n### ', '\n## ').replace(/^### /, '## ')}`, `## ${kind}`);
    return [kind, [...(before ? [before] : []), ...entries[kind]].join('\n')];
  }).filter(([, text]) => text !== '');
  if (merged.length === 0) throw new Error('nothing has changed: there is no file in .changes/');
  const text = merged.map(([kind, lines]) => `### ${kind}\n${lines}`).join('\n\n');
  const rest = changelog.slice(changelog.indexOf(`\n${UNRELEASED}`) + 1 + UNRELEASED.length).trimStart();
  return changelog
    .slice(0, changelog.indexOf(`\n${UNRELEASED}`) + 1)
    .concat(`${UNRELEASED}\n\n## [${version}] - ${date}\n\n${text}\n`)
    .concat(rest.slice(waiting.length).trim() === '' ? '' : `\n${rest.slice(waiting.length).trimStart()}`);
}

/** The version that follows. */
export function next(version, step) {
  if (/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(step)) return step;
  const [major, minor, patch] = version.split('.').map(Number);
  if (step === 'major') return `${major + 1}.0.0`;
  if (step === 'minor') return `${major}.${minor + 1}.0`;
  if (step === 'patch') return `${major}.${minor}.${patch + 1}`;
  throw new Error(`"${step}" is no patch, minor, major or version`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  const [task = '', tag = ''] = process.argv.slice(2);
  try {
    if (task === 'verify') verify(tag);
    else if (task === 'notes') console.log(section(readFileSync('CHANGELOG.md', 'utf8'), `## [${tag.slice(1)}]`));
    else prepare(task);
  } catch (error) {
    console.error(`release: ${error.message}`);
    process.exitCode = 1;
  }
}

function verify(tag) {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  if (tag !== `v${version}`) throw new Error(`the tag is ${tag}, and package.json says ${version}`);
  if (!section(readFileSync('CHANGELOG.md', 'utf8'), `## [${version}]`))
    throw new Error(`CHANGELOG.md says nothing about ${version}`);
}

function prepare(step) {
  const dirty = execFileSync('git', ['status', '--porcelain'], { encoding: 'utf8' }).trim();
  if (dirty) throw new Error(`the work tree has changes:\n${dirty}`);
  const before = JSON.parse(readFileSync('package.json', 'utf8')).version;
  const version = next(before, step);
  const names = readdirSync('.changes').filter((name) => name !== 'README.md');
  const files = Object.fromEntries(names.map((name) => [name, readFileSync(join('.changes', name), 'utf8')]));
  const changelog = release(readFileSync('CHANGELOG.md', 'utf8'), readChanges(files), version, today());
  execFileSync('npm', ['version', version, '--no-git-tag-version', '--allow-same-version'], { stdio: 'ignore' });
  writeFileSync('CHANGELOG.md', changelog);
  for (const name of names) rmSync(join('.changes', name));
  for (const file of readdirSync('deploy', { recursive: true }).map((name) => join('deploy', name))) {
    if (!existsSync(file) || !/\.ya?ml$/.test(file)) continue;
    const text = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      text.replaceAll(`plinth:${before}`, `plinth:${version}`).replaceAll(`newTag: ${before}`, `newTag: ${version}`),
    );
  }
  console.log(`${before} → ${version}. Look at CHANGELOG.md, and then:

    npm run check && npm test
    git commit --all --message "Release ${version}"
    git tag v${version} && git push --follow-tags origin main v${version}`);
}

function today() {
  return new Date().toISOString().slice(0, 10);
}
