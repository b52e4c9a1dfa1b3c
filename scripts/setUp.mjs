// Makes a clone ready: packages, the built product, a WebGPU adapter. What is made replaces the former by a rename, so
// that programs that run meanwhile never see half of it; and of two set-ups in the same clone the second waits.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const state = join(root, '.plinth');
const lock = join(state, 'set-up');

/** Runs `work` while no other process does so in this clone. A lock whose owner is gone counts for nothing. */
export async function alone(work) {
  mkdirSync(state, { recursive: true });
  for (let waits = 0; !take(); waits++) {
    if (waits === 0) step('Another set-up works in this clone: waiting for it');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take() {
  const own = `${lock}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, lock);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    removeAbandoned();
    return false;
  } finally {
    rmSync(own);
  }
}

/**
 * Renames before it removes: of two who find the same dead owner, the slower one would remove the lock that the faster
 * one has by now.
 */
function removeAbandoned() {
  const aside = `${lock}.${process.pid}.aside`;
  try {
    const owner = readFileSync(lock, 'utf8');
    if (lives(Number(owner))) return;
    renameSync(lock, aside);
    if (readFileSync(aside, 'utf8') !== owner) linkSync(aside, lock);
    rmSync(aside);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
}

function lives(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/**
 * The packages of the lock file, if they are not there already: in a folder beside the final place, so that those in
 * use stay until then.
 */
export function installPackages() {
  const stamp = join('node_modules', '.plinth', 'packages');
  const wanted = hash([join(root, 'package-lock.json')]);
  if (same(join(root, stamp), wanted)) return;
  step('Installing packages');
  // Whatever is left of others is of set-ups that were killed: this one has the lock.
  for (const name of readdirSync(state)) {
    if (name.startsWith('packages-')) rmSync(join(state, name), { recursive: true, force: true });
  }
  const work = mkdtempSync(join(state, 'packages-'));
  try {
    for (const file of ['package.json', 'package-lock.json', '.npmrc'])
      copyFileSync(join(root, file), join(work, file));
    run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: work, shell: process.platform === 'win32' });
    remember(join(work, stamp), wanted);
    replace(join(root, 'node_modules'), join(work, 'node_modules'), join(work, 'former'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The product in `dist`, if its sources are not those of the one there. */
export function build() {
  const stamp = join(root, 'dist', '.sources');
  const sources = hash([
    ...files(join(root, 'src')),
    ...files(join(root, 'web')),
    join(root, 'package-lock.json'),
    join(root, 'scripts/build.mjs'),
    join(root, 'tsconfig.build.json'),
  ]);
  if (same(stamp, sources)) return;
  step('Building');
  run(process.execPath, [join(root, 'scripts/build.mjs')]);
  remember(stamp, sources);
}

/** A WebGPU adapter that works, be it in software. `plinth`: how the command is run. */
export function setUpAdapter(plinth) {
  const args = [...plinth, 'doctor', '--adapter-only'];
  if (spawnSync(process.execPath, args, { cwd: root, stdio: 'ignore' }).status === 0) return;
  step('Setting up a WebGPU adapter');
  run(process.execPath, [...plinth, 'doctor', '--fix', '--adapter-only']);
}

export function step(text) {
  console.log(`\n── ${text}`);
}

/** Ends this process with the command's exit code where it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { stdio: 'inherit', cwd: root, ...options });
  if (result.error) console.error(result.error.message);
  if (result.status !== 0) {
    rmSync(lock, { force: true });
    process.exit(result.status ?? 1);
  }
}

/** Puts a new folder in the place of the former one, which goes to `aside`. */
export function replace(place, made, aside) {
  if (existsSync(place)) renameSync(place, aside);
  renameSync(made, place);
}

function files(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map((f) => join(folder, String(f)))
    .filter((f) => !f.includes('node_modules') && !f.endsWith('.test.ts') && statSync(f).isFile())
    .sort();
}

function hash(paths) {
  const sum = createHash('sha256');
  for (const path of paths) sum.update(path.slice(root.length)).update(readFileSync(path));
  return sum.digest('hex');
}

const same = (file, value) => existsSync(file) && readFileSync(file, 'utf8') === value;

function remember(file, value) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, value);
}
