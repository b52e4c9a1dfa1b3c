/** Help needs no engine and no service: what a command does is loaded when it is run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { useFolders } from './captureScene.js';
import { plinthIn, ROOT } from './command.js';

const folder = useFolders();

/** What runs TypeScript, where `plinth` is started from the sources. */
const TOOLS = ['tsx', 'esbuild', 'get-tsconfig', 'resolve-pkg-maps'];

/** Packages and rooms of Plinth that a command line imports. */
async function loadedBy(...args: string[]): Promise<{ packages: string[]; rooms: string[] }> {
  const file = join(await folder(), 'modules.txt');
  const recorder = pathToFileURL(join(ROOT, 'test/recordModules.mjs'));
  const { code, stderr } = await plinthIn({ NODE_OPTIONS: `--import ${recorder}`, STAND_IN_MODULES: file }, ...args);
  expect(code, stderr).toBe(0);
  const urls = readFileSync(file, 'utf8').split('\n');
  const named = (pattern: RegExp) => [...new Set(urls.flatMap((url) => pattern.exec(url)?.[1] ?? []))].sort();
  return {
    packages: named(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//).filter((name) => !TOOLS.includes(name)),
    rooms: named(/^(?!.*\/node_modules\/).*\/(?:src|dist)\/(\w+)\//),
  };
}

it('loads no package but that of the command line for help, of all commands or one', async () => {
  for (const args of [['--help'], ['reconstruct', '--help'], ['keys', 'create', '--help'], ['--version']]) {
    const { packages, rooms } = await loadedBy(...args);
    expect(packages, args.join(' ')).toEqual(['commander']);
    // Of other rooms only names and words.
    expect(rooms, args.join(' ')).toEqual(['api', 'capture', 'cli', 'core', 'server']);
  }
});

it('loads what a command uses, and no more, when it is run', async () => {
  const { packages, rooms } = await loadedBy('config', '--json');
  expect(packages).toEqual(['commander', 'zod']);
  expect(rooms).toEqual(['api', 'capture', 'cli', 'core', 'server']);
});
