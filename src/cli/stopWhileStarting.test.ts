import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';

/** Runs a program that has both functions, and answers its exit code. */
async function codeOf(program: string): Promise<number | null> {
  const url = new URL('./stopWhileStarting.ts', import.meta.url).href;
  const text = `import { hasStarted, stopWhileStarting } from ${JSON.stringify(url)};\n${program}`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', text], {
    stdio: 'inherit',
  });
  return await new Promise((resolve) => child.once('close', (code) => resolve(code)));
}

test.each([
  // As one command hands over to another within one turn of the event loop.
  ['handed over', `stopWhileStarting(); process.kill(process.pid, 'SIGTERM'); hasStarted(); stopWhileStarting();`],
  ['over', `stopWhileStarting(); process.kill(process.pid, 'SIGTERM'); hasStarted();`],
])('a signal that came while modules were loaded is not lost when the start is %s', async (_, program) => {
  expect(await codeOf(`${program} setTimeout(() => process.exit(7), 2000);`)).toBe(0);
});

test('when the start is over, signals are others’ affair', async () => {
  const program = `stopWhileStarting(); hasStarted(); process.on('SIGTERM', () => process.exit(5));
    setTimeout(() => process.kill(process.pid, 'SIGTERM'), 200); setTimeout(() => process.exit(7), 5000);`;
  expect(await codeOf(program)).toBe(5);
});
