// Compiles src/ to dist/, puts every shader beside the module that reads it, and builds the page to dist/web.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

rmSync(join(root, 'dist'), { recursive: true, force: true });
const tsc = spawnSync(
  process.execPath,
  [require.resolve('typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json')],
  {
    stdio: 'inherit',
  },
);
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

for (const file of readdirSync(join(root, 'src'), { recursive: true })) {
  if (String(file).endsWith('.wgsl')) cpSync(join(root, 'src', String(file)), join(root, 'dist', String(file)));
}
if (existsSync(join(root, 'web', 'vite.config.ts'))) {
  const page = spawnSync(
    process.execPath,
    [require.resolve('typescript/bin/tsc'), '-p', join(root, 'web', 'tsconfig.json')],
    { stdio: 'inherit' },
  );
  if (page.status !== 0) process.exit(page.status ?? 1);
  const vite = spawnSync(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build', join(root, 'web')], {
    stdio: 'inherit',
  });
  if (vite.status !== 0) process.exit(vite.status ?? 1);
}
