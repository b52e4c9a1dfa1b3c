import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const inline = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;

/**
 * A module in the place of the command's first that sends SIGTERM and takes its time. The hook itself must not wait:
 * the loader may stand still for it, and no signal would be heard.
 */
const slow = inline(`
  process.kill(process.pid, 'SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, 60_000));`);
const hooks = inline(`
  export const resolve = (name, context, next) =>
    /\\/program\\.[jt]s$/.test(name) ? { url: ${JSON.stringify(slow)}, shortCircuit: true } : next(name, context);`);
const preload = inline(`import { register } from 'node:module'; register(${JSON.stringify(hooks)});`);

const stopped = (command: string): [number | null, string | null] => {
  const options = { encoding: 'utf8', timeout: 50_000 } as const;
  const { status, signal, error } = spawnSync(
    process.execPath,
    ['--import', tsx, '--import', preload, main, command],
    options,
  );
  if (error) throw error; // one that was not stopped ends by the time limit
  return [status, signal];
};

test.each(['serve', 'worker'])('%s that is stopped while its modules are loaded ends with 0', (command) => {
  expect(stopped(command)).toEqual([0, null]);
});

test('other commands are ended by the signal, as any program is', () => {
  expect(stopped('methods')).toEqual([null, 'SIGTERM']);
});
