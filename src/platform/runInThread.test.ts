import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ThreadTask } from '../core/platform.js';
import { runInThread } from './runInThread.js';

describe('runInThread', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plinth-thread-'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(
      join(folder, 'tasks.ts'),
      `export const double = (job: { values: number[] }, progress: (fraction: number) => void): number[] => {
         progress(0.5);
         return job.values.map((v) => 2 * v);
       };
       export const fail = async (): Promise<never> => { throw new RangeError('too many'); };
       export const leave = (): never => process.exit(3);
       export const spin = (_: null, progress: (fraction: number) => void): never => { progress(0); for (;;); };`,
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const task = <Job, Result>(name: string): ThreadTask<Job, Result> => ({
    module: pathToFileURL(join(folder, 'tasks')),
    name,
  });

  it('hands job, progress and result over', async () => {
    const fractions: number[] = [];
    const work = runInThread(
      task<{ values: number[] }, number[]>('double'),
      { values: [1, 2] },
      {
        progress: (fraction) => fractions.push(fraction),
      },
    );
    expect(await work).toEqual([2, 4]);
    expect(fractions).toEqual([0.5]);
  });

  it('reports what a task throws, one that ends its thread, and one that is not there', async () => {
    await expect(runInThread(task('fail'), null)).rejects.toMatchObject({ code: 'INTERNAL', found: 'too many' });
    await expect(runInThread(task('leave'), null)).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(runInThread(task('missing'), null)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('ends a task that never comes to an end', async () => {
    const controller = new AbortController();
    const work = runInThread(task('spin'), null, { signal: controller.signal, progress: () => controller.abort() });
    await expect(work).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
