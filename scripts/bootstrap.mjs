// Set-up and main jobs of a fresh clone: `npm run demo`, `npm test`, `npm run bench`. Uses nothing but Node until packages are there.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [job, ...rest] = process.argv.slice(2);
const state = join(root, 'node_modules', '.plinth');

requireNode('20.19.0');
installPackages();
build();
setUpAdapter();

switch (job) {
  case 'demo':
    run(process.execPath, [
      join(root, 'bin/plinth.js'),
      'reconstruct',
      join(root, 'examples/captures/vase-six'),
      '-o',
      join(root, 'out/demo'),
      ...rest,
    ]);
    break;
  case 'test':
    run(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...rest]);
    break;
  case 'bench':
    run(process.execPath, [join(root, 'node_modules/tsx/dist/cli.mjs'), join(root, 'bench/bench.ts'), ...rest]);
    break;
  case 'setup':
    break;
  default:
    console.error(`unknown job "${job}": use demo, test, bench or setup`);
    process.exit(2);
}

function requireNode(minimum) {
  const parts = (v) => v.split('.').map(Number);
  const [a, b] = [parts(process.versions.node), parts(minimum)];
  if (a[0] > b[0] || (a[0] === b[0] && a[1] >= b[1])) return;
  console.error(
    `Plinth needs Node ${minimum} or newer; this is ${process.versions.node}. Get it from nodejs.org or your package manager.`,
  );
  process.exit(3);
}

function installPackages() {
  const lock = hash([join(root, 'package-lock.json')]);
  if (same('packages', lock)) return;
  step('Installing packages');
  run('npm', ['ci', '--no-audit', '--no-fund'], { shell: process.platform === 'win32' });
  remember('packages', lock);
}

function build() {
  const sources = hash([
    ...files(join(root, 'src')),
    ...files(join(root, 'web')),
    join(root, 'scripts/build.mjs'),
    join(root, 'tsconfig.build.json'),
  ]);
  if (existsSync(join(root, 'dist/cli/main.js')) && same('build', sources)) return;
  step('Building');
  run(process.execPath, [join(root, 'scripts/build.mjs')]);
  remember('build', sources);
}

function setUpAdapter() {
  if (
    spawnSync(process.execPath, [join(root, 'bin/plinth.js'), 'doctor', '--adapter-only'], {
      cwd: root,
      stdio: 'ignore',
    }).status === 0
  )
    return;
  step('Setting up a WebGPU adapter');
  run(process.execPath, [join(root, 'bin/plinth.js'), 'doctor', '--fix', '--adapter-only']);
}

function step(text) {
  console.log(`\n── ${text}`);
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { stdio: 'inherit', cwd: root, ...options });
  if (result.error) console.error(result.error.message);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function files(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map((f) => join(folder, String(f)))
    .filter((f) => !f.includes('node_modules') && statSync(f).isFile())
    .sort();
}

function hash(paths) {
  const sum = createHash('sha256');
  for (const path of paths) sum.update(path.slice(root.length)).update(readFileSync(path));
  return sum.digest('hex');
}

function same(name, value) {
  const file = join(state, name);
  return existsSync(file) && readFileSync(file, 'utf8') === value;
}

function remember(name, value) {
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, name), value);
}
