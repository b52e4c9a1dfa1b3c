// Compiles src/ to dist/, puts every shader and kernel beside the module that reads it, and builds the page to
// dist/web. All of it is made in a folder of its own, which takes the place of `dist` when it is whole: what runs from
// `dist` meanwhile goes on.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

// Beside `dist`, so that source maps find the sources by the same relative paths.
const made = join(root, `.dist-${process.pid}`);
const former = `${made}-former`;
removeAbandoned();
mkdirSync(made);
make();
if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), former);
renameSync(made, join(root, 'dist'));
rmSync(former, { recursive: true, force: true });

function make() {
  run(require.resolve('typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json'), '--outDir', made);
  for (const file of readdirSync(join(root, 'src'), { recursive: true })) {
    if (/\.(wgsl|wasm)$/.test(String(file))) cpSync(join(root, 'src', String(file)), join(made, String(file)));
  }
  const page = join(root, 'web');
  if (!existsSync(join(page, 'vite.config.ts'))) return;
  run(require.resolve('typescript/bin/tsc'), '-p', join(page, 'tsconfig.json'));
  run(join(root, 'node_modules/vite/bin/vite.js'), 'build', page, '--outDir', join(made, 'web'));
}

function run(program, ...args) {
  const { status } = spawnSync(process.execPath, [program, ...args], { stdio: 'inherit' });
  if (status === 0) return;
  rmSync(made, { recursive: true, force: true });
  process.exit(status ?? 1);
}

/** What builds that were killed have left. */
function removeAbandoned() {
  for (const name of readdirSync(root)) {
    const pid = /^\.dist-(\d+)/.exec(name)?.[1];
    if (pid && !lives(Number(pid))) rmSync(join(root, name), { recursive: true, force: true });
  }
}

function lives(pid) {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
