import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOCK_FILE, lockFolder } from './folderLock.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plinth-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const lockOf = async (holder: object): Promise<void> => writeFile(join(folder, LOCK_FILE), JSON.stringify(holder));

test('one holder at a time, by name in the refusal', async () => {
  const lock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toMatchObject({
    code: 'DATA_FOLDER_IN_USE',
    found: expect.stringContaining(`process ${process.pid} on ${hostname()}`),
  });
  await lock.release();
  await (await lockFolder(folder)).release();
});

test(
  'a lock of a process that is gone, of an earlier process of the same id, and a half-written one are taken ' + 'over',
  async () => {
    const leave = [
      () => lockOf({ pid: 2 ** 22 + 1, host: hostname() }),
      () => lockOf({ pid: process.pid, host: hostname(), startTicks: '1' }),
      () => writeFile(join(folder, LOCK_FILE), '{"pid": 1'),
    ];
    for (const left of leave) {
      await left();
      const lock = await lockFolder(folder);
      expect(JSON.parse(await readFile(join(folder, LOCK_FILE), 'utf8'))).toMatchObject({ pid: process.pid });
      await lock.release();
    }
  },
);
