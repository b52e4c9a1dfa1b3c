import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FolderStore } from '../storage/folderStore.js';
import { JobLog, logKey } from './jobLog.js';

let folder: string;
let store: FolderStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plinth-log-'));
  store = new FolderStore(folder);
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const text = async (): Promise<string> => (await buffer(await store.read(logKey('1')))).toString();

test('a later attempt goes on with the log of the one before', async () => {
  for (const line of ['one', 'two\nand more']) {
    const log = await JobLog.open(store, '1');
    log.add('info', line);
    await log.close();
  }
  expect(await text()).toMatch(/^\S+Z info {2}one\n\S+Z info {2}two\n {4}and more\n$/);
});

test('a log that grows without end keeps its beginning and its end', async () => {
  const log = await JobLog.open(store, '1');
  const line = 'x'.repeat(10_000);
  log.add('info', 'the first');
  for (let i = 0; i < 1000; i++) log.add('info', line);
  log.add('info', 'the last');
  await log.close();
  const written = await text();
  expect(written.length).toBeLessThan(4.1 * 2 ** 20);
  expect(written).toMatch(/^\S+ info {2}the first\n/);
  expect(written).toMatch(/the last\n$/);
  expect(written).toMatch(/… \d+ lines left out …/);
});

test('a store that fails does not fail the job, and what was not written is written later', async () => {
  const log = await JobLog.open(store, '1');
  const { put } = store;
  store.put = () => Promise.reject(new Error('no space'));
  log.add('info', 'one');
  await log.flush();
  store.put = put;
  await log.close();
  expect(await text()).toContain('one');
});
