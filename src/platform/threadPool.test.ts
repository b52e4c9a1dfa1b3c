import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ThreadPool } from './threadPool.js';

describe('ThreadPool', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plinth-pool-'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(
      join(folder, 'work.ts'),
      `import { parentPort, threadId } from 'node:worker_threads';
       parentPort?.on('message', ({ id, data }: { id: number; data: { double?: number; fail?: boolean; leave?: boolean; spin?: boolean } }) => {
         if (data.leave) process.exit(2);
         while (data.spin);
         if (data.fail) parentPort?.postMessage({ id, error: { message: 'too many' } });
         else parentPort?.postMessage({ id, result: { value: 2 * (data.double ?? 0), threadId } });
       });`,
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const pool = (count: number): ThreadPool => new ThreadPool(pathToFileURL(join(folder, 'work')), count);
  interface Doubled {
    value: number;
    threadId: number;
  }

  it('answers every job, each to whoever asked, with no more threads than told', async () => {
    const threads = pool(2);
    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => threads.run<Doubled>({ double: i })));
    expect(results.map(({ value }) => value)).toEqual(Array.from({ length: 20 }, (_, i) => 2 * i));
    expect(new Set(results.map(({ threadId }) => threadId)).size).toBeLessThanOrEqual(2);
    threads.close();
  });

  it('fails the job that failed and goes on with the others', async () => {
    const threads = pool(1);
    const [failed, next] = [threads.run({ fail: true }), threads.run<Doubled>({ double: 4 })];
    await expect(failed).rejects.toMatchObject({ code: 'INTERNAL', found: 'too many' });
    expect((await next).value).toBe(8);
    threads.close();
  });

  it('fails what waits where a thread ends, and where the pool is closed in the midst of work', async () => {
    const left = pool(1);
    const waiting = [left.run({ leave: true }), left.run({ double: 1 })];
    for (const work of waiting) await expect(work).rejects.toMatchObject({ code: 'INTERNAL' });
    const busy = pool(1);
    const spinning = [busy.run({ spin: true }), busy.run({ double: 1 })];
    setTimeout(() => busy.close(), 50);
    for (const work of spinning) await expect(work).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
